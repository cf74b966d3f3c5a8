#define _GNU_SOURCE // fileno
#include "core/posix/streams.h"
#include "core/base/assert.h"
#include "core/posix/real.h"

#include <stdarg.h>
#include <unistd.h>

// What stdout and stderr are to this library: ld's --wrap=SYMBOL turns what it says of SYMBOL into
// __wrap_SYMBOL and of __real_SYMBOL into SYMBOL, in its own objects only. Calls that the compiler
// makes of others (puts of printf) are wrapped for that; fprintf(stderr) needs nothing.
extern FILE *__wrap_stdout, *__wrap_stderr;
FILE *__wrap_stdout, *__wrap_stderr;

void posix_streams_use(FILE *out, FILE *err) {
    ASSERT(out && err);
    __wrap_stdout = out;
    __wrap_stderr = err;
}

// The initialisers of variables cannot say so: where the process's streams are is not constant.
__attribute__((constructor)) static void use_own_streams(void) {
    posix_streams_use(PROGRAM_STDOUT, PROGRAM_STDERR);
}

int __wrap_vprintf(const char *format, va_list arguments) __attribute__((format(printf, 1, 0)));
int __wrap_vprintf(const char *format, va_list arguments) {
    return vfprintf(__wrap_stdout, format, arguments);
}

int __wrap_printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
int __wrap_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    int result = vfprintf(__wrap_stdout, format, arguments);
    va_end(arguments);
    return result;
}

int __wrap_puts(const char *text);
int __wrap_puts(const char *text) {
    return fprintf(__wrap_stdout, "%s\n", text);
}

int __wrap_putchar(int character);
int __wrap_putchar(int character) {
    return fputc(character, __wrap_stdout);
}

// The last words of a tester that fails, which are written without streams: standard error is the
// program's, perhaps nowhere.
ssize_t __wrap_write(int number, const void *bytes, size_t count);
ssize_t __wrap_write(int number, const void *bytes, size_t count) {
    return REAL(write)(number == STDERR_FILENO ? fileno(__wrap_stderr) : number, bytes, count);
}
