#define _GNU_SOURCE // MAP_FIXED_NOREPLACE, memalign
#include "core/base/grow.h"
#include "core/posix/heap.h"
#include "core/engine/inside.h"
#include "core/memory/race.h"
#include "core/posix/exit.h"
#include "core/posix/hook.h"
#include "core/posix/images.h"
#include "core/posix/objects.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's allocator, which hooks of the same names hide.
void *__libc_malloc(size_t bytes);
void *__libc_calloc(size_t count, size_t bytes);
void *__libc_realloc(void *block, size_t bytes);
void *__libc_memalign(size_t alignment, size_t bytes);
void __libc_free(void *block);

enum {
    ALIGNMENT = 16,
    REDZONE_BYTES = 8,             // at least, behind every block
    WATCHED_BYTES = 4096,          // of a block: as a whole it is written when it comes and goes
    DROPPED_BYTES_MIN = 256 * 1024 // from so much on, pages are given back instead of cleared
};

struct header {
    uint32_t bytes;
    uint32_t check;                // tells a header from what else may stand there
    const void *allocated, *freed; // where
    uint64_t padding;
};
_Static_assert(sizeof(struct header) % ALIGNMENT == 0, "blocks are aligned behind their headers");

// Of every 8 bytes of the heap: how many of them belong to a block, from the first on, or that the
// block was freed.
enum { STATE_NONE = 0, STATE_FREED = 0xfd };
#define STATES ((unsigned char *)(POSIX_HEAP_BASE + POSIX_HEAP_BYTES))
#define STATE_COUNT (POSIX_HEAP_BYTES / 8)

static struct {
    bool is_open, is_saved;
    uintptr_t next;  // where the next header may be
    uintptr_t first; // the same when the first execution began
    char *first_bytes;
    unsigned char *first_states;
} heap;

static unsigned char *state_at(uintptr_t address) {
    return &STATES[(address - POSIX_HEAP_BASE) / 8];
}

// ---- Between executions ------------------------------------------------------------------------

void posix_heap_open(void) {
    void *memory =
        mmap((void *)POSIX_HEAP_BASE, POSIX_HEAP_BYTES + STATE_COUNT, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory != (void *)POSIX_HEAP_BASE)
        fail_at(FAIL_RESOURCE, HERE,
                "out of memory: %llu bytes of addresses for the program's heap",
                (unsigned long long)POSIX_HEAP_BYTES);
    heap.next = POSIX_HEAP_BASE;
    heap.is_open = true;
}

static void *copy_of(const void *memory, size_t bytes) {
    void *copy = __libc_malloc(bytes + 1);
    if (!copy)
        grow_failed(bytes, "the heap's first state");
    return memcpy(copy, memory, bytes);
}

void posix_heap_save(void) {
    size_t bytes = heap.next - POSIX_HEAP_BASE;
    heap.first = heap.next;
    heap.first_bytes = copy_of((void *)POSIX_HEAP_BASE, bytes);
    heap.first_states = copy_of(STATES, bytes / 8);
    heap.is_saved = true;
}

// Whole pages are given back, if there are many.
static void clear(char *memory, size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t until_page = (page - (uintptr_t)memory % page) % page;
    if (bytes < DROPPED_BYTES_MIN) {
        memset(memory, 0, bytes);
        return;
    }
    memset(memory, 0, until_page);
    madvise(memory + until_page, bytes - until_page, MADV_DONTNEED);
}

void posix_heap_begin(void) {
    size_t first_bytes = heap.first - POSIX_HEAP_BASE, used = heap.next - heap.first;
    memcpy((void *)POSIX_HEAP_BASE, heap.first_bytes, first_bytes);
    memcpy(STATES, heap.first_states, first_bytes / 8);
    clear((char *)heap.first, used);
    clear((char *)STATES + first_bytes / 8, (used + 7) / 8);
    heap.next = heap.first;
}

// ---- Blocks ------------------------------------------------------------------------------------

