// What the installed library promises: a function or variable that is marked SCT_API is part of its
// interface. Everything else is invisible outside of the library, whatever header it stands in.
#ifndef CORE_BASE_API_H
#define CORE_BASE_API_H

#define SCT_API __attribute__((visibility("default")))

#endif
