#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE
#include "core/base/reserve.h"
#include "core/base/grow.h"

#include <sys/mman.h>
#include <unistd.h>

// The largest space that was given back, if it was not asked for again. The same place is wished
// for: an emulator keeps notes of every page that was ever in use, and takes new places as long as
// there are any (qemu-user 7.2: 24 bytes a page, 1.5 MiB for an arena).
//
// Each thread has its own: those of a server take and give back at the same time, and a wish that
// may go unheard is worth no lock.
static _Thread_local struct {
    void *memory;
    size_t bytes;
} left;

void *reserve_new(size_t bytes, bool is_shared, const char *what) {
    ASSERT(bytes > 0);
    void *wish = bytes == left.bytes ? left.memory : NULL;
    int kind = is_shared ? MAP_SHARED : MAP_PRIVATE;
    void *memory =
        // Without MAP_FIXED a wish is only that: what somebody has mapped there meanwhile stays.
        mmap(wish, bytes, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        grow_failed(bytes, what);
    if (wish)
        left.bytes = 0;
    return memory;
}

void reserve_shrink(void *memory, size_t used, size_t kept) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    kept = (kept + page - 1) / page * page;
    // The pages go back, the addresses stay; private ones read as zeros when next touched.
    if (used > kept)
        madvise((char *)memory + kept, used - kept, MADV_DONTNEED);
}

void reserve_free(void *memory, size_t bytes) {
    ASSERT(memory && bytes > 0);
    munmap(memory, bytes);
    if (bytes >= left.bytes) {
        left.memory = memory;
        left.bytes = bytes;
    }
}
