// Refusals by the service's names (errors.def).
#ifndef MODEL_TABLE_ERROR_H
#define MODEL_TABLE_ERROR_H

#include "model/table/table.h"

// The storage error that [error] (not CT_ERROR_NONE) is, at that operation of a batch.
struct ct_outcome ct_refusal(enum ct_error error, size_t op_index);

// Why [outcome], a CT_STORAGE_ERROR, is one: its error, or the one that its status stands for.
enum ct_error ct_error_of(struct ct_outcome outcome);

// "ResourceNotFound" and the like, and a sentence: constants.
const char *ct_error_name(enum ct_error error);
const char *ct_error_message(enum ct_error error);

#endif
