// uthash, set up for this project: the only place that includes it.
//
// Keys are compared by content and iteration is in insertion order, so nothing depends on
// addresses. For small maps (groups of violations, names); the hot paths use arrays.
#ifndef CORE_BASE_MAP_H
#define CORE_BASE_MAP_H

#include "core/base/grow.h"

#define uthash_fatal(message) grow_failed(0, message)
#include <uthash.h>

#endif
