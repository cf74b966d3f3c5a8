#include "model/table/error.h"

static const struct {
    const char *name, *message;
    enum ct_status status;
} errors[] = {
    {"", "", CT_STATUS_NONE},
#define ERROR(symbol, name, status, message) {name, message, status},
#include "model/table/errors.def"
#undef ERROR
};

struct ct_outcome ct_refusal(enum ct_error error, size_t op_index) {
    ASSERT(error != CT_ERROR_NONE);
    struct ct_outcome outcome = ct_storage_error(errors[error].status, op_index);
    outcome.error = error;
    return outcome;
}

enum ct_error ct_error_of(struct ct_outcome outcome) {
    ASSERT(outcome.kind == CT_STORAGE_ERROR);
    if (outcome.error != CT_ERROR_NONE)
        return outcome.error;
    // A table that says a status only: the service's most common error of it.
    switch (outcome.status) {
    case CT_STATUS_CONFLICT:
        return CT_ERROR_EXISTS;
    case CT_STATUS_NOT_FOUND:
        return CT_ERROR_NOT_FOUND;
    case CT_STATUS_PRECONDITION_FAILED:
        return CT_ERROR_CONDITION_NOT_MET;
    case CT_STATUS_TOO_LARGE:
        return CT_ERROR_BATCH_TOO_LARGE;
    case CT_STATUS_BAD_REQUEST:
        return CT_ERROR_INVALID_INPUT;
    case CT_STATUS_NONE:
    case CT_STATUS_OK:
    case CT_STATUS_CREATED:
    case CT_STATUS_NO_CONTENT:
    case CT_STATUS_SERVER_ERROR:
        break;
    }
    return CT_ERROR_SERVER;
}

const char *ct_error_name(enum ct_error error) {
    return errors[error].name;
}

const char *ct_error_message(enum ct_error error) {
    return errors[error].message;
}
