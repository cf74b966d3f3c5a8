// Words for rows, batches and outcomes: in messages of violations and in narration.
#ifndef HARNESS_TABLE_DESCRIBE_H
#define HARNESS_TABLE_DESCRIBE_H

#include "core/base/text.h"
#include "harness/table/tables.h"

enum { DESCRIPTION_BYTES = 440 }; // two of them and some words fit into a violation's message

void describe_row(struct text *text, const struct ct_row *row);
void describe_rows(struct text *text, struct ct_rows rows);
void describe_batch(struct text *text, const struct ct_batch *batch);
void describe_filter(struct text *text, const struct ct_filter *filter);

// "success" with [results] (may be NULL), or the error.
void describe_outcome(struct text *text, struct ct_outcome outcome,
                      const struct ct_op_result *results, size_t result_count);

// The label and arguments of [request]; to be told before it is served, which changes entities.
void describe_request(struct text *text, const struct request *request);

// Tells of [rows] one by one, "no rows" if there are none; when somebody listens.
void note_rows(enum sct_note_class about, struct ct_rows rows);

// What came out of serving it.
void describe_answer(struct text *text, const struct request *request);

#endif
