#define _GNU_SOURCE // RTLD_NEXT
#include "core/posix/real.h"
#include "core/base/assert.h"

#include <dlfcn.h>
#include <stddef.h>

void *posix_real(const char *name) {
    // The next one behind the library that calls, in the order of loading (dlsym(3)): the C
    // library's, or that of another library in between that stands before it as this one does.
    void *function = dlsym(RTLD_NEXT, name);
    if (!function)
        fail_at(FAIL_RESOURCE, HERE, "the C library has no function %s", name);
    return function;
}
