// std::terminate of programs in C++ is a crash that says which exception nobody catches.
#ifndef CORE_POSIX_TERMINATE_H
#define CORE_POSIX_TERMINATE_H

// Writes down the handler that constructors have set. [posix_terminate_begin] puts it back at the
// beginning of an execution; instead of the C++ library's own it is the tester's.
void posix_terminate_save(void);
void posix_terminate_begin(void);

#endif
