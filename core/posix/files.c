#define _GNU_SOURCE // close_range, dup3
#include "core/posix/files.h"
#include "core/base/assert.h"
#include "core/base/descriptor.h"
#include "core/base/grow.h"
#include "core/posix/real.h"
#include "core/posix/streams.h"
#include "core/posix/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STREAMS_MAX = 256 };

// A descriptor of the program before its first step, or one that the tester has opened until then.
struct inherited {
    int number;
    bool is_file;
    int copy; // among the tester's own
    off_t offset;
    int own_flags, flags; // fcntl(2): of the descriptor, and of what is open there
};

static struct inherited *inherited; // ascending
static uint32_t inherited_count, inherited_room;
// An inherited descriptor was closed or replaced, or its flags were changed. What is open there is
// shared with other processes, whose executions may have done so before the first of this one.
static bool is_disturbed = true;
static bool has_closed;            // the program, a descriptor; or it chose a number itself
static int first_free;             // the number that would be given out, before the first execution
static FILE *streams[STREAMS_MAX]; // that the program has opened
static size_t stream_count;

// ---- Before the first execution ----------------------------------------------------------------

static int copy_of(int number) {
    ASSERT(number >= 0);
    int copy = sct_descriptor_copy(number);
    if (copy < 0)
        fail_at(FAIL_RESOURCE, HERE, "no descriptor is left for the tester: %s", strerror(errno));
    return copy;
}

static FILE *keep_stream(int number) {
    // With a buffer of its own: what the program leaves in its buffers is not the tester's.
    FILE *stream = fdopen(copy_of(number), "w");
    if (!stream)
        grow_failed(0, "a stream of the tester");
    return stream;
}

static void replace_by_nothing(int number, int flags) {
    ASSERT(!posix_world.is_open);
    int nothing = open("/dev/null", flags | O_CLOEXEC);
    if (nothing < 0 || (nothing != number && dup2(nothing, number) < 0))
        fail_at(FAIL_RESOURCE, HERE, "/dev/null: %s", strerror(errno));
    // It is that number itself if that was closed: open gives out the lowest one.
    if (nothing != number)
        close(nothing);
}

static int compare_numbers(const void *left, const void *right) {
    const struct inherited *one = left, *other = right;
    ASSERT(one == other || one->number != other->number); // each is listed once
    return (one->number > other->number) - (one->number < other->number);
}

// Valgrind's own, if it runs this: above what it says that a process may have.
static bool is_above_limit(int number) {
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)number >= limit.rlim_cur;
}

// What is open now, however many and however high: a parent may leave any number of them open.
static void find_inherited(void) {
    ASSERT(inherited_count == 0);
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        fail_at(FAIL_RESOURCE, HERE, "/proc/self/fd: %s", strerror(errno));
    for (struct dirent *entry; (entry = readdir(folder));) {
        char *end;
        long number = strtol(entry->d_name, &end, 10);
        // Neither . and .. nor the descriptor by which this looks, which is gone behind it.
        if (end == entry->d_name || number == dirfd(folder))
            continue;
        if (is_above_limit((int)number))
            continue;
        GROW(inherited, inherited_count + 1, inherited_room, "the descriptors of a program");
        inherited[inherited_count++] = (struct inherited){.number = (int)number};
    }
    closedir(folder);
    qsort(inherited, inherited_count, sizeof *inherited, compare_numbers);
}

// The copy shares the offset with the original (dup(2): one open file description), so that is
// written down beside it, and put back for files; of a pipe there is none.
static void write_down(struct inherited *file) {
    struct stat status;
    ASSERT(!sct_descriptor_is_kept(file->number));
    file->copy = copy_of(file->number);
    file->own_flags = fcntl(file->number, F_GETFD);
    file->flags = fcntl(file->number, F_GETFL);
    // What is printed to a file stays there, and so does what others print to one that is only
    // written, such as a parent's log: the place in it is theirs, too.
    bool is_output = file->number == STDOUT_FILENO || file->number == STDERR_FILENO ||
                     (file->flags & O_ACCMODE) == O_WRONLY;
    file->is_file = !is_output && fstat(file->number, &status) == 0 && S_ISREG(status.st_mode);
    file->offset = file->is_file ? lseek(file->number, 0, SEEK_CUR) : 0;
}

