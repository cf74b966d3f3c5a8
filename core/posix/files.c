#define _GNU_SOURCE // close_range, dup3
#include "core/base/grow.h"
#include "core/posix/files.h"
#include "core/base/assert.h"
#include "core/posix/real.h"
#include "core/posix/streams.h"
#include "core/posix/world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { INHERITED_MAX = 64, OWN_MAX = 2 + INHERITED_MAX, USUAL_OWN_LOW = 900, STREAMS_MAX = 256 };

// A descriptor of the program before its first step.
struct inherited {
    bool is_open, is_file;
    int copy; // among the tester's own
    off_t offset;
};

static struct inherited inherited[INHERITED_MAX];
static int inherited_end;          // one more than the highest that was open
static int own_low;                // the tester's own descriptors lie from here on
static bool is_disturbed;          // an inherited descriptor was closed or replaced
static FILE *streams[STREAMS_MAX]; // that the program has opened
static size_t stream_count;

// ---- Before the first execution ----------------------------------------------------------------

static int keep(int number) {
    int copy = fcntl(number, F_DUPFD_CLOEXEC, own_low);
    if (copy < 0)
        fail_at(FAIL_RESOURCE, HERE, "no descriptor is left for the tester: %s", strerror(errno));
    return copy;
}

static FILE *keep_stream(int number) {
    FILE *stream = fdopen(keep(number), "w");
    if (!stream)
        grow_failed(0, "a stream of the tester");
    return stream;
}

// As high as there is room.
static int choose_own_low(void) {
    struct rlimit limit;
    bool is_low = getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
                  limit.rlim_cur < USUAL_OWN_LOW + (rlim_t)OWN_MAX + 1;
    return is_low ? (int)limit.rlim_cur - OWN_MAX - 1 : USUAL_OWN_LOW;
}

static void replace_by_nothing(int number, int flags) {
    int nothing = open("/dev/null", flags | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, number) < 0)
        fail_at(FAIL_RESOURCE, HERE, "/dev/null: %s", strerror(errno));
    close(nothing);
}

static void write_down(int number) {
    struct inherited *file = &inherited[number];
    struct stat status;
    file->is_open = fstat(number, &status) == 0;
    if (!file->is_open)
        return;
    file->copy = keep(number);
    file->is_file = S_ISREG(status.st_mode);
    file->offset = file->is_file ? lseek(number, 0, SEEK_CUR) : 0;
    inherited_end = number + 1;
}

void posix_files_open(bool shows_output) {
    struct stat status;
    own_low = choose_own_low();
    FILE *out = keep_stream(STDOUT_FILENO), *err = keep_stream(STDERR_FILENO);
    setvbuf(err, NULL, _IONBF, 0);
    posix_streams_use(out, err);
    if (fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
        replace_by_nothing(STDIN_FILENO, O_RDONLY);
    if (!shows_output) {
        replace_by_nothing(STDOUT_FILENO, O_WRONLY);
        replace_by_nothing(STDERR_FILENO, O_WRONLY);
    }
    for (int number = 0; number < INHERITED_MAX; number++)
        write_down(number);
}

// ---- Between executions ------------------------------------------------------------------------

// What was under way when an execution was left is not: nobody holds the stream.
static void reset_stream(FILE *stream, bool discards) {
    memset(stream->_lock, 0, sizeof(int) * 2 + sizeof(void *));
    clearerr(stream);
    if (discards)
        __fpurge(stream);
    else
        fflush(stream);
}

static void close_streams(void) {
    while (stream_count > 0) {
        FILE *stream = streams[--stream_count];
        reset_stream(stream, true);
        REAL(fclose)(stream);
    }
}

static void restore_inherited(void) {
    for (int number = 0; number < inherited_end; number++) {
        const struct inherited *file = &inherited[number];
        if (is_disturbed && file->is_open)
            REAL(dup2)(file->copy, number);
        if (file->is_file && file->is_open)
            lseek(number, file->offset, SEEK_SET);
    }
    is_disturbed = false;
}

void posix_files_begin(void) {
    close_streams();
    reset_stream(stdin, true);
    reset_stream(PROGRAM_STDOUT, !posix_world.options.shows_output);
    reset_stream(PROGRAM_STDERR, true);
    close_range((unsigned)inherited_end, (unsigned)own_low - 1, 0);
    restore_inherited();
}

void posix_files_show(void) {
    if (posix_world.options.shows_output)
        fflush(PROGRAM_STDOUT);
}

// ---- For the hooks -----------------------------------------------------------------------------

bool posix_is_own_file(int number) {
    return number >= own_low && number < own_low + OWN_MAX;
}

void posix_file_disturbed(int number) {
    is_disturbed = is_disturbed || number < inherited_end;
}

void posix_stream_opened(FILE *stream) {
    if (stream && stream_count < STREAMS_MAX)
        streams[stream_count++] = stream;
}

void posix_stream_closed(FILE *stream) {
    for (size_t i = 0; i < stream_count; i++)
        if (streams[i] == stream)
            streams[i] = streams[--stream_count];
}
