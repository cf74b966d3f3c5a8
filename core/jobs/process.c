#define _GNU_SOURCE // MSG_NOSIGNAL, pipe2, SOCK_CLOEXEC, MAP_ANONYMOUS, F_SETPIPE_SZ
#include "core/jobs/process.h"
#include "core/base/descriptor.h"
#include "core/base/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PIPE_BYTES = 1 << 20, BUFFER_BYTES = 16384 };

// ---- Workers -----------------------------------------------------------------------------------

// A whole terminal, service or job of a cluster gets these signals: the first process ends the
// others, and with it they end.
void sct_process_begin(pid_t first_process) {
    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    sct_process_end_with(first_process);
}

void sct_process_end_with(pid_t first_process) {
    // The signal comes when the thread that has forked ends (prctl(2)), which is always the first
    // of its process. If it ended before the call nothing comes: so look afterwards, not before.
#ifdef __linux__
    prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
    if (getppid() != first_process) // it ended before; elsewhere writing to it will fail
        _exit(1);
}

// Looks in moments, since an interrupt may come just before each of them. Whoever is asked to end
// here has nobody to hand that on to: the other ignores it, in the middle of an execution perhaps.
static void await_end(pid_t process, const volatile sig_atomic_t *interrupted, int *status) {
    while (waitpid(process, status, WNOHANG) == 0) {
        if (*interrupted)
            kill(process, SIGKILL);
        poll(NULL, 0, SCT_TICK_MS / 10);
    }
}

int sct_process_run(void (*run)(void *context), void *context) {
    return sct_process_run_until(run, context, NULL);
}

int sct_process_run_until(void (*run)(void *context), void *context,
                          const volatile sig_atomic_t *interrupted) {
    fflush(NULL); // the other must not write it again
    pid_t first_process = getpid(), process = fork();
    if (process == 0) {
        sct_process_begin(first_process);
        // What it prints is its own; handlers of exit are not.
        run(context);
        fflush(NULL);
        _exit(0);
    }
    int status = -1;
    if (process > 0 && interrupted)
        await_end(process, interrupted, &status);
    while (process > 0 && !interrupted && waitpid(process, &status, 0) < 0 && errno == EINTR)
        ;
    ASSERT(process < 0 || status >= 0);
    return status;
}

// Who is told what to do needs both directions; a pipe holds more, so that a worker runs ahead.
static bool open_channel(bool is_told, int ends[2]) {
    if (is_told)
        return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return false;
    (void)fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES); // a smaller one will do
    return true;
}

// The first process has ends[0]. Kept out of the way of a program under control (descriptor.h),
// which may close whatever numbers it likes.
static bool make_channel(bool is_told, int ends[2]) {
    if (!open_channel(is_told, ends))
        return false;
    for (int i = 0; i < 2; i++)
        ends[i] = sct_descriptor_keep(ends[i]);
    if (ends[0] >= 0 && ends[1] >= 0)
        return true;
    int reason = errno;
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0)
            close(ends[i]);
    errno = reason;
    return false;
}

bool sct_worker_start(struct sct_worker *workers, unsigned index, const struct sct_work *work,
                      struct error *error) {
    int ends[2];
    if (!make_channel(work->is_told, ends))
        return error_set(error, "cannot start worker %u: %s", index, strerror(errno));
    pid_t first_process = getpid(), process = fork();
    if (process == 0) {
        sct_process_begin(first_process);
        // Of the others' channels it has copies: as long as those are open nobody sees the end of
        // file when the first process ends, and the others' workers wait for ever.
        for (unsigned i = 0; i < index; i++)
            close(workers[i].channel);
        close(ends[0]);
        work->run(work->context, index, ends[1]);
        _exit(1);
    }
    int saved = errno;
    close(ends[1]);
    ASSERT(ends[0] > 0); // 0 is a worker without a channel
    // Without a process, too: the channel is closed when all are dismissed.
    workers[index] = (struct sct_worker){.process = process > 0 ? process : 0, .channel = ends[0]};
    return process > 0 || error_set(error, "cannot start worker %u: %s", index, strerror(saved));
}

bool sct_worker_died(struct sct_worker *workers, unsigned index, const char *when,
                     struct error *error) {
    ASSERT(workers[index].process > 0);
    // It has closed its end, so it ends or has ended: this does not wait long.
    int status = 0;
    waitpid(workers[index].process, &status, 0);
    workers[index].process = 0;
    bool is_signal = WIFSIGNALED(status);
    return error_set(error, "worker %u %s %d %s", index,
                     is_signal ? "was killed by signal" : "ended with status",
                     is_signal ? WTERMSIG(status) : WEXITSTATUS(status), when);
}

