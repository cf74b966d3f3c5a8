// The version of the library, when a program is compiled and when it runs.
//
// Stability of what is marked SCT_API in the installed headers (each says what holds for it): a
// program that was compiled for version x.y.z is compiled by every x.y.w. While x is 0 a new y may
// change names, meanings and structures. Structures are zero-initialised by their users, who name
// the fields that they set: fields may come, and sizes change, so a program is compiled anew for
// another version. harness/package/CHANGES tells every change, and whether it alters what
// executions a seed gives, or which traces replay.
//
// Stability of this header: it stays.
#ifndef CORE_BASE_VERSION_H
#define CORE_BASE_VERSION_H

#include "core/base/api.h"

#define SCT_VERSION_MAJOR 0 // the build reads these three
#define SCT_VERSION_MINOR 2
#define SCT_VERSION_PATCH 0

// "MAJOR.MINOR.PATCH".
#define SCT_VERSION                      \
    SCT_VERSION_TEXT_(SCT_VERSION_MAJOR) \
    "." SCT_VERSION_TEXT_(SCT_VERSION_MINOR) "." SCT_VERSION_TEXT_(SCT_VERSION_PATCH)
#define SCT_VERSION_TEXT_(number) SCT_VERSION_TEXT_OF_(number)
#define SCT_VERSION_TEXT_OF_(number) #number

// For comparisons: #if SCT_VERSION_NUMBER >= 200
#define SCT_VERSION_NUMBER (SCT_VERSION_MAJOR * 10000 + SCT_VERSION_MINOR * 100 + SCT_VERSION_PATCH)

// SCT_VERSION and SCT_VERSION_NUMBER of the library that is linked.
SCT_API const char *sct_version(void);
SCT_API int sct_version_number(void);

#endif
