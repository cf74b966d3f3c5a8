#define _GNU_SOURCE // MAP_FIXED_NOREPLACE, memalign
#include "core/base/grow.h"
#include "core/posix/heap.h"
#include "core/engine/inside.h"
#include "core/memory/race.h"
#include "core/posix/exit.h"
#include "core/posix/hook.h"
#include "core/posix/images.h"
#include "core/posix/moment.h"
#include "core/posix/objects.h"
#include "core/posix/races.h"
#include "core/posix/roots.h"
#include "core/posix/variable.h"

#include <errno.h>
#include <malloc.h>
#include <stddef.h>
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
    REDZONE_BYTES = 8,              // at least, behind every block
    WATCHED_BYTES = 4096,           // of a block: as a whole it is written when it comes and goes
    DROPPED_BYTES_MIN = 256 * 1024, // from so much on, pages are given back instead of cleared
    SIZES = 256                     // of blocks that are used again
};

struct header {
    uint32_t bytes;
    uint32_t check;                // tells a header from what else may stand there
    const void *allocated, *freed; // where
    // With --heap reuse: the next free block of its size; from those who freed it.
    struct header *next;
    struct sct_edge *edge;
    uint64_t padding; // to a multiple of ALIGNMENT; where a search for leaks leaves its marks
};
_Static_assert(sizeof(struct header) % ALIGNMENT == 0, "blocks are aligned behind their headers");
_Static_assert(ALIGNMENT % _Alignof(max_align_t) == 0, "a block may hold any type");
_Static_assert(POSIX_HEAP_BYTES <= UINT32_MAX, "a header holds the size of any block");
_Static_assert(POSIX_HEAP_BASE % ALIGNMENT == 0 && POSIX_HEAP_BYTES % 8 == 0,
               "states begin a word");

// Of every 8 bytes of the heap: how many of them belong to a block, from the first on, or that the
// block was freed.
enum { STATE_NONE = 0, STATE_FREED = 0xfd };
_Static_assert(STATE_FREED > 8, "a freed word is no count of bytes");

#define STATES ((unsigned char *)(POSIX_HEAP_BASE + POSIX_HEAP_BYTES))
#define STATE_COUNT (POSIX_HEAP_BYTES / 8)

static struct {
    bool is_open, is_saved;
    uintptr_t next;  // where the next header may be
    uintptr_t first; // the same when the first execution began
    uintptr_t end;   // behind all that was used since it was cleared
    uintptr_t last;  // the same when it was
    char *first_bytes;
    unsigned char *first_states;
    struct header
        *free[SIZES]; // with --heap reuse, of so many times 16 bytes; the last freed first
} heap;

static unsigned char *state_at(uintptr_t address) {
    return &STATES[(address - POSIX_HEAP_BASE) / 8];
}

// ---- Between executions ------------------------------------------------------------------------

void posix_heap_open(void) {
    ASSERT(!heap.is_open);
    // NORESERVE: addresses, no memory, until a page is written. NOREPLACE: an older kernel takes it
    // for a hint (mmap(2)), which the comparison below sees.
    void *memory =
        mmap((void *)POSIX_HEAP_BASE, POSIX_HEAP_BYTES + STATE_COUNT, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (memory != (void *)POSIX_HEAP_BASE)
        fail_at(FAIL_RESOURCE, HERE,
                "out of memory: %llu bytes of addresses for the program's heap",
                (unsigned long long)POSIX_HEAP_BYTES);
    // At the same place in every process and execution: addresses that the program prints, hashes
    // or compares are the same in a replay.
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
    // What constructors have allocated is there at the beginning of every execution.
    ASSERT(heap.is_open && !heap.is_saved);
    ASSERT(heap.next >= POSIX_HEAP_BASE && heap.next % ALIGNMENT == 0);
    size_t bytes = heap.next - POSIX_HEAP_BASE;
    heap.first = heap.next;
    heap.first_bytes = copy_of((void *)POSIX_HEAP_BASE, bytes);
    heap.first_states = copy_of(STATES, bytes / 8);
    heap.is_saved = true;
}

// Whole pages are given back, if there are many: they read as zero then, as madvise(2) has it for
// private anonymous memory. For few of them the system call and the faults cost more than memset.
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
    ASSERT(heap.is_saved && heap.first <= heap.next);
    ASSERT(posix_world.in_tool > 0);
    heap.next = heap.next > heap.end ? heap.next : heap.end;
    size_t first_bytes = heap.first - POSIX_HEAP_BASE, used = heap.next - heap.first;
    memcpy((void *)POSIX_HEAP_BASE, heap.first_bytes, first_bytes);
    memcpy(STATES, heap.first_states, first_bytes / 8);
    clear((char *)heap.first, used);
    clear((char *)STATES + first_bytes / 8, (used + 7) / 8);
    heap.last = heap.next;
    heap.next = heap.end = heap.first;
    memset(heap.free, 0, sizeof heap.free);
}