void sct_workers_continue(const struct sct_worker *workers, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        if (workers[i].process > 0)
            kill(workers[i].process, SIGCONT);
}

void sct_workers_dismiss(struct sct_worker *workers, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        if (workers[i].process > 0) {
            // SIGTERM is ignored there (sct_process_begin), and one that is stopped would not see
            // it.
            kill(workers[i].process, SIGKILL);
            waitpid(workers[i].process, NULL, 0);
        }
        if (workers[i].channel > 0)
            close(workers[i].channel);
    }
}

void *sct_map_shared(size_t bytes) {
    ASSERT(bytes > 0);
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        grow_failed(bytes, "workers");
    return memory;
}

// ---- Messages ----------------------------------------------------------------------------------

// Each is its size in bytes, as the process stores it, and then the bytes.

// Who is waited for. An interrupt ends the waiting, or lets the crew go on of which somebody may
// have been stopped.
struct source {
    int channel;
    const volatile sig_atomic_t *interrupted; // NULL: never
    const struct sct_worker *crew;            // NULL: the waiting ends
    unsigned crew_size;
};

// Waits in moments, since an interrupt may come just before each of them. False: it ends here.
static bool await_data(const struct source *source) {
    struct pollfd file = {.fd = source->channel, .events = POLLIN};
    do {
        bool is_interrupted = source->interrupted && *source->interrupted;
        if (is_interrupted && !source->crew)
            return false;
        if (is_interrupted)
            sct_workers_continue(source->crew, source->crew_size);
    } while (poll(&file, 1, SCT_TICK_MS) <= 0);
    return true;
}

static enum sct_reading read_all(const struct source *source, void *data, size_t size) {
    for (char *at = data; size > 0;) {
        if (!await_data(source))
            return SCT_READ_INTERRUPTED;
        ssize_t got = read(source->channel, at, size);
        if (got == 0 || (got < 0 && errno != EINTR))
            return SCT_READ_END;
        at += got > 0 ? got : 0;
        size -= got > 0 ? (size_t)got : 0;
    }
    return SCT_READ_ALL;
}

static enum sct_reading read_message(const struct source *source, struct sct_bytes *bytes) {
    uint64_t size;
    enum sct_reading reading = read_all(source, &size, sizeof size);
    bytes->size = 0;
    char buffer[BUFFER_BYTES];
    // Not all at once: a damaged size must not ask for memory that nobody has sent.
    while (reading == SCT_READ_ALL && bytes->size < size) {
        size_t left = size - bytes->size;
        size_t wanted = left < sizeof buffer ? left : sizeof buffer;
        reading = read_all(source, buffer, wanted);
        if (reading == SCT_READ_ALL)
            sct_bytes_add(bytes, buffer, wanted);
    }
    ASSERT(reading != SCT_READ_ALL || bytes->size == size);
    return reading;
}

enum sct_reading sct_read_message(int channel, struct sct_bytes *bytes,
                                  const volatile sig_atomic_t *interrupted) {
    return read_message(&(struct source){.channel = channel, .interrupted = interrupted}, bytes);
}

bool sct_worker_read(const struct sct_worker *workers, unsigned count, unsigned index,
                     struct sct_bytes *bytes, const volatile sig_atomic_t *interrupted) {
    ASSERT(index < count);
    const struct source source = {workers[index].channel, interrupted, workers, count};
    return read_message(&source, bytes) == SCT_READ_ALL;
}

// A pipe has no send: there SIGPIPE would come, which for a worker is as good an end as any.
static ssize_t write_some(int channel, const void *data, size_t size) {
    ASSERT(size > 0);
    ssize_t sent = send(channel, data, size, MSG_NOSIGNAL);
    return sent < 0 && errno == ENOTSOCK ? write(channel, data, size) : sent;
}

static bool write_all(int channel, const void *data, size_t size) {
    // A signal in the middle leaves a part unwritten (write(2)): the rest follows.
    for (const char *at = data; size > 0;) {
        ssize_t written = write_some(channel, at, size);
        ASSERT(written <= (ssize_t)size);
        if (written < 0 && errno != EINTR)
            return false;
        at += written > 0 ? written : 0;
        size -= written > 0 ? (size_t)written : 0;
    }
    return true;
}

bool sct_write_message(int channel, const struct sct_bytes *bytes) {
    ASSERT(channel >= 0);
    ASSERT(bytes->data || bytes->size == 0);
    uint64_t size = bytes->size;
    return write_all(channel, &size, sizeof size) && write_all(channel, bytes->data, bytes->size);
}