// The lowest number that is free; -1: not even standard input is open.
static int find_free(void) {
    int number = fcntl(STDIN_FILENO, F_DUPFD, 0);
    if (number >= 0)
        REAL(close)(number);
    return number;
}

void posix_files_open(bool shows_output) {
    struct stat status;
    // What can be read once only (a terminal, a pipe) would be there for the first execution alone.
    ASSERT(inherited_count == 0 && !posix_world.is_open);
    if (fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
        replace_by_nothing(STDIN_FILENO, O_RDONLY);
    find_inherited();
    // The range of the tester's own begins above them before the first one is taken, or a copy
    // would stand where the program expects what it has inherited.
    if (inherited_count > 0)
        sct_descriptors_above(inherited[inherited_count - 1].number + 1);
    FILE *out = keep_stream(STDOUT_FILENO), *err = keep_stream(STDERR_FILENO);
    // As standard error is: a tester that dies has then said all that it had to say.
    setvbuf(err, NULL, _IONBF, 0);
    posix_streams_use(out, err);
    if (!shows_output) {
        replace_by_nothing(STDOUT_FILENO, O_WRONLY);
        replace_by_nothing(STDERR_FILENO, O_WRONLY);
    }
    // After the program's output has been replaced: what each execution gets back is what stands in
    // its place, not the tester's.
    for (uint32_t i = 0; i < inherited_count; i++)
        write_down(&inherited[i]);
    first_free = find_free();
}

// ---- Between executions ------------------------------------------------------------------------

// What was under way when an execution was left is not: nobody holds the stream.
// (It may have been left in the middle of a call: flockfile would then wait for a thread that is no
// more. libio/stdio-lock.h: a word for the lock, one for how often, the owner's thread pointer.)
static void reset_stream(FILE *stream, bool discards) {
    ASSERT(posix_world.in_tool > 0);
    memset(stream->_lock, 0, sizeof(int) * 2 + sizeof(void *)); // glibc's: lock, count, owner
    clearerr(stream);
    if (discards)
        __fpurge(stream);
    else
        fflush(stream);
}

static void close_streams(void) {
    // The program's own: their descriptors are closed below, but their buffers are the C library's.
    ASSERT(stream_count <= STREAMS_MAX);
    // In the order that is the same in every execution, the last opened first.
    while (stream_count > 0) {
        FILE *stream = streams[--stream_count];
        reset_stream(stream, true);
        REAL(fclose)(stream);
    }
}

// dup2 onto a number that is as it was changes nothing but the descriptor's own flags.
static void put_back(const struct inherited *file) {
    ASSERT(sct_descriptor_is_kept(file->copy));
    REAL(dup2)(file->copy, file->number);
    fcntl(file->number, F_SETFD, file->own_flags);
    fcntl(file->number, F_SETFL, file->flags);
}

static void restore_inherited(void) {
    for (uint32_t i = 0; i < inherited_count; i++) {
        const struct inherited *file = &inherited[i];
        if (is_disturbed) // all, if any was
            put_back(file);
        if (file->is_file)
            lseek(file->number, file->offset, SEEK_SET);
    }
    is_disturbed = false;
}

static void close_between(int first, int after) {
    ASSERT(first >= 0);
    // Numbers in between that are not open are no error to it (close_range(2)).
    if (first < after)
        close_range((unsigned)first, (unsigned)after - 1, 0);
}

// All but the inherited and the tester's own.
static void close_opened(void) {
    int next = 0, own, after_own;
    for (uint32_t i = 0; i < inherited_count; i++) {
        close_between(next, inherited[i].number);
        next = inherited[i].number + 1;
    }
    sct_descriptors_kept(&own, &after_own);
    ASSERT(next <= own && own <= after_own);
    close_between(next, own);
    // close_range(2) is one call for however many; before Linux 5.9 it fails, and what the program
    // has opened stays open.
    close_between(after_own, INT_MAX);
}

void posix_files_begin(void) {
    ASSERT(posix_world.in_tool > 0);
    // Streams first: to close one later would close a number that is an inherited one's again.
    close_streams();
    reset_stream(stdin, true);
    reset_stream(PROGRAM_STDOUT, !posix_world.options.shows_output);
    reset_stream(PROGRAM_STDERR, true);
    // What is opened gets the lowest number: where that is free and nothing was closed, nothing was
    // opened. To look at all numbers takes longer than a small execution.
    if (has_closed || is_disturbed || find_free() != first_free)
        close_opened();
    has_closed = false;
    restore_inherited();
}

// ---- Whether all is as it was
// --------------------------------------------------------------------

// What of an inherited descriptor is not; NULL: nothing.
static const char *lost_of(const struct inherited *file) {
    struct stat now, first;
    if (fstat(file->number, &now) != 0)
        return "it is closed";
    if (fstat(file->copy, &first) == 0 &&
        (now.st_dev != first.st_dev || now.st_ino != first.st_ino))
        return "something else is open there";
    if (fcntl(file->number, F_GETFD) != file->own_flags ||
        fcntl(file->number, F_GETFL) != file->flags)
        return "its flags";
    bool is_moved = file->is_file && lseek(file->number, 0, SEEK_CUR) != file->offset;
    return is_moved ? "its offset" : NULL;
}

static bool is_inherited(int number) {
    uint32_t i = 0;
    while (i < inherited_count && inherited[i].number != number)
        i++;
    return i < inherited_count;
}

// The lowest descriptor that is neither inherited nor the tester's; -1: there is none.
static int find_opened(void) {
    int lowest = -1;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char *end;
        int number = (int)strtol(entry->d_name, &end, 10);
        if (end == entry->d_name || number == dirfd(folder) || is_inherited(number) ||
            sct_descriptor_is_kept(number) || is_above_limit(number))
            continue;
        lowest = lowest < 0 || number < lowest ? number : lowest;
    }
    if (folder)
        closedir(folder);
    return lowest;
}

