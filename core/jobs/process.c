#define _GNU_SOURCE // MSG_NOSIGNAL
#include "core/jobs/process.h"

#include <errno.h>
#include <signal.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/socket.h>
#include <unistd.h>

// A whole terminal, service or job of a cluster gets these signals: the first process ends the
// others, and with it they end.
void sct_process_begin(pid_t first_process) {
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != first_process) // it ended before; elsewhere writing to it will fail
        _exit(1);
}

static ssize_t write_some(int file, const void *data, size_t size) {
    ssize_t sent = send(file, data, size, MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? write(file, data, size) : sent;
}

bool sct_write_all(int file, const void *data, size_t size) {
    for (const char *at = data; size > 0;) {
        ssize_t written = write_some(file, at, size);
        if (written < 0 && errno != EINTR)
            return false;
        at += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}
