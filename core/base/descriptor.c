#define _POSIX_C_SOURCE 200809L // F_DUPFD_CLOEXEC
#include "core/base/descriptor.h"
#include "core/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { USUAL_LOW = 900, USUAL_LIMIT = 1024 };

// A program under control and the tool share one table of descriptors. What the tool keeps stands
// high up, so that the program gets the low numbers that it would get alone.
static int above;    // what the caller asked for
static int low, end; // 0: none is kept yet

void sct_descriptors_above(int number) {
    ASSERT(low == 0 && number >= 0);
    above = number;
}

// Three quarters of what a process may have are the program's, or 900.
static int choose_low(void) {
    struct rlimit limit;
    int chosen = USUAL_LOW;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < USUAL_LIMIT)
        chosen = (int)(limit.rlim_cur - limit.rlim_cur / 4);
    return chosen > above ? chosen : above;
}

int sct_descriptor_copy(int number) {
    if (low == 0)
        low = end = choose_low();
    ASSERT(low > 0 && end >= low);
    int copy = fcntl(number, F_DUPFD_CLOEXEC, low); // the lowest free one from there on
    if (copy >= end)
        end = copy + 1;
    return copy;
}

int sct_descriptor_keep(int number) {
    // Closed even where there is no copy: whoever calls has given it away.
    int copy = sct_descriptor_copy(number), saved = errno;
    close(number);
    errno = saved;
    return copy;
}

bool sct_descriptor_is_kept(int number) {
    ASSERT(low <= end);
    return number >= low && number < end;
}

void sct_descriptors_kept(int *first, int *after) {
    ASSERT(low <= end);
    *first = low;
    *after = end;
}
