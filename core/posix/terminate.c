// std::terminate of programs in C++. The C++ library's own handler prints, and remembers for ever
// that it was called: in a second execution it would say something else.
#define _GNU_SOURCE // RTLD_DEFAULT
#include "core/posix/terminate.h"
#include "core/posix/exit.h"
#include "core/posix/hook.h"
#include "core/posix/symbols.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

typedef void handler(void);
typedef handler *setter(handler *);

static setter *set_handler;         // std::set_terminate; NULL: this is no program in C++
static handler *first, *of_library; // as constructors have left it; the library's own

static void find(const char *name, void *function) {
    void *found = dlsym(RTLD_DEFAULT, name);
    memcpy(function, &found, sizeof found);
}

// Of the exception that nobody catches; NULL if there is none.
static const char *exception_type(void) {
    // Where the C++ ABI has a type's name, behind a pointer to its functions.
    struct type_info {
        const void *functions;
        const char *name;
    };
    const struct type_info *(*current)(void);
    find("__cxa_current_exception_type", &current);
    const struct type_info *type = current ? current() : NULL;
    if (!type)
        return NULL;
    return posix_type_name(type->name + (*type->name == '*')); // a mark of local types
}

static void terminate(void) {
    ASSERT(of_library);
    if (!posix_controls()) {
        of_library();
        abort();
    }
    // To write the type's name allocates, which is not the program's to see.
    posix_enter_tool();
    const char *type = exception_type();
    posix_leave_tool();
    if (type)
        posix_violate(SCT_KIND_CRASH, NULL, "nobody catches an exception of type %s", type);
    posix_violate(SCT_KIND_CRASH, NULL, "std::terminate() was called");
}

void posix_terminate_save(void) {
    ASSERT(!first); // once: what is set later is the program's
    find("_ZSt13set_terminatePFvvE", &set_handler);
    find("_ZN9__gnu_cxx27__verbose_terminate_handlerEv", &of_library);
    if (!set_handler || !of_library)
        return;
    first = set_handler(terminate);
    if (first == of_library)
        first = terminate;
}

void posix_terminate_begin(void) {
    ASSERT(!first || set_handler);
    if (first)
        set_handler(first);
}
