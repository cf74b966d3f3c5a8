// The tester's own output, in the process of the program.
//
// The linker sends what this library prints (its option --wrap) to functions and streams of
// streams.c, which the program cannot reach. So in this library stdout and stderr are the tester's;
// the process's own, which are the program's, have the names below.
#ifndef CORE_POSIX_STREAMS_H
#define CORE_POSIX_STREAMS_H

#include <stdio.h>

extern FILE *__real_stdout, *__real_stderr;

#define PROGRAM_STDOUT __real_stdout
#define PROGRAM_STDERR __real_stderr

// The tester's output goes to these from now on. At first it goes to the process's own.
void posix_streams_use(FILE *out, FILE *err);

#endif