// The first byte from [start] to [end], both at pages, that is not zero; NULL: there is none. Pages
// that nobody has touched are passed over (mincore(2): of private memory those are not resident),
// so it takes what was used, not what there is.
static const char *find_written(const char *start, const char *end) {
    enum { PAGES = 4096 };
    static unsigned char is_resident[PAGES];
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (const char *at = start; at < end; at += PAGES * page) {
        size_t bytes = (size_t)(end - at) < PAGES * page ? (size_t)(end - at) : PAGES * page;
        if (mincore((void *)(uintptr_t)at, bytes, is_resident) != 0)
            return at; // it is not mapped any more
        for (const char *byte = at; byte < at + bytes; byte++) {
            if (!(is_resident[(size_t)(byte - at) / page] & 1))
                byte += page - 1;
            else if (*byte != 0)
                return byte;
        }
    }
    return NULL;
}

bool posix_heap_find_lost(struct text *text) {
    const char *start = (const char *)POSIX_HEAP_BASE;
    size_t page = (size_t)sysconf(_SC_PAGESIZE), at = 0, bytes = heap.first - POSIX_HEAP_BASE;
    ASSERT(heap.is_saved && heap.next == heap.first);
    while (at < bytes && start[at] == heap.first_bytes[at])
        at++;
    if (at < bytes) {
        text_add(text, "memory ");
        posix_heap_describe(start + at, text);
        return true;
    }
    size_t until_page = (page - bytes % page) % page;
    while (at < bytes + until_page && start[at] == 0)
        at++;
    const char *written =
        at < bytes + until_page ? start + at : find_written(start + at, start + POSIX_HEAP_BYTES);
    if (!written)
        return false;
    // What the last execution had is cleared; behind that nobody had anything.
    bool is_behind = (uintptr_t)written >= heap.last;
    text_add(text, "the heap, %zu bytes behind all that %s allocated,",
             (size_t)((uintptr_t)written - (is_behind ? heap.last : heap.first)),
             is_behind ? "the last execution had" : "constructors have");
    return true;
}

enum { COPIED_BYTES_MAX = 16 * 1024 };

bool posix_heap_tell(posix_tell *tell, void *to) {
    size_t used = heap.next - POSIX_HEAP_BASE;
    if (used > COPIED_BYTES_MAX)
        return false;
    heap.end = heap.next > heap.end ? heap.next : heap.end;
    tell(to, &heap.next, sizeof heap.next);
    tell(to, (void *)POSIX_HEAP_BASE, used);
    tell(to, STATES, used / 8 + 1);
    return true;
}

// What is behind the last block is zero, as in a new execution.
void posix_heap_returned(void) {
    ASSERT(heap.is_saved && heap.next <= heap.end);
    clear((char *)heap.next, heap.end - heap.next);
    clear((char *)state_at(heap.next), (heap.end - heap.next + 7) / 8);
    heap.end = heap.next;
}

// ---- Blocks ------------------------------------------------------------------------------------

