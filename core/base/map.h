// uthash, set up for this project: the only place that includes it.
//
// Keys are compared by content and iteration is in insertion order, so nothing depends on
// addresses. For small maps (groups of violations, names); the hot paths use arrays.
#ifndef CORE_BASE_MAP_H
#define CORE_BASE_MAP_H

#include "core/base/assert.h"

#define uthash_fatal(message) fail_at(FAIL_RESOURCE, HERE, "out of memory: %s", message)
#include <uthash.h>

#endif
