// What an execution leaves behind in ways that nobody sees, and nobody can put back: the next one
// says what it is. The argument says which.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

// printf is not built by mtcheck-cc: what it writes beyond a block is seen by nobody.
static void overflow(void) {
    char *block = malloc(8);
    sprintf(block, "%s", "much more than eight bytes");
    free(block);
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "open") == 0)
        syscall(SYS_fcntl, STDOUT_FILENO, F_DUPFD, 200);
    else if (strcmp(what, "closed") == 0)
        syscall(SYS_close, STDERR_FILENO);
    else if (strcmp(what, "other") == 0)
        syscall(SYS_dup3, syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY), STDERR_FILENO, 0);
    else if (strcmp(what, "flags") == 0)
        syscall(SYS_fcntl, STDERR_FILENO, F_SETFL, O_NONBLOCK);
    else if (strcmp(what, "log") == 0)
        syscall(SYS_write, 5, ".", 1);
    else if (strcmp(what, "heap") == 0)
        overflow();
    return 0;
}
