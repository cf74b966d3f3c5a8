#include "core/memory/shadow.h"
#include "core/base/reserve.h"
#include "core/memory/state.h"

enum { CELL_BYTES = 8 };

// ---- Accesses as words -------------------------------------------------------------------------

// From the lowest bit: the bytes of the cell, the kind, the thread, the epoch (never 0).
enum { KIND_SHIFT = 8, THREAD_SHIFT = 16, EPOCH_SHIFT = 32 };
_Static_assert(SCT_PLAIN_WRITE == 1 && SCT_ATOMIC_READ == 2,
               "a kind is a bit to write, one to be atomic");
_Static_assert(CELL_BYTES == 8, "a cell has a bit for each of its bytes");

#define BYTES_BITS UINT64_C(0xff)
#define WRITE_BIT ((uint64_t)SCT_PLAIN_WRITE << KIND_SHIFT)
#define ATOMIC_BIT ((uint64_t)SCT_ATOMIC_READ << KIND_SHIFT)

static inline uint32_t thread_of(uint64_t access) {
    return (uint32_t)(access >> THREAD_SHIFT) & 0xffff;
}

static inline uint32_t epoch_of(uint64_t access) {
    return (uint32_t)(access >> EPOCH_SHIFT);
}

static inline enum sct_access_kind kind_of(uint64_t access) {
    return (enum sct_access_kind)(access >> KIND_SHIFT & 3);
}

static inline uint64_t access_word(const struct sct_party *party, uint8_t bytes,
                                   enum sct_access_kind kind) {
    return (uint64_t)sct_party_epoch(party) << EPOCH_SHIFT |
           (uint64_t)party->number << THREAD_SHIFT | (uint64_t)kind << KIND_SHIFT | bytes;
}

// Whether the two would race if nothing orders them.
// (Two atomic accesses do not, whatever they do; one of them and a plain one do.)
static inline bool conflict(uint64_t old, uint64_t new) {
    return (old & new &BYTES_BITS) && ((old | new) & WRITE_BIT) && !(old & new &ATOMIC_BIT);
}

// Whether everything that races with [old] and comes after [new] races with [new] as well, given
// that [old] happens before it.
static inline bool covers(uint64_t new, uint64_t old) {
    return ((old & ~new &(BYTES_BITS | WRITE_BIT)) | (new & ~old &ATOMIC_BIT)) == 0;
}

// ---- Races -------------------------------------------------------------------------------------

// What is accessed, for the report.
struct target {
    const char *name;  // or
    uintptr_t address; // of the cell's first byte
};

static struct sct_race_side side_of(const struct sct_memory_moment *now, uint64_t access,
                                    const void *place) {
    uint32_t thread = thread_of(access);
    ASSERT(thread < now->party_count);
    const struct sct_party *party = sct_party_at(now, thread, epoch_of(access));
    return (struct sct_race_side){thread, party->name, kind_of(access), place};
}

__attribute__((noinline, cold)) static void report(struct sct_memory_state *memory,
                                                   const struct sct_cell *cell, unsigned slot,
                                                   uint64_t new, const void *place,
                                                   const struct target *target) {
    const struct sct_memory_moment *now = memory->now;
    uint64_t old = cell->accesses[slot], both = old & new &BYTES_BITS;
    ASSERT(both != 0 && thread_of(old) != thread_of(new));
    struct sct_race race = {
        .earlier = side_of(now, old, cell->places[slot]),
        .later = side_of(now, new, place),
        .name = target->name,
        .address = target->address ? target->address + (unsigned)__builtin_ctzll(both) : 0,
        .bytes = sct_count_bits(both),
        .earlier_has_released = sct_party_epoch(now->parties[thread_of(old)]) > epoch_of(old),
    };
    sct_race_found(memory, &race);
}

// ---- Cells -------------------------------------------------------------------------------------