static uint32_t check_of(uintptr_t block, size_t bytes) {
    return (uint32_t)((block ^ bytes * 31) * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

static void mark(uintptr_t block, size_t bytes) {
    ASSERT(block % ALIGNMENT == 0);
    // Whole words, then as much of the last one as belongs to the block: its other bytes are an
    // overflow already.
    memset(state_at(block), 8, bytes / 8);
    if (bytes % 8 != 0)
        *state_at(block + bytes) = (unsigned char)(bytes % 8);
}

// To allocate and to free a block are writes of all of it: an access that nothing orders with the
// one or the other is a race, even if it never meets a freed block in this schedule.
static void access_whole(uintptr_t block, size_t bytes, const void *caller) {
    if (posix_controls())
        sct_shadow_access(block, bytes < WATCHED_BYTES ? bytes : WATCHED_BYTES, SCT_PLAIN_WRITE,
                          caller);
}

// Through pointers: or all that allocates or frees would be a draw to scripts/lint, in the tester,
// too.
static uint32_t (*const choose_failure)(uint32_t count, const char *label) = sct_choose_weak;
static void (*const let_go)(struct sct_edge **edge) = sct_edge_release;

static bool is_freed(const void *block) {
    return *state_at((uintptr_t)block) == STATE_FREED;
}

// ---- Blocks that are used again ----------------------------------------------------------------

// Blocks of no bytes have addresses of their own, too.
static size_t size_of(size_t bytes) {
    return bytes == 0 ? 1 : (bytes + ALIGNMENT - 1) / ALIGNMENT;
}

// Whoever frees it comes before whoever gets it, as by the locks of real allocators.
static void put_away(struct header *header) {
    size_t size = size_of(header->bytes);
    if (!posix_world.options.reuses_memory || size >= SIZES || !posix_controls())
        return;
    ASSERT(header != heap.free[size]);
    ASSERT(is_freed(header + 1));
    let_go(&header->edge);
    header->next = heap.free[size];
    heap.free[size] = header;
}

// A free block for [bytes] bytes, as a new one; or NULL.
static void *take_again(size_t bytes, size_t alignment, const void *caller) {
    size_t size = size_of(bytes);
    // What is used again was aligned as usual: who asks for more gets a new block.
    struct header *header = size < SIZES && alignment == ALIGNMENT ? heap.free[size] : NULL;
    if (!header)
        return NULL;
    ASSERT(is_freed(header + 1));
    heap.free[size] = header->next;
    sct_edge_acquire(header->edge);
    uintptr_t block = (uintptr_t)(header + 1);
    // The old size may have been another one of the same class: no state of it must be left.
    memset(state_at(block), STATE_NONE, size * ALIGNMENT / 8);
    // Zero like a new one: calloc comes here, too.
    memset((void *)block, 0, bytes);
    *header = (struct header){.bytes = (uint32_t)bytes,
                              .check = check_of(block, bytes),
                              .allocated = caller,
                              .edge = header->edge};
    mark(block, bytes);
    access_whole(block, bytes, caller);
    return (void *)block;
}

// A block of zero bytes, or NULL if it is larger than the heap; a violation if it does not fit.
static void *allocate(size_t bytes, size_t alignment, const void *caller) {
    if (bytes >= POSIX_HEAP_BYTES || alignment >= POSIX_HEAP_BYTES) {
        errno = ENOMEM;
        return NULL;
    }
    // A weak choice: strategies that sample let most calls succeed. Else few programs would come
    // past their first blocks.
    if (posix_world.options.fails_malloc && posix_controls() &&
        choose_failure(2, "allocating fails")) {
        errno = ENOMEM;
        return NULL;
    }
    alignment = alignment < ALIGNMENT ? ALIGNMENT : alignment;
    void *again = take_again(bytes, alignment, caller);
    if (again)
        return again;
    // The header stands right before its block, also where a large alignment leaves a gap before
    // it: from a block it is found without a search.
    uintptr_t block = (heap.next + sizeof(struct header) + alignment - 1) & ~(alignment - 1);
    uintptr_t next = (block + bytes + REDZONE_BYTES + ALIGNMENT - 1) & ~(uintptr_t)(ALIGNMENT - 1);
    if (next > POSIX_HEAP_BASE + POSIX_HEAP_BYTES)
        posix_violate(SCT_KIND_OUT_OF_MEMORY, posix_place(caller),
                      "the program has allocated more than 1 GiB in one execution");
    // Never used again in this execution: a use after free is one whatever was allocated since, and
    // an ABA of addresses is the program's only where it makes its own lists.
    ASSERT(block >= heap.next + sizeof(struct header) && block % ALIGNMENT == 0);
    ASSERT(next >= block + bytes + REDZONE_BYTES && next % ALIGNMENT == 0);
    *((struct header *)block - 1) = (struct header){
        .bytes = (uint32_t)bytes, .check = check_of(block, bytes), .allocated = caller};
    mark(block, bytes);
    heap.next = next;
    heap.end = next > heap.end ? next : heap.end;
    access_whole(block, bytes, caller);
    return (void *)block;
}

// The header of [block]; NULL if no block begins there.
static struct header *header_of(const void *block) {
    uintptr_t address = (uintptr_t)block;
    struct header *header = (struct header *)address - 1;
    bool is_possible = address % ALIGNMENT == 0 && address > POSIX_HEAP_BASE && address < heap.next;
    // The address and the size take part: bytes that were copied from another header are none.
    return is_possible && header->check == check_of(address, header->bytes) ? header : NULL;
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
    ASSERT(posix_is_heap(block));
    struct header *header = header_of(block);
    check_block(block, header, "freed", caller);
    if (!header)
        return;
    size_t bytes = header->bytes;
    access_whole((uintptr_t)block, bytes, caller);
    if (sct_reducing() && bytes > 0) { // no atomic in it may be taken for independent of this step
        const struct sct_access access = posix_access(block, bytes, SCT_ACCESS_WRITE);
        sct_touch(&access);
    }
    if (posix_controls()) {
        // To destroy a mutex that is locked is undefined (POSIX); who has still to unlock this one
        // would do so in freed memory.
        const char *held = posix_lock_held_in((uintptr_t)block, bytes);
        if (held)
            posix_violate(SCT_KIND_PROGRAM_ERROR, posix_place(caller),
                          "a block of %zu bytes is freed while another thread holds '%s' in it",
                          bytes, held);
        posix_objects_forget((uintptr_t)block, bytes);
    }
    ASSERT(heap.next >= (uintptr_t)block + bytes);
    header->freed = caller;
    // A block of no bytes has a word, too: without one a second free of it would go unseen.
    memset(state_at((uintptr_t)block), STATE_FREED, (bytes + 7) / 8 + (bytes == 0));
    put_away(header);
}

static void *reallocate(void *block, size_t bytes, const void *caller) {
    ASSERT(posix_is_heap(block));
    const struct header *header = header_of(block);
    check_block(block, header, "reallocated", caller);
    void *copy = header ? allocate(bytes, ALIGNMENT, caller) : NULL;
    if (!copy)
        return NULL;
    // Always to another place, also to shrink: who keeps a pointer to the old one uses it after
    // free, as it may be with any allocator.
    ASSERT(copy != block);
    memcpy(copy, block, bytes < header->bytes ? bytes : header->bytes);
    release(block, caller);
    return copy;
}

// ---- Leaks -------------------------------------------------------------------------------------

// Conservative, as of Boehm and Weiser (1988): any word that could be a pointer into a block keeps
// it, one to its inside too. A number that looks like an address hides a leak; an address that a
// program hides (in packed structures, xor-ed with another) is not found.
struct blocks {
    struct header **list; // in the order of addresses
    uint32_t count, room;
    uint32_t *found, found_count; // those that pointers lead to, to be looked through
};

static void list_blocks(struct blocks *blocks) {
    // Blocks stand one behind the other, but for alignment: each place that may begin one is tried.
    ASSERT(blocks->count == 0 && posix_world.in_tool > 0);
    for (uintptr_t at = POSIX_HEAP_BASE + sizeof(struct header); at < heap.next; at += ALIGNMENT) {
        struct header *header = header_of((void *)at);
        if (!header || is_freed((void *)at))
            continue;
        GROW(blocks->list, blocks->count + 1, blocks->room, "blocks");
        blocks->list[blocks->count++] = header;
        // Over its own bytes, which are the program's: what looks like a header in them is none.
        at += header->bytes / ALIGNMENT * ALIGNMENT;
    }
    blocks->found = grow_new(blocks->count + 1, sizeof *blocks->found, "blocks");
}

// The block that [address] is in, unless it was found before, is found.
static void find_block(struct blocks *blocks, uintptr_t address) {
    uint32_t low = 0, high = blocks->count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if ((uintptr_t)(blocks->list[middle] + 1) <= address)
            low = middle + 1;
        else
            high = middle;
    }
    struct header *header = low > 0 ? blocks->list[low - 1] : NULL;
    // Just behind its last byte is inside, too: so points who has gone through an array to its end.
    if (!header || address - (uintptr_t)(header + 1) > header->bytes || header->padding)
        return;
    ASSERT(blocks->found_count < blocks->count);
    header->padding = 1; // it was found
    blocks->found[blocks->found_count++] = low - 1;
}

static void look_through(void *context, const void *memory, size_t bytes) {
    struct blocks *blocks = context;
    // At multiples of 8 alone, where compilers put pointers but in packed structures.
    uintptr_t first = ((uintptr_t)memory + 7) & ~(uintptr_t)7, end = (uintptr_t)memory + bytes;
    for (uintptr_t at = first; at + sizeof(uintptr_t) <= end; at += sizeof(uintptr_t)) {
        uintptr_t word;
        memcpy(&word, (const void *)at, sizeof word);
        if (posix_is_heap((const void *)word))
            find_block(blocks, word);
    }
}

// From the program's variables and threads, and from what constructors have made.
static void find_all(struct blocks *blocks) {
    posix_roots_visit(look_through, blocks);
    look_through(blocks, (void *)POSIX_HEAP_BASE, heap.first - POSIX_HEAP_BASE);
    // The list grows while it is gone through: so all blocks are looked through that are led to.
    for (uint32_t i = 0; i < blocks->found_count; i++) {
        const struct header *header = blocks->list[blocks->found[i]];
        look_through(blocks, header + 1, header->bytes);
    }
}

void posix_heap_find_leaks(void) {
    struct blocks blocks = {.count = 0};
    posix_enter_tool();
    list_blocks(&blocks);
    find_all(&blocks);
    uint32_t count = 0;
    size_t bytes = 0;
    const void *allocated = NULL;
    // Backwards: the place that is left at the end is that of the first. Constructors' blocks are
    // no leak of an execution, which did not ask for them.
    for (uint32_t i = blocks.count; i-- > 0;) {
        const struct header *header = blocks.list[i];
        bool is_lost = !header->padding && (uintptr_t)header >= heap.first &&
                       !posix_is_suppressed(POSIX_KIND_LEAK, header->allocated);
        count += is_lost;
        bytes += is_lost ? header->bytes : 0;
        allocated = is_lost ? header->allocated : allocated;
    }
    free(blocks.list);
    free(blocks.found);
    posix_leave_tool();
    if (count > 0)
        posix_violate(POSIX_KIND_LEAK, NULL,
                      "%zu byte%s in %u block%s that no pointer leads to at the end; the first was "
                      "allocated at %s",
                      bytes, bytes == 1 ? "" : "s", count, count == 1 ? "" : "s",
                      posix_place(allocated));
}

// ---- Accesses ----------------------------------------------------------------------------------

// The header of the block that [address] is in or behind; NULL if there is none before it.
static const struct header *header_before(uintptr_t address) {
    uintptr_t block = address & ~(uintptr_t)(ALIGNMENT - 1);
    ASSERT(posix_is_heap((const void *)address));
    // As many tries as the block has units of 16 bytes: only messages ask.
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
    ASSERT((uintptr_t)(header + 1) <= (uintptr_t)address);
    uintptr_t offset = (uintptr_t)address - (uintptr_t)(header + 1);
    text_add(text, "at offset %zu of a block of %u bytes allocated at %s", (size_t)offset,
             header->bytes, posix_place(header->allocated));
    if (header->freed)
        text_add(text, " and freed at %s", posix_place(header->freed));
}

__attribute__((noinline, cold)) static void
report_access(uintptr_t address, size_t bytes, enum sct_access_kind kind, const void *caller) {
    char buffer[512];
    struct text text = text_in(buffer, sizeof buffer);
    // At its first byte: an access that begins in a block and leaves it is an overflow, whatever
    // stands behind.
    bool is_free = *state_at(address) == STATE_FREED;
    ASSERT(bytes > 0);
    posix_heap_describe((const void *)address, &text);
    const char *finding = is_free ? POSIX_KIND_USE_AFTER_FREE : POSIX_KIND_HEAP_OVERFLOW;
    if (posix_is_suppressed(finding, caller))
        return;
    posix_violate(finding, posix_place(caller), "%s of %zu byte%s %s", sct_access_kind_name(kind),
                  bytes, bytes == 1 ? "" : "s", buffer);
}

void posix_heap_check(const void *start, size_t bytes, enum sct_access_kind kind,
                      const void *caller) {
    uintptr_t address = (uintptr_t)start, end = address + bytes;
    while (address < end) {
        uintptr_t word_end = (address | 7) + 1;
        // How many bytes of its word, counted from the word's begin, the access needs: a block
        // fills words from their begin, so one number per word says enough.
        unsigned needed = (unsigned)((end < word_end ? end : word_end) - 1 - (address & ~7ULL)) + 1;
        unsigned char state = *state_at(address);
        if (__builtin_expect(state == STATE_FREED || state < needed, 0)) {
            report_access((uintptr_t)start, bytes, kind, caller);
            return;
        }
        address = word_end;
    }
}

// ---- Hooks -------------------------------------------------------------------------------------

// Whether the call is the program's own: not of the C library's for itself, nor of the tester's.
// By the return address: libc's fopen or qsort call the same malloc, at times that depend on what
// the process has done before, and their blocks must not move the program's.
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
    // A product that overflows is the C library's to refuse, with its errno.
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

// By the address, not by the caller: a block may be freed by another library than that which has
// asked for it (getline, strdup, asprintf).
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
    // Another allocator's block stays there, whoever asks for more: it knows how long it is.
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
    // What was asked for: the bytes behind it, which another allocator would leave to the program,
    // are an overflow here.
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
