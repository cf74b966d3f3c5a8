// The valid-row rule: what a stream over a changing table may return next. Knows of the table only
// its revisions.
#ifndef MODEL_MEMORY_VALID_ROWS_H
#define MODEL_MEMORY_VALID_ROWS_H

#include "model/table/table.h"

// What a streamed query may return next: every row version in [rows] (distinct by value), in the
// order revisions old to new, keys ascending within a revision, repetitions dropped; and the end of
// the stream, which as an answer stands last, iff [may_end].
struct ct_valid_rows {
    const struct ct_row **rows;
    size_t count;
    bool may_end;
};

// What a stream has seen: the contents when it was opened, and after each change since.
struct ct_revisions {
    const struct ct_rows *of;
    size_t count; // >= 1
};

// For a stream with [filter] that was opened in the first of [revisions], is read in the last, and
// whose next row has a key of [from] or above. With D_j the rows of revision j >= from that match
// and m the smallest key in every D_j: the versions in any D_j with key <= m; without m all of
// them, and the end. The list is in [arena].
struct ct_valid_rows ct_valid_rows(struct ct_revisions revisions, const struct ct_filter *filter,
                                   struct ct_key from, struct arena *arena);

// Whether [row] (NULL: the end) is among them.
bool ct_is_valid_row(const struct ct_valid_rows *valid, const struct ct_row *row);

#endif
