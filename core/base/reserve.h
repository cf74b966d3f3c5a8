// Address space for as much as there may ever be: zeros, which cost memory only where somebody
// touches them.
#ifndef CORE_BASE_RESERVE_H
#define CORE_BASE_RESERVE_H

#include <stdbool.h>
#include <stddef.h>

// [bytes] bytes, at least one, on pages of their own; shared with processes forked from now on, or
// not. Never NULL: FAIL_RESOURCE, with a message as in grow.h, which [what] ends.
void *reserve_new(size_t bytes, bool is_shared, const char *what);

// What lies behind the first [kept] bytes of the [used] ones at [memory] is zeros again, but for
// the rest of a page, and costs no memory. Nothing, if less is in use.
void reserve_shrink(void *memory, size_t used, size_t kept);

// Gives back all that reserve_new gave, with the same [bytes].
void reserve_free(void *memory, size_t bytes);

#endif