// Looks for races of [new] in [cell]; returns the slot where it belongs, or SCT_SLOTS if it is
// there already.
static inline unsigned check(struct sct_memory_state *memory, const struct sct_clock *known,
                             const struct sct_cell *cell, uint64_t new, const void *place,
                             const struct target *target) {
    unsigned best = SCT_SLOTS;
    // One word compares thread, epoch, kind and bytes at once: a loop that accesses the same again
    // and again between two releases ends here at the first comparison. Slots fill up in turn and
    // are never emptied between: the first empty one ends the list.
    for (unsigned i = 0; i < SCT_SLOTS; i++) {
        uint64_t old = cell->accesses[i];
        if (old == new)
            return SCT_SLOTS;
        if (old == 0)
            return best < SCT_SLOTS ? best : i;
        // Most are neither: accesses of atomics to one another, of others that read.
        bool may_race = conflict(old, new), is_covered = covers(new, old);
        if (!may_race && !is_covered)
            continue;
        bool is_before = sct_clock_has(known, thread_of(old), epoch_of(old));
        if (!is_before && may_race)
            report(memory, cell, i, new, place, target);
        // Not needed any more: whatever will race with it will race with the new one.
        if (is_before && is_covered)
            best = i;
    }
    // In turn, and from the beginning in each execution: the same one always finds the same races.
    return best < SCT_SLOTS ? best : memory->now->turn++ % SCT_SLOTS;
}

// Same thread, kind and bytes: they differ in the epoch alone.
static inline bool is_again(uint64_t old, uint64_t new) {
    return (uint32_t)(old ^ new) == 0;
}

static inline bool has_plain(const struct sct_cell *cell) {
    for (unsigned i = 0; i < SCT_SLOTS && cell->accesses[i] != 0; i++)
        if (!(cell->accesses[i] & ATOMIC_BIT))
            return true;
    return false;
}

// The slot of the same access in an earlier epoch, in a cell of atomic accesses alone (it is
// covered: what a thread did before happens before what it does); else SCT_SLOTS. All slots are
// looked at, for which one it is nobody could foretell, least of all the processor.
static inline unsigned slot_before(const struct sct_cell *cell, uint64_t new) {
    unsigned own = 0;
    for (unsigned i = 0; i < SCT_SLOTS; i++)
        own |= (unsigned)is_again(cell->accesses[i], new) << i;
    return own ? 31 - (unsigned)__builtin_clz(own) : SCT_SLOTS;
}

// Atomic accesses do not race with one another: where all of [cell] are, the slot where [new], one
// more that was not there before, belongs, as in check.
static unsigned slot_of_atomic(struct sct_memory_state *memory, const struct sct_clock *known,
                               const struct sct_cell *cell, uint64_t new) {
    const uint64_t *olds = cell->accesses;
    unsigned best, covered = 0, empty = 0; // bits of slots
    for (unsigned i = 0; i < SCT_SLOTS; i++) {
        covered |= (unsigned)covers(new, olds[i]) << i;
        empty |= (unsigned)(olds[i] == 0) << i;
    }
    for (covered &= ~empty; covered; covered &= ~(1U << best)) {
        best = 31 - (unsigned)__builtin_clz(covered);
        if (sct_clock_has(known, thread_of(olds[best]), epoch_of(olds[best])))
            return best;
    }
    return empty ? (unsigned)__builtin_ctz(empty) : memory->now->turn++ % SCT_SLOTS;
}

enum { CELLS = 32 }; // room for those that are kept, at first

// In the arena: a snapshot has the list of what was touched until then.
static void keep_cell(struct sct_memory_moment *now, struct sct_cell *cell) {
    if (now->cell_count == now->cell_capacity) {
        uint32_t capacity = now->cell_capacity ? 2 * now->cell_capacity : CELLS;
        struct sct_cell **cells = ARENA_ARRAY(now->arena, struct sct_cell *, capacity);
        if (now->cell_count > 0)
            memcpy(cells, now->cells, now->cell_count * sizeof *cells);
        now->cells = cells;
        now->cell_capacity = capacity;
    }
    now->cells[now->cell_count++] = cell;
}

__attribute__((noinline)) static void enter_cell(struct sct_memory_state *memory,
                                                 const struct sct_party *party,
                                                 struct sct_cell *cell, uint64_t new,
                                                 const void *place, const struct target *target) {
    uint64_t had_plain = cell->stamp ^ memory->now->stamp, is_plain = !(new &ATOMIC_BIT);
    if (had_plain > SCT_PLAIN_STAMP) {
        if (__builtin_expect(memory->keeps_cells, 0))
            keep_cell(memory->now, cell);
        *cell = (struct sct_cell){.stamp = memory->now->stamp | is_plain};
        cell->accesses[0] = new;
        cell->places[0] = place;
        return;
    }
    const struct sct_clock *known = &party->view.known;
    unsigned slot;
    if (is_plain || (had_plain && has_plain(cell))) {
        slot = check(memory, known, cell, new, place, target);
    } else {
        slot = had_plain ? slot_before(cell, new) : SCT_SLOTS; // else looked for by access_cell
        slot = slot == SCT_SLOTS ? slot_of_atomic(memory, known, cell, new) : slot;
    }
    if (slot == SCT_SLOTS)
        return;
    cell->stamp |= is_plain;
    cell->accesses[slot] = new;
    cell->places[slot] = place;
}

