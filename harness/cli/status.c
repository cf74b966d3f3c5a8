#include "harness/cli/status.h"
#include "harness/report/plain.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *command_name = "mtcheck";

void status_begin(const char *name) {
    command_name = name;
}

void complain(const char *format, ...) {
    char line[6000], plain[8000];
    struct text text = text_in(plain, sizeof plain);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    plain_add(&text, line);
    fprintf(stderr, "%s: %s\n", command_name, plain);
}

int status_usage(const struct error *error) {
    complain("%s", error->text);
    return EXIT_USAGE;
}

int status_flush(int status) {
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    complain("cannot write the report: %s", strerror(errno));
    return status == EXIT_CLEAN ? EXIT_TOOL_FAILED : status;
}
