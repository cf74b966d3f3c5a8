#include "harness/cli/status.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int status_usage(const struct error *error) {
    fprintf(stderr, "mtcheck: %s\n", error->text);
    return EXIT_USAGE;
}

int status_flush(int status) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    fprintf(stderr, "mtcheck: cannot write the report: %s\n", strerror(errno));
    return status == EXIT_CLEAN ? EXIT_TOOL_FAILED : status;
}
