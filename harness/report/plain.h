// Text of others (messages, names of files, foreign histories) as terminals and shells take it for
// text.
#ifndef HARNESS_REPORT_PLAIN_H
#define HARNESS_REPORT_PLAIN_H

#include "core/base/text.h"

#include <stdio.h>

// Appends [plain]; what a terminal would obey (control characters, also those of UTF-8) as \xNN.
void plain_add(struct text *text, const char *plain);

// Prints [bytes] bytes of [text], or all of it, likewise; newlines stay.
void plain_print(FILE *out, const char *text, size_t bytes);
void plain_put(FILE *out, const char *text);

// Appends [word] as one word of a shell, in quotes.
void plain_add_word(struct text *text, const char *word);

#endif
