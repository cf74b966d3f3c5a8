#define _GNU_SOURCE // RTLD_NEXT
#include "core/posix/real.h"
#include "core/base/assert.h"
#include "core/posix/aside.h"

#include <dlfcn.h>
#include <stddef.h>

struct looking {
    const char *name;
    void *function;
};

static void look_up(void *argument) {
    struct looking *looking = argument;
    // The next one behind the library that calls, in the order of loading (dlsym(3)): the C
    // library's, or that of another library in between that stands before it as this one does.
    looking->function = dlsym(RTLD_NEXT, looking->name);
}

void *posix_real(const char *name) {
    struct looking looking = {name, NULL};
    posix_aside(look_up, &looking);
    if (!looking.function)
        fail_at(FAIL_RESOURCE, HERE, "the C library has no function %s", name);
    return looking.function;
}
