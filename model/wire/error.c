#include "model/wire/error.h"

static const struct wire_error_text texts[] = {
    {0},
#define ERROR(symbol, code, status, message) {code, status, message},
#include "model/table/errors.def"
#include "model/wire/errors.def"
#undef ERROR
};

struct wire_error_text wire_error_text(enum wire_error error) {
    ASSERT(error > WIRE_OK && error < sizeof texts / sizeof texts[0]);
    return texts[error];
}