static inline void access_cell(struct sct_memory_state *memory, const struct sct_party *party,
                               struct sct_cell *cell, uint64_t new, const void *place,
                               const struct target *target) {
    // Mostly it is one more of the same, with nothing to look for.
    if ((new &ATOMIC_BIT) && cell->stamp == memory->now->stamp) {
        unsigned slot = slot_before(cell, new);
        if (slot < SCT_SLOTS) {
            cell->accesses[slot] = new;
            cell->places[slot] = place;
            return;
        }
    }
    enter_cell(memory, party, cell, new, place, target);
}

// In setup and at the end one thread does everything, and nothing can race.
static inline bool is_watching(const struct sct_memory_state *memory) {
    return memory && memory->options.races != SCT_RACES_OFF && !sct_memory_is_over();
}

struct sct_cell *sct_cell_new(void) {
    return ARENA_NEW(sct_arena(), struct sct_cell);
}

void sct_cell_access(struct sct_cell *cell, enum sct_access_kind kind, const void *place,
                     const char *name) {
    struct sct_memory_state *memory = sct_memory_state();
    if (!is_watching(memory))
        return;
    const struct target target = {.name = name};
    ASSERT(cell && name);
    const struct sct_party *party = sct_party_now(memory);
    uint64_t new = access_word(party, (uint8_t)BYTES_BITS, kind);
    access_cell(memory, party, cell, new, place, &target);
}

// ---- Regions -----------------------------------------------------------------------------------

static size_t cells_bytes(size_t bytes) {
    return (bytes + CELL_BYTES - 1) / CELL_BYTES * sizeof(struct sct_cell);
}

void sct_region_unmap(const struct sct_region *region) {
    ASSERT(region->cells);
    reserve_free(region->cells, cells_bytes(region->bytes));
}

void sct_shadow_add(struct sct_memory *base, uintptr_t address, size_t bytes) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    ASSERT(memory->region_count < SCT_REGIONS_MAX);
    uintptr_t low = address & ~(uintptr_t)(CELL_BYTES - 1);
    bytes += address - low;
    void *cells = reserve_new(cells_bytes(bytes), false, "shadow memory");
    uint32_t i = memory->region_count++;
    // In ascending order, for the search by halves.
    for (; i > 0 && memory->regions[i - 1].base > low; i--)
        memory->regions[i] = memory->regions[i - 1];
    ASSERT(i == 0 || memory->regions[i - 1].base + memory->regions[i - 1].bytes <= low);
    ASSERT(i + 1 == memory->region_count || low + bytes <= memory->regions[i + 1].base);
    memory->regions[i] = (struct sct_region){low, bytes, cells};
    memory->last_region = NULL;
}

static inline bool is_in(const struct sct_region *region, uintptr_t address) {
    return address - region->base < region->bytes;
}

// The region of [address], or NULL.
static inline const struct sct_region *find_region(struct sct_memory_state *memory,
                                                   uintptr_t address) {
    // Mostly the same one as last time: a loop goes through one array, a thread over its stack.
    if (memory->last_region && is_in(memory->last_region, address))
        return memory->last_region;
    uint32_t low = 0, high = memory->region_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (memory->regions[middle].base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || !is_in(&memory->regions[low - 1], address))
        return NULL;
    return memory->last_region = &memory->regions[low - 1];
}

static inline struct sct_cell *cell_at(const struct sct_region *region, uintptr_t address) {
    ASSERT(is_in(region, address));
    return &region->cells[(address - region->base) / CELL_BYTES];
}

// The bits of [bytes] bytes from [address] on, as far as its cell reaches.
static inline uint8_t mask_of(uintptr_t address, size_t bytes) {
    unsigned first = address % CELL_BYTES;
    unsigned count = bytes < CELL_BYTES - first ? (unsigned)bytes : CELL_BYTES - first;
    return (uint8_t)(((1U << count) - 1) << first);
}

