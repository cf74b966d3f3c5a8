// --break-at: a replay that stops under the debugger.
#ifndef HARNESS_CLI_BREAK_AT_H
#define HARNESS_CLI_BREAK_AT_H

#include "core/trace/trace.h"

#include <stdio.h>

// Has [engine], which will replay [trace], stop under the debugger at decision [index],
// telling [out] of all that happens if that is given. False if there is no such decision or no
// debugger.
bool break_at(struct sct_engine *engine, const struct sct_trace *trace, uint32_t index, FILE *out,
              struct error *error);

#endif
