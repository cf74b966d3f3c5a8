// Rows of simulated tables in reports' panels.
#ifndef HARNESS_TABLE_SHOW_ROWS_H
#define HARNESS_TABLE_SHOW_ROWS_H

#include "harness/subject/panels.h"
#include "model/memory/memory_table.h"

// The columns of a panel of rows; the first SHOW_ROWS_KEYS are the key.
extern const char *const show_rows_columns[];
enum { SHOW_ROWS_KEYS = 2 };

// How rows look.
struct row_looks {
    bool (*hides)(const char *property);              // NULL: no property is hidden
    const char *(*mark_of)(const struct ct_row *row); // words about the row; NULL: none
};

// Writes the panel [form], whose columns are show_rows_columns, with all rows of [table].
void show_rows(struct panel_sink *sink, const struct panel_form *form,
               const struct ct_memory_table *table, const struct row_looks *looks);

#endif
