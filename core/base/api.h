// What the installed library promises: a function or variable that is marked SCT_API is part of its
// interface. Everything else is invisible outside of the library, whatever header it stands in.
//
// Stability: it stays.
#ifndef CORE_BASE_API_H
#define CORE_BASE_API_H

#define SCT_API __attribute__((visibility("default")))

#if defined __cplusplus && !defined _Noreturn
#define _Noreturn __attribute__((noreturn))
#endif

#endif
