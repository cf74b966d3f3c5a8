// The errors of the protocol: those of tables (model/table/errors.def), by the same numbers, and
// those of the service in front of them (errors.def).
#ifndef MODEL_WIRE_ERROR_H
#define MODEL_WIRE_ERROR_H

#include "model/table/table.h"

enum wire_error {
    WIRE_OK,
#define ERROR(symbol, code, status, message) WIRE_##symbol,
#include "model/table/errors.def"
#include "model/wire/errors.def"
#undef ERROR
};

struct wire_error_text {
    const char *code;
    unsigned status; // of HTTP
    const char *message;
};

// Not of WIRE_OK.
struct wire_error_text wire_error_text(enum wire_error error);

// The same error; CT_ERROR_NONE is WIRE_OK.
static inline enum wire_error wire_error_of(enum ct_error error) {
    return (enum wire_error)error;
}

#endif
