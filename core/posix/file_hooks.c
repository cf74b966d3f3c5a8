// Calls on descriptors and streams are steps: what one thread closes another may be about to use,
// and a number that is free is given out again.
#define _GNU_SOURCE // dup3, pipe2, fopen64, fcntl64
#include "core/base/descriptor.h"
#include "core/posix/files.h"
#include "core/posix/hook.h"
#include "core/posix/streams.h"
#include "core/posix/variable.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <unistd.h>

// All of them touch the one table of descriptors, as writes: which number open gives out depends on
// every close before it, and what is behind a number on every dup2.
static void point(const char *what, const char *where) {
    static const struct sct_access files = {.mode = SCT_ACCESS_WRITE, .object = POSIX_FILES};
    ASSERT(posix_controls());
    sct_point(what, where, &files);
}

// ---- Opening -----------------------------------------------------------------------------------

// The mode is there only if a file may be made (open(2)). O_TMPFILE has the bit of O_DIRECTORY, so
// where that is asked for an argument is read that is not there: what it is nobody looks at.
static mode_t mode_of(int flags, va_list arguments) {
    return flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
}

#define OPEN_HOOK(name)                               \
    HOOK int name(const char *path, int flags, ...) { \
        va_list arguments;                            \
        va_start(arguments, flags);                   \
        mode_t mode = mode_of(flags, arguments);      \
        va_end(arguments);                            \
        if (posix_controls())                         \
            point("open", WHERE);                     \
        return REAL(name)(path, flags, mode);         \
    }

OPEN_HOOK(open)
OPEN_HOOK(open64)

HOOK int openat(int folder, const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = mode_of(flags, arguments);
    va_end(arguments);
    if (posix_controls())
        point("open", WHERE);
    return REAL(openat)(folder, path, flags, mode);
}

HOOK int creat(const char *path, mode_t mode) {
    if (posix_controls())
        point("open", WHERE);
    return REAL(creat)(path, mode);
}

HOOK int dup(int number) {
    if (posix_controls())
        point("duplicate a descriptor", WHERE);
    return REAL(dup)(number);
}

HOOK int dup2(int from, int to) {
    if (!posix_controls())
        return REAL(dup2)(from, to);
    point("duplicate a descriptor", WHERE);
    // Before it is known whether the call succeeds: to put back what is as it was does no harm.
    posix_file_disturbed(to);
    return REAL(dup2)(from, to);
}

HOOK int dup3(int from, int to, int flags) {
    if (!posix_controls())
        return REAL(dup3)(from, to, flags);
    point("duplicate a descriptor", WHERE);
    posix_file_disturbed(to);
    return REAL(dup3)(from, to, flags);
}

// The third argument is a number, a pointer or not there: passed on as it comes (fcntl(2), glibc
// does the same).
static int control(int number, int command, void *argument, __typeof__(&fcntl) call,
                   const void *caller) {
    if (!posix_controls())
        return call(number, command, argument);
    bool duplicates = command == F_DUPFD || command == F_DUPFD_CLOEXEC;
    if (duplicates)
        point("duplicate a descriptor", posix_place(caller));
    // A copy need not get the lowest number: where that is free, others may have been opened.
    if (duplicates || command == F_SETFL || command == F_SETFD)
        posix_file_disturbed(duplicates ? INT_MAX : number);
    return call(number, command, argument);
}

#define FCNTL_HOOK(name)                                               \
    HOOK int name(int number, int command, ...) {                      \
        va_list arguments;                                             \
        va_start(arguments, command);                                  \
        void *argument = va_arg(arguments, void *);                    \
        va_end(arguments);                                             \
        return control(number, command, argument, REAL(name), CALLER); \
    }

FCNTL_HOOK(fcntl)
FCNTL_HOOK(fcntl64)

HOOK int pipe(int numbers[2]) {
    if (posix_controls())
        point("open a pipe", WHERE);
    return REAL(pipe)(numbers);
}

HOOK int pipe2(int numbers[2], int flags) {
    if (posix_controls())
        point("open a pipe", WHERE);
    return REAL(pipe2)(numbers, flags);
}

// ---- Using and closing -------------------------------------------------------------------------

HOOK int close(int number) {
    if (!posix_controls())
        return REAL(close)(number);
    point("close", WHERE);
    // The tester's own are not there for the program: a loop that closes all numbers goes by them.
    if (sct_descriptor_is_kept(number)) {
        errno = EBADF;
        return -1;
    }
    posix_file_disturbed(number);
    return REAL(close)(number);
}

HOOK ssize_t read(int number, void *buffer, size_t bytes) {
    if (!posix_controls())
        return REAL(read)(number, buffer, bytes);
    point("read", WHERE);
    // It may wait in the kernel, where it keeps all threads from running: the watchdog tells of
    // that (watchdog.h).
    ssize_t result = REAL(read)(number, buffer, bytes);
    ASSERT(result < 0 || (size_t)result <= bytes);
    // Afterwards: only what has come was written.
    if (result > 0)
        posix_range_access(buffer, (size_t)result, true, CALLER);
    return result;
}

HOOK ssize_t write(int number, const void *buffer, size_t bytes) {
    if (!posix_controls())
        return REAL(write)(number, buffer, bytes);
    point("write", WHERE);
    // The kernel reads the buffer in the program's name: an access like any other, and told before
    // it is made, as those are.
    if (bytes > 0)
        posix_range_access(buffer, bytes, false, CALLER);
    return REAL(write)(number, buffer, bytes);
}

// ---- Streams -----------------------------------------------------------------------------------

static FILE *open_stream(FILE *stream) {
    ASSERT(!stream || fileno(stream) >= 0);
    posix_stream_opened(stream);
    return stream;
}

HOOK FILE *fopen(const char *restrict path, const char *restrict mode) {
    if (!posix_controls())
        return REAL(fopen)(path, mode);
    point("open", WHERE);
    return open_stream(REAL(fopen)(path, mode));
}

HOOK FILE *fopen64(const char *restrict path, const char *restrict mode) {
    if (!posix_controls())
        return REAL(fopen64)(path, mode);
    point("open", WHERE);
    return open_stream(REAL(fopen64)(path, mode));
}

HOOK FILE *fdopen(int number, const char *mode) {
    if (!posix_controls())
        return REAL(fdopen)(number, mode);
    point("open a stream", WHERE);
    return open_stream(REAL(fdopen)(number, mode));
}

static bool is_standard(const FILE *stream) {
    return stream == stdin || stream == PROGRAM_STDOUT || stream == PROGRAM_STDERR;
}

// A standard stream is there again in the next execution: here it is only written out.
HOOK int fclose(FILE *stream) {
    if (!posix_controls())
        return REAL(fclose)(stream);
    point("close", WHERE);
    if (is_standard(stream))
        return fflush(stream);
    // Before it is closed: behind that the number and the address may be somebody else's.
    posix_file_disturbed(fileno(stream));
    posix_stream_closed(stream);
    return REAL(fclose)(stream);
}
