// What the real service refuses whatever a table holds: the one place with its limits.
//
// Sizes are counted as the service counts them: texts in UTF-16, of which a supplementary character
// takes two units, and a fixed amount per row and property. That texts are UTF-8 is for whoever
// takes them from outside to see to.
#ifndef MODEL_TABLE_CHECK_H
#define MODEL_TABLE_CHECK_H

#include "model/table/error.h"

enum {
    CT_BATCH_OPERATIONS_MAX = 100,
    CT_BATCH_BYTES_MAX = 4 << 20, // of its rows together
    CT_ROW_PROPERTIES_MAX = 252,
    CT_ROW_BYTES_MAX = 1 << 20,
    CT_KEY_UNITS_MAX = 512, // of a partition key or row key, as of the next two in UTF-16
    CT_NAME_UNITS_MAX = 255,
    CT_STRING_UNITS_MAX = 32 << 10,
    CT_BINARY_BYTES_MAX = 64 << 10,
};

// The limits in which those who check differ: of a batch, and of a row.
struct ct_rules {
    size_t operations; // above CT_BATCH_OPERATIONS_MAX: and nobody looks whether keys are distinct
    size_t batch_bytes;
    size_t properties, row_bytes;
    bool names_are_identifiers; // letters, digits and '_', no digit first, as in C#
};

extern const struct ct_rules ct_service_rules;

// CT_ERROR_NONE, or why no row may be as [row] is: its keys (characters / \ # ? and controls, or
// too long), names (system names too), values, their number and size.
enum ct_error ct_check_row(const struct ct_rules *rules, const struct ct_row *row);

// CT_ERROR_NONE, or why [batch] (which is no program error) is refused, and the first operation for
// which it is: too many, a key of an earlier one, a row that may not be, or too large together.
enum ct_error ct_check_batch(const struct ct_rules *rules, const struct ct_batch *batch,
                             size_t *op_index);

// CT_ERROR_NONE, or why a table with [limits] refuses [batch], and the first operation for which it
// does.
enum ct_error ct_limits_check(struct ct_table_limits limits, const struct ct_batch *batch,
                              size_t *op_index);

// The size of [row] as the service counts it.
size_t ct_row_bytes(const struct ct_row *row);

#endif
