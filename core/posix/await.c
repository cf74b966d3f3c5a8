#include "core/posix/await.h"
#include "core/engine/inside.h"
#include "core/base/hash.h"
#include "core/posix/exit.h"
#include "core/posix/moment.h"
#include "core/posix/places.h"
#include "core/posix/registers.h"
#include "core/posix/thread.h"
#include "core/posix/variable.h"

#include <string.h>

// One for all threads: a hook with registers fills it and its own inner function reads it at once,
// before anybody else can run.
uintptr_t posix_registers[POSIX_REGISTERS];

// LOOKS_MAX: a loop that reads more variables than that in a round is never seen as closed, and
// just goes round. STACK_MAX: what lies further up belongs to callers, which do not run meanwhile;
// it changes through pointers only, and that is seen (posix_look_write).
enum { STACK_POINTER = POSIX_REGISTERS - 1, LOOKS_MAX = 16, STACK_MAX = 16 * 1024 };

// What was read, and how one came by.
struct looked {
    uint64_t key;
    const struct sct_location *location; // NULL: of a volatile variable
    const void *address;
    unsigned bytes;
    enum posix_look_kind kind;
    uint64_t value, time; // of the store; of a read-modify-write its own
};

// What a thread has looked at since it has changed something.
struct posix_loop {
    uint32_t count;
    uint32_t steps; // of the thread, when it looked last
    uint32_t head;  // where the loop begins that is closed
    uint32_t rounds;
    bool is_closed;
    const char *stack_top; // of its thread
    const char
        *low; // the lowest stack pointer of its looks: what each key has of the stack begins there
    struct looked looks[LOOKS_MAX];
    struct sct_queue queue; // of the thread itself, while it waits
    struct posix_loop *next_waiting;
};

struct posix_loop *posix_waiting;

void posix_awaits_begin(void) {
    ASSERT(posix_world.in_tool > 0);
    // Those of the execution before were in its arena; who waited there is not told.
    posix_waiting = NULL;
}

void posix_awaits_tell(posix_tell *tell, void *to) {
    tell(to, &posix_waiting, sizeof posix_waiting);
}

// ---- The thread's state ------------------------------------------------------------------------

