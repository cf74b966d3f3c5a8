#include "harness/cli/version.h"

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#elif defined(__GNUC__)
#define COMPILER "gcc " __VERSION__
#else
#define COMPILER "unknown compiler"
#endif

const char version_commit[] = MTCHECK_COMMIT;

const char version_code[] = "mtcheck " MTCHECK_VERSION ", commit " MTCHECK_COMMIT;

const char version_line[] = "mtcheck " MTCHECK_VERSION " (commit " MTCHECK_COMMIT ", " COMPILER ")";
