#define _GNU_SOURCE // MADV_REMOVE
#include "core/search/bucket.h"
#include "core/base/assert.h"
#include "core/base/reserve.h"

#include <string.h>
#include <sys/mman.h>

void *sct_bucket_map(uint64_t bytes, bool is_shared) {
    ASSERT(bytes > 0);
    void *memory = reserve_new(bytes, is_shared, "a state cache");
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE); // visits are scattered: each would miss the TLB
#endif
    return memory;
}

// The pages are given back: zeroing them all would make them resident. An emulator may say that it
// did and do nothing, which a byte shows.
void sct_bucket_clear(struct sct_bucket *buckets, uint64_t used, uint64_t bytes, bool is_shared) {
    ASSERT(used <= bytes);
    volatile unsigned char *byte = (volatile unsigned char *)buckets;
    *byte = 1;
    if (madvise(buckets, bytes, is_shared ? MADV_REMOVE : MADV_DONTNEED) != 0 || *byte != 0)
        memset((void *)buckets, 0, used);
}