static uint32_t check_of(uintptr_t block, size_t bytes) {
    return (uint32_t)((block ^ bytes * 31) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static void mark(uintptr_t block, size_t bytes) {
    memset(state_at(block), 8, bytes / 8);
    if (bytes % 8 != 0)
        *state_at(block + bytes) = (unsigned char)(bytes % 8);
}

// To allocate and to free a block are writes of all of it.
static void access_whole(uintptr_t block, size_t bytes, const void *caller) {
    if (posix_controls())
        sct_shadow_access(block, bytes < WATCHED_BYTES ? bytes : WATCHED_BYTES, SCT_PLAIN_WRITE,
                          caller);
}

// A block of zero bytes, or NULL if it is larger than the heap; a violation if it does not fit.
static void *allocate(size_t bytes, size_t alignment, const void *caller) {
    if (bytes >= POSIX_HEAP_BYTES || alignment >= POSIX_HEAP_BYTES) {
        errno = ENOMEM;
        return NULL;
    }
    alignment = alignment < ALIGNMENT ? ALIGNMENT : alignment;
    uintptr_t block = (heap.next + sizeof(struct header) + alignment - 1) & ~(alignment - 1);
    uintptr_t next = (block + bytes + REDZONE_BYTES + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
    if (next > POSIX_HEAP_BASE + POSIX_HEAP_BYTES)
        posix_violate(SCT_KIND_OUT_OF_MEMORY, posix_place(caller),
                      "the program has allocated more than 1 GiB in one execution");
    *((struct header *)block - 1) = (struct header){
        .bytes = (uint32_t)bytes, .check = check_of(block, bytes), .allocated = caller};
    mark(block, bytes);
    heap.next = next;
    access_whole(block, bytes, caller);
    return (void *)block;
}

// The header of [block]; NULL if no block begins there.
static struct header *header_of(const void *block) {
    uintptr_t address = (uintptr_t)block;
    struct header *header = (struct header *)address - 1;
    bool is_possible = address % ALIGNMENT == 0 && address > POSIX_HEAP_BASE && address < heap.next;
    return is_possible && header->check == check_of(address, header->bytes) ? header : NULL;
}

static bool is_freed(const void *block) {
    return *state_at((uintptr_t)block) == STATE_FREED;
}

static void check_block(const void *block, const struct header *header, const char *what,
                        const void *caller) {
    if (!posix_controls())
        return;
    if (!header)
        posix_violate(POSIX_KIND_BAD_FREE, posix_place(caller),
                      "what is %s is not a block of the heap", what);
    if (is_freed(block))
        posix_violate(POSIX_KIND_DOUBLE_FREE, posix_place(caller),
                      "a block of %u bytes is %s that was freed at %s; it was allocated at %s",
                      header->bytes, what, posix_place(header->freed),
                      posix_place(header->allocated));
}

static void release(void *block, const void *caller) {
    struct header *header = header_of(block);
    check_block(block, header, "freed", caller);
    if (!header)
        return;
    size_t bytes = header->bytes;
    access_whole((uintptr_t)block, bytes, caller);
    if (posix_controls())
        posix_objects_forget((uintptr_t)block, bytes);
    header->freed = caller;
    memset(state_at((uintptr_t)block), STATE_FREED, (bytes + 7) / 8 + (bytes == 0));
}

static void *reallocate(void *block, size_t bytes, const void *caller) {
    const struct header *header = header_of(block);
    check_block(block, header, "reallocated", caller);
    void *copy = header ? allocate(bytes, ALIGNMENT, caller) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, block, bytes < header->bytes ? bytes : header->bytes);
    release(block, caller);
    return copy;
}

// ---- Accesses ----------------------------------------------------------------------------------

// The header of the block that [address] is in or behind; NULL if there is none before it.
static const struct header *header_before(uintptr_t address) {
    uintptr_t block = address & ~(uintptr_t)(ALIGNMENT - 1);
    for (; block > POSIX_HEAP_BASE; block -= ALIGNMENT) {
        const struct header *header = header_of((const void *)block);
        if (header)
            return header;
    }
    return NULL;
}

void posix_heap_describe(const void *address, struct text *text) {
    const struct header *header = header_before((uintptr_t)address);
    if (!header) {
        text_add(text, "of the heap");
        return;
    }
    uintptr_t offset = (uintptr_t)address - (uintptr_t)(header + 1);
    text_add(text, "at offset %zu of a block of %u bytes allocated at %s", (size_t)offset,
             header->bytes, posix_place(header->allocated));
    if (header->freed)
        text_add(text, " and freed at %s", posix_place(header->freed));
}

__attribute__((noinline, cold)) _Noreturn static void
report_access(uintptr_t address, size_t bytes, enum sct_access_kind kind, const void *caller) {
    char buffer[512];
    struct text text = text_in(buffer, sizeof buffer);
    bool is_free = *state_at(address) == STATE_FREED;
    posix_heap_describe((const void *)address, &text);
    posix_violate(is_free ? POSIX_KIND_USE_AFTER_FREE : POSIX_KIND_HEAP_OVERFLOW,
                  posix_place(caller), "%s of %zu byte%s %s", sct_access_kind_name(kind), bytes,
                  bytes == 1 ? "" : "s", buffer);
}

void posix_heap_check(const void *start, size_t bytes, enum sct_access_kind kind,
                      const void *caller) {
    uintptr_t address = (uintptr_t)start, end = address + bytes;
    while (address < end) {
        uintptr_t word_end = (address | 7) + 1;
        unsigned needed = (unsigned)((end < word_end ? end : word_end) - 1 - (address & ~7ULL)) + 1;
        unsigned char state = *state_at(address);
        if (__builtin_expect(state == STATE_FREED || state < needed, 0))
            report_access((uintptr_t)start, bytes, kind, caller);
        address = word_end;
    }
}

// ---- Hooks -------------------------------------------------------------------------------------

// Whether the call is the program's own: not of the C library's for itself, nor of the tester's.
static inline bool is_of_program(const void *caller) {
    if (!heap.is_open || (heap.is_saved && !posix_controls()))
        return false;
    return posix_world.in_tool == 0 && !posix_is_system_code(caller);
}

HOOK void *malloc(size_t bytes) {
    return is_of_program(CALLER) ? allocate(bytes, ALIGNMENT, CALLER) : __libc_malloc(bytes);
}

HOOK void *calloc(size_t count, size_t bytes) {
    size_t all;
    if (!is_of_program(CALLER) || __builtin_mul_overflow(count, bytes, &all))
        return __libc_calloc(count, bytes);
    return allocate(all, ALIGNMENT, CALLER);
}

// Whether [block] is a variable: no allocator has made it.
static bool is_variable(const void *block) {
    const void *low;
    size_t bytes;
    sct_stack_bounds(&low, &bytes);
    return posix_is_static(block) || (uintptr_t)block - (uintptr_t)low < bytes;
}

HOOK void free(void *block) {
    if (posix_is_heap(block))
        release(block, CALLER);
    else if (block && posix_controls() && is_variable(block))
        check_block(block, NULL, "freed", CALLER);
    else
        __libc_free(block);
}

HOOK void *realloc(void *block, size_t bytes) {
    if (posix_is_heap(block))
        return reallocate(block, bytes, CALLER);
    if (block || !is_of_program(CALLER))
        return __libc_realloc(block, bytes);
    return allocate(bytes, ALIGNMENT, CALLER);
}

HOOK void *reallocarray(void *block, size_t count, size_t bytes) {
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    if (posix_is_heap(block))
        return reallocate(block, all, CALLER);
    if (block || !is_of_program(CALLER))
        return __libc_realloc(block, all);
    return allocate(all, ALIGNMENT, CALLER);
}

HOOK void *memalign(size_t alignment, size_t bytes) {
    return is_of_program(CALLER) ? allocate(bytes, alignment, CALLER)
                                 : __libc_memalign(alignment, bytes);
}

HOOK void *aligned_alloc(size_t alignment, size_t bytes) {
    return is_of_program(CALLER) ? allocate(bytes, alignment, CALLER)
                                 : __libc_memalign(alignment, bytes);
}

HOOK int posix_memalign(void **block, size_t alignment, size_t bytes) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
        return EINVAL;
    int error = errno; // is not set here
    *block = is_of_program(CALLER) ? allocate(bytes, alignment, CALLER)
                                   : __libc_memalign(alignment, bytes);
    errno = error;
    return *block ? 0 : ENOMEM;
}

HOOK size_t malloc_usable_size(void *block) {
    if (!posix_is_heap(block))
        return REAL(malloc_usable_size)(block);
    const struct header *header = header_of(block);
    return header ? header->bytes : 0;
}

// What these allocate is the program's, though the C library would do it.
HOOK char *strndup(const char *text, size_t length_max) {
    size_t length = strnlen(text, length_max);
    char *copy =
        is_of_program(CALLER) ? allocate(length + 1, ALIGNMENT, CALLER) : __libc_malloc(length + 1);
    if (copy) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

HOOK char *strdup(const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = is_of_program(CALLER) ? allocate(bytes, ALIGNMENT, CALLER) : __libc_malloc(bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}
