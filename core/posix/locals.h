// Blocks of thread-local variables for the program's threads.
//
// Each block was made by the C library for a kernel thread that does nothing but lend it: errno,
// locale, the exceptions of C++ and the program's own thread-local variables are in order there, at
// addresses of their own.
#ifndef CORE_POSIX_LOCALS_H
#define CORE_POSIX_LOCALS_H

enum { POSIX_BLOCKS_MAX = 1024 };

// The thread pointer of block [index], 1 .. POSIX_BLOCKS_MAX - 1; made when first asked for. Blocks
// outlive executions. FAIL_RESOURCE when the system gives no more threads.
void *posix_locals_block(unsigned index);

#endif
