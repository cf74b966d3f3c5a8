#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE, MADV_REMOVE
#include "core/search/bucket.h"
#include "core/base/grow.h"

#include <string.h>
#include <sys/mman.h>

void *sct_bucket_map(uint64_t bytes, bool is_shared) {
    int kind = is_shared ? MAP_SHARED : MAP_PRIVATE;
    void *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE, kind | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        grow_failed(bytes, "a state cache");
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE);
#endif
    return memory;
}

// The pages are given back: zeroing them all would make them resident. An emulator may say that it
// did and do nothing, which a byte shows.
void sct_bucket_clear(struct sct_bucket *buckets, uint64_t count, uint64_t bytes, bool is_shared) {
    volatile unsigned char *byte = (volatile unsigned char *)buckets;
    *byte = 1;
    if (madvise(buckets, bytes, is_shared ? MADV_REMOVE : MADV_DONTNEED) != 0 || *byte != 0)
        memset((void *)buckets, 0, count * sizeof *buckets);
}
