// What a hook is: a function of libc's or of the compiler's run time that the program under control
// calls here instead.
//
// A hook begins by asking whether the caller is under control (world.h): if not, it does what the
// real function does. So the same library serves constructors, test drivers, the helper programs of
// a build, and the tester itself, whose own calls end up here as well.
#ifndef CORE_POSIX_HOOK_H
#define CORE_POSIX_HOOK_H

#include "core/posix/places.h"
#include "core/posix/real.h"
#include "core/posix/world.h"

// Seen from outside; everything else of the library is hidden.
#define HOOK __attribute__((visibility("default")))

// The place of the call of the hook that says it.
#define CALLER __builtin_return_address(0)
#define WHERE posix_place(CALLER)

#endif