bool posix_files_find_lost(struct text *text) {
    ASSERT(posix_world.in_tool > 0);
    for (uint32_t i = 0; i < inherited_count; i++) {
        const char *what = lost_of(&inherited[i]);
        if (!what)
            continue;
        text_add(text, "descriptor %d (%s)", inherited[i].number, what);
        return true;
    }
    int opened = find_opened();
    if (opened >= 0)
        text_add(text, "descriptor %d (it is open)", opened);
    return opened >= 0;
}

// ---- The end of an execution
// ---------------------------------------------------------------------

void posix_files_end(bool flushes) {
    ASSERT(posix_world.is_open);
    if (!flushes)
        __fpurge(PROGRAM_STDOUT);
    else if (posix_world.options.shows_output)
        fflush(PROGRAM_STDOUT);
    for (size_t i = 0; i < stream_count; i++)
        if (flushes)
            fflush_unlocked(streams[i]); // whoever has locked it does not go on
        else
            __fpurge(streams[i]);
}

// ---- For the hooks -----------------------------------------------------------------------------

void posix_file_disturbed(int number) {
    ASSERT(posix_controls());
    has_closed = true;
    // Numbers above the last inherited one are of the program's own making: there is nothing to put
    // back.
    is_disturbed =
        is_disturbed || (inherited_count > 0 && number <= inherited[inherited_count - 1].number);
}

// More of them than there is room for are not closed: their descriptors are, and their buffers
// lost.
void posix_stream_opened(FILE *stream) {
    ASSERT(stream_count <= STREAMS_MAX);
    if (stream && stream_count < STREAMS_MAX)
        streams[stream_count++] = stream;
}

void posix_stream_closed(FILE *stream) {
    for (size_t i = 0; i < stream_count; i++)
        if (streams[i] == stream)
            // The last one takes its place: no order of opening any more, but one that the same
            // calls make again.
            streams[i] = streams[--stream_count];
}