// Both halves of a product of 128 bits: each bit of either factor reaches all of the result.
static inline uint64_t fold(uint64_t one, uint64_t other) {
    __extension__ unsigned __int128 product = (unsigned __int128)one * other;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// A hash of [count] words, in two lanes that do not wait for each other's products (after wyhash,
// Wang Yi). hash_bytes asks first how long its data are, which costs more than these few words.
static inline uint64_t hash_words(const uint64_t *words, size_t count, uint64_t seed) {
    const uint64_t first = UINT64_C(0xa0761d6478bd642f), second = UINT64_C(0xe7037ed1a0b428db);
    uint64_t one = seed, other = ~seed;
    for (; count >= 4; words += 4, count -= 4) {
        one = fold(words[0] ^ first, words[1] ^ one);
        other = fold(words[2] ^ second, words[3] ^ other);
    }
    for (; count > 0; words++, count--)
        one = fold(words[0] ^ first, one ^ second);
    return fold(one ^ second, other ^ first);
}

// All that is the thread's own where it stands: by the same way it will come here again. Two states
// with one key are as unlikely as a collision of 64 bits; that would make a thread wait that has
// something to do, until POSIX_ROUNDS_MAX. Never 0, which is none yet.
static uint64_t state_key(const struct posix_look *look, const uintptr_t *registers) {
    // Of the registers those that survive calls are enough: by the calling convention compiled code
    // relies on no others behind one.
    const uint64_t *low = (const uint64_t *)registers[STACK_POINTER];
    size_t bytes = (size_t)(look->loop->stack_top - (const char *)low);
    uint64_t seed = fold((uintptr_t)look->address ^ UINT64_C(0xc4ceb9fe1a85ec53),
                         (uintptr_t)look->caller ^ UINT64_C(0xff51afd7ed558ccd));
    uint64_t hash = hash_words(registers, POSIX_REGISTERS, seed);
    return hash_words(low, (bytes < STACK_MAX ? bytes : STACK_MAX) / sizeof *low, hash) | 1;
}
_Static_assert(sizeof(uintptr_t) == sizeof(uint64_t), "a register is a word");

static void forget(struct posix_loop *loop) {
    loop->count = 0;
    loop->rounds = 0;
    loop->is_closed = false;
}

static struct posix_loop *loop_of(struct posix_thread *self) {
    if (!self->loop) {
        self->loop = ARENA_NEW(sct_arena(), struct posix_loop);
        self->loop->stack_top = self->stack_top;
    }
    return self->loop;
}

void posix_look_write(const void *address) {
    const struct posix_thread *self = posix_self();
    const char *low = (const char *)address;
    if (!self->loop || self->loop->count == 0)
        return;
    // What lies on its stack is in the keys, if not too far up: a loop may count there, and is then
    // never where it was. (Below a look's stack pointer are frames that are no more when it is
    // made.)
    const char *here = __builtin_frame_address(0);
    bool is_state = low >= here && low < self->stack_top && low - self->loop->low < STACK_MAX;
    if (!is_state)
        forget(self->loop);
}

// A step that is nothing for a loop (a yield in it) must not look like one that came between.
void posix_look_pass(void) {
    struct posix_loop *loop = posix_self()->loop;
    // Only right behind a look: if another step has come between, the next look forgets the loop,
    // and should.
    if (loop && loop->steps + 1 == sct_steps())
        loop->steps++;
}

// ---- Variables ---------------------------------------------------------------------------------

uint64_t posix_value_at(const void *address, unsigned bytes) {
    switch (bytes) {
    case 1:
        return *(const volatile uint8_t *)address;
    case 2:
        return *(const volatile uint16_t *)address;
    case 4:
        return *(const volatile uint32_t *)address;
    case 8:
        return *(const volatile uint64_t *)address;
    // Of 16 bytes, which only volatile variables have here: a number that tells their values apart.
    default:
        return hash_bytes(address, bytes);
    }
}

// Whether there is something to see that was not seen then.
// Under c11 another store of the same value counts: it may be read with another view. Of a
// read-modify-write that leaves the value it does not (await.h), nor of a volatile variable, which
// has no stores but memory.
static bool has_changed(const struct looked *looked) {
    ASSERT(looked->key != 0);
    uint64_t value = posix_value_at(looked->address, looked->bytes);
    if (value != looked->value || looked->kind == POSIX_LOOK_SPURIOUS)
        return true;
    return looked->location && looked->kind == POSIX_LOOK_READ &&
           sct_location_newest_time(looked->location) != looked->time;
}

// The same, of any from [first] on.
static bool has_any_changed(const struct posix_loop *loop, uint32_t first) {
    ASSERT(first <= loop->count && loop->count <= LOOKS_MAX);
    for (uint32_t i = first; i < loop->count; i++)
        if (has_changed(&loop->looks[i]))
            return true;
    return false;
}

// Whether the change is one that [looked] waits for. A volatile variable is about to change.
static bool is_for(const struct looked *looked, const void *address, unsigned bytes) {
    uintptr_t low = (uintptr_t)looked->address, other = (uintptr_t)address;
    bool overlaps = low < other + bytes && other < low + looked->bytes;
    return overlaps && (!looked->location || has_changed(looked));
}

// Granted, not woken: the change may be undone before the thread is chosen, and then what it reads
// is what it has read before. It has taken a round more, and waits again.
void posix_look_tell(const void *address, unsigned bytes) {
    ASSERT(bytes > 0);
    for (struct posix_loop *loop = posix_waiting; loop; loop = loop->next_waiting)
        for (uint32_t i = loop->head; i < loop->count; i++)
            if (is_for(&loop->looks[i], address, bytes))
                sct_queue_grant(&loop->queue, true);
}

// ---- Looks -------------------------------------------------------------------------------------

// Which of the loop's looks [look] is once more, which has its key.
static void find_round(struct posix_look *look) {
    struct posix_loop *loop = look->loop;
    ASSERT(look->round == 0);
    while (look->round < loop->count && loop->looks[look->round].key != look->key)
        look->round++;
    look->round = look->round < loop->count ? look->round + 1 : 0;
    // The loop begins where it was entered again; as long as it stays in it, looks behind the head
    // are of the same round.
    if (look->round > 0 && (!loop->is_closed || look->round <= loop->head))
        loop->head = look->round - 1;
    loop->is_closed = look->round > 0;
    ASSERT(!loop->is_closed || loop->head < look->round);
}

// Four at a time: a call of memcpy costs more.
static inline void keep_registers(struct posix_look *look) {
    _Static_assert(POSIX_REGISTERS % 4 == 0, "they are copied four by four");
    for (unsigned i = 0; i < POSIX_REGISTERS; i += 4)
        memcpy(&look->registers[i], &posix_registers[i], 4 * sizeof look->registers[i]);
}

void posix_look_begin(struct posix_look *look, const void *address, unsigned bytes,
                      const void *caller, bool changes) {
    look->address = address;
    look->caller = caller;
    look->bytes = bytes;
    look->key = 0;
    look->round = 0;
    look->loop = NULL;
    if (!posix_world.options.awaits)
        return;
    struct posix_loop *loop = look->loop = loop_of(posix_self());
    // A step since the last look that has neither looked nor passed is a change.
    if (loop->steps != sct_steps())
        forget(loop);
    const char *low = (const char *)posix_registers[STACK_POINTER];
    loop->low = loop->count > 0 && loop->low < low ? loop->low : low;
    // The first of a loop is none of those before it. What changes the value is none at all, so its
    // key is made when it has not.
    if (changes && loop->count == 0) {
        loop->is_closed = false;
        keep_registers(look);
        return;
    }
    look->key = state_key(look, posix_registers);
    find_round(look);
}

static void wait_for_change(struct posix_loop *loop, const struct posix_look *look,
                            const char *label, const struct sct_access *access) {
    struct posix_loop **link = &posix_waiting;
    const struct sct_awaited step = {
        .label = label,
        .waits_for = posix_variable_step("a store to", look->address),
        .where = look->where,
        .access = *access,
    };
    ASSERT(loop->is_closed && loop->head < loop->count);
    sct_queue_init(&loop->queue);
    loop->next_waiting = posix_waiting;
    posix_waiting = loop;
    // Enabled at once if something has changed since this round looked at it: nobody will tell of
    // that change again.
    bool has_come =
        sct_await(&loop->queue, &step, SCT_WAIT_IDLE, has_any_changed(loop, loop->head));
    // Others may have begun or ceased to wait meanwhile: it is no more the first.
    while (*link != loop) {
        ASSERT(*link);
        link = &(*link)->next_waiting;
    }
    *link = loop->next_waiting;
    // Not granted, it was chosen because nothing else could run (SCT_WAIT_IDLE): a round that no
    // change has called for.
    loop->rounds = has_come ? 0 : loop->rounds + 1;
    if (loop->rounds >= POSIX_ROUNDS_MAX)
        posix_violate(SCT_KIND_LIVELOCK, step.where, "a loop waits for ever for %s",
                      step.waits_for);
}

void posix_look_again(struct posix_look *look, const char *label, enum sct_access_mode mode) {
    const struct sct_access access = posix_access(look->address, look->bytes, mode);
    struct posix_loop *loop = look->loop;
    ASSERT(look->round > 0 && look->round <= loop->count);
    // Only at its head: a wait in the middle would be for variables of which some are still to be
    // read in this round.
    if (look->round - 1 == loop->head)
        wait_for_change(loop, look, label, &access);
    else
        sct_point(label, look->where, &access);
    // A step that ends a wait depends on the stores to all that it has waited for, not only to what
    // it reads itself.
    for (uint32_t i = loop->head; i < loop->count && sct_reducing(); i++) {
        const struct looked *other = &loop->looks[i];
        const struct sct_access read = posix_access(other->address, other->bytes, SCT_ACCESS_READ);
        if (i != look->round - 1)
            sct_touch(&read);
    }
}

void posix_look_limit_again(const struct posix_look *look) {
    const struct posix_loop *loop = look->loop;
    ASSERT(look->round > 0 && look->round <= loop->count);
    const struct looked *looked = &loop->looks[look->round - 1];
    // If another one has changed too the round may read this one as before: it is another round.
    if (!has_changed(looked) || has_any_changed(loop, look->round))
        return;
    if (looked->kind == POSIX_LOOK_UPDATE)
        sct_location_pass_value(looked->value);
    else if (looked->kind == POSIX_LOOK_READ)
        sct_location_pass(looked->time);
}

static bool is_same(const struct looked *before, const struct looked *now) {
    return before->value == now->value && before->kind == now->kind &&
           (now->kind == POSIX_LOOK_UPDATE || before->time == now->time);
}

void posix_look_end(const struct posix_look *look, const struct sct_location *location,
                    uint64_t value, enum posix_look_kind kind) {
    struct posix_loop *loop = look->loop;
    if (!loop)
        return;
    const struct looked now = {
        .key = look->key ? look->key : state_key(look, look->registers),
        .location = location,
        .address = look->address,
        .bytes = look->bytes,
        .kind = kind,
        .value = value,
        .time = location ? sct_location_last_time() : 0,
    };
    ASSERT(look->round <= loop->count);
    loop->steps = sct_steps();
    if (look->round > 0 && is_same(&loop->looks[look->round - 1], &now)) {
        loop->looks[look->round - 1] = now;
        return;
    }
    // Something else than in the round before: that round is over, and this look is the first of
    // another one. So it is where there is no room for one more.
    if (look->round > 0 || loop->count == LOOKS_MAX)
        forget(loop);
    ASSERT(loop->count < LOOKS_MAX);
    loop->looks[loop->count++] = now;
}