// [region] is that of the first byte, or NULL.
__attribute__((noinline)) static void access_cells(struct sct_memory_state *memory,
                                                   const struct sct_party *party,
                                                   const struct sct_region *region,
                                                   uintptr_t address, size_t bytes,
                                                   enum sct_access_kind kind, const void *place) {
    // Ranges without shadow are passed over: files, memory of libraries, what nobody shares.
    uintptr_t end = address + bytes;
    while (region && address < end) {
        uintptr_t low = address & ~(uintptr_t)(CELL_BYTES - 1);
        const struct target target = {.address = low};
        uint64_t new = access_word(party, mask_of(address, end - address), kind);
        access_cell(memory, party, cell_at(region, address), new, place, &target);
        address = low + CELL_BYTES;
        if (address < end && !is_in(region, address))
            region = find_region(memory, address);
    }
}

void sct_shadow_access(uintptr_t address, size_t bytes, enum sct_access_kind kind,
                       const void *place) {
    struct sct_memory_state *memory = sct_memory_state();
    if (!is_watching(memory))
        return;
    const struct sct_region *region = find_region(memory, address);
    const struct sct_party *party = sct_party_now(memory);
    uintptr_t first = address & (CELL_BYTES - 1);
    if (__builtin_expect(!region || bytes - 1 > CELL_BYTES - 1 - first, 0)) {
        access_cells(memory, party, region, address, bytes, kind, place);
        return;
    }
    // Mostly it lies within one cell.
    uint64_t new = access_word(party, (uint8_t)(BYTES_BITS >> (CELL_BYTES - bytes) << first), kind);
    const struct target target = {.address = address - first};
    access_cell(memory, party, cell_at(region, address), new, place, &target);
}

// ---- Snapshots ---------------------------------------------------------------------------------

void sct_memory_keep_cells(struct sct_memory *base) {
    ((struct sct_memory_state *)base)->keeps_cells = true;
}

void sct_memory_visit_cells(const struct sct_memory *base,
                            void (*tell)(void *to, void *cell, size_t bytes), void *to) {
    const struct sct_memory_moment *now = ((const struct sct_memory_state *)base)->now;
    ASSERT(now->cell_count <= now->cell_capacity);
    for (uint32_t i = 0; i < now->cell_count; i++)
        tell(to, now->cells[i], sizeof *now->cells[i]);
}

// What was touched later, or by other executions, has another stamp than these from now on.
void sct_memory_returned(struct sct_memory *base) {
    struct sct_memory_state *memory = (struct sct_memory_state *)base;
    struct sct_memory_moment *now = memory->now;
    now->stamp = memory->stamps += 2;
    for (uint32_t i = 0; i < now->cell_count; i++)
        now->cells[i]->stamp = now->stamp | (now->cells[i]->stamp & SCT_PLAIN_STAMP);
}

// ---- What is forgotten -------------------------------------------------------------------------

// A cell that is shared with neighbours keeps what it has of them.
static void forget_bytes(struct sct_cell *cell, uint8_t mask) {
    ASSERT(mask != 0);
    unsigned kept = 0; // what is kept closes up: an empty slot ends the search for races
    for (unsigned i = 0; i < SCT_SLOTS; i++) {
        uint64_t access = cell->accesses[i] & ~(uint64_t)mask;
        const void *place = cell->places[i];
        cell->accesses[i] = 0;
        if (!(access & BYTES_BITS))
            continue;
        cell->accesses[kept] = access;
        cell->places[kept++] = place;
    }
}

void sct_shadow_forget(uintptr_t address, size_t bytes) {
    struct sct_memory_state *memory = sct_memory_state();
    uintptr_t end = address + bytes;
    ASSERT(end >= address);
    // What was forgotten before in this execution, or never touched in it, has another stamp or
    // none.
    while (address < end) {
        const struct sct_region *region = find_region(memory, address);
        if (!region)
            return;
        struct sct_cell *cell = cell_at(region, address);
        if ((cell->stamp ^ memory->now->stamp) <= SCT_PLAIN_STAMP)
            forget_bytes(cell, mask_of(address, end - address));
        address = (address & ~(uintptr_t)(CELL_BYTES - 1)) + CELL_BYTES;
    }
}
