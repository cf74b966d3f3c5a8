// Values of JSON for reports.
#ifndef HARNESS_REPORT_JSON_H
#define HARNESS_REPORT_JSON_H

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

// From now on values are whole: if there is no memory for one the process fails (FAIL_RESOURCE).
// Without this a report lacks what there was no memory for, and nobody is told.
void json_allocates_or_fails(void);

// NULL: null. Text that is not UTF-8 is taken byte by byte.
json_t *value_text(const char *text);

json_t *value_number(uint64_t value);

// Prints [value] and a newline, and frees it.
void json_print(FILE *out, json_t *value);

// A number that others may not have room for (seeds, fingerprints), as text by [format], a
// constant for one uint64_t.
json_t *value_digits(const char *format, uint64_t value);

#endif
