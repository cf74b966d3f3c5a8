// The functions of libc that hooks stand before.
#ifndef CORE_POSIX_REAL_H
#define CORE_POSIX_REAL_H

// The real function called [name]: the next one after this library's. FAIL_RESOURCE if there is
// none.
void *posix_real(const char *name);

// The real function behind the hook of the same name, as a pointer of its type; looked up once at
// each place where it is written.
#define REAL(function)                                              \
    (__extension__({                                                \
        static __typeof__(&(function)) real_;                       \
        if (!real_)                                                 \
            real_ = (__typeof__(&(function)))posix_real(#function); \
        real_;                                                      \
    }))

#endif
