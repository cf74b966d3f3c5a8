// Names of functions by address, from the symbol table of the running program itself: static
// functions too, and no tool is asked. Without a symbol table (a stripped program) nothing is
// known.
#ifndef HARNESS_REPORT_EXECUTION_SYMBOLS_H
#define HARNESS_REPORT_EXECUTION_SYMBOLS_H

#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct symbols;

// Names calls from now on by [describe], which knows more than a symbol table; what it has no name
// for (NULL) is not the system's.
void symbols_use(const char *(*describe)(const void *address));
bool symbols_are_described(void);

// Reads the program's file; NULL if it has no symbols that can be read.
struct symbols *symbols_open(void);

void symbols_close(struct symbols *symbols);

// The function that [address], a return address, belongs to. NULL if it is not known; [symbols] may
// be NULL. Valid until symbols_close.
const char *symbols_name(const struct symbols *symbols, const void *address);

// "innermost < its caller < ...": the functions of [addresses] that are the system's or its
// harness', at most [max] of them. Those of the engine are left out.
void symbols_calls(const struct symbols *symbols, const void *const *addresses, size_t count,
                   size_t max, struct text *text);

#endif
