#include "core/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

enum { MESSAGE_BYTES = 1024 };

static void print_and_abort(enum fail_kind kind, const char *where, const char *message) {
    (void)kind;
    fprintf(stderr, "%s: %s\n", where, message);
    abort();
}

// One for the process: an execution installs its own and restores the one before.
static fail_handler current_handler = print_and_abort;

fail_handler fail_handler_set(fail_handler handler) {
    fail_handler previous = current_handler;
    current_handler = handler ? handler : print_and_abort;
    return previous;
}

void fail_at(enum fail_kind kind, const char *where, const char *format, ...) {
    // On the stack: there may be no memory, or the heap may be what has failed.
    char message[MESSAGE_BYTES];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    // A handler does not return: it leaves the execution, or the process. If it does, nothing here
    // can go on.
    current_handler(kind, where, message);
    abort();
}
