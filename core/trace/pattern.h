// What violations that are the same have in common: the kind and the message, but for values.
#ifndef CORE_TRACE_PATTERN_H
#define CORE_TRACE_PATTERN_H

#include "core/engine/result.h"

// The kind and the message without numbers, punctuation and what is quoted or in braces. Freed by
// the caller; FAIL_RESOURCE without memory.
char *sct_violation_pattern(const struct sct_violation *violation);

#endif
