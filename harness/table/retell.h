// The notes of the simulated tables (describe.h), and of those who use them, in plain words.
#ifndef HARNESS_TABLE_RETELL_H
#define HARNESS_TABLE_RETELL_H

#include "harness/subject/subject.h"

// The [retell] of all scenarios over tables. Reads are details, all else is an act.
enum retold table_retell(struct text *text, enum sct_note_class about, const char *note);

// The [steps] of all scenarios over tables.
extern const struct term table_steps[];

#endif
