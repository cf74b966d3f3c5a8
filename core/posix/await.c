#include "core/posix/await.h"
#include "core/engine/inside.h"
#include "core/base/hash.h"
#include "core/posix/exit.h"
#include "core/posix/places.h"
#include "core/posix/registers.h"
#include "core/posix/thread.h"
#include "core/posix/variable.h"

#include <string.h>

uintptr_t posix_registers[POSIX_REGISTERS];

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
    struct looked looks[LOOKS_MAX];
    struct sct_queue queue; // of the thread itself, while it waits
    struct posix_loop *next_waiting;
};

// The loops of those who wait for a change, of the execution.
static struct posix_loop *waiting;

void posix_awaits_begin(void) {
    waiting = NULL;
}

// ---- The thread's state ------------------------------------------------------------------------

// All that is the thread's own where it stands: by the same way it will come here again.
static uint64_t state_key(const struct posix_thread *self, const void *address,
                          const void *caller) {
    const char *low = (const char *)posix_registers[STACK_POINTER];
    size_t bytes = (size_t)(self->stack_top - low);
    uint64_t hash = hash_bytes(posix_registers, sizeof posix_registers);
    hash += hash_bytes(low, bytes < STACK_MAX ? bytes : STACK_MAX) * UINT64_C(0x9e3779b97f4a7c15);
    hash ^= (uintptr_t)caller * UINT64_C(0xff51afd7ed558ccd);
    hash ^= (uintptr_t)address * UINT64_C(0xc4ceb9fe1a85ec53);
    return hash | 1;
}

static void forget(struct posix_loop *loop) {
    loop->count = 0;
    loop->rounds = 0;
    loop->is_closed = false;
}

static struct posix_loop *loop_of(struct posix_thread *self) {
    if (!self->loop)
        self->loop = ARENA_NEW(sct_arena(), struct posix_loop);
    return self->loop;
}

void posix_look_write(const void *address) {
    const struct posix_thread *self = posix_self();
    const char *low = (const char *)address;
    if (!self->loop || self->loop->count == 0)
        return;
    bool is_state = low < self->stack_top && self->stack_top - low <= STACK_MAX;
    if (!is_state)
        forget(self->loop);
}

void posix_look_pass(void) {
    struct posix_loop *loop = posix_self()->loop;
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
    default:
        return hash_bytes(address, bytes);
    }
}

// Whether there is something to see that was not seen then.
static bool has_changed(const struct looked *looked) {
    uint64_t value = posix_value_at(looked->address, looked->bytes);
    if (value != looked->value || looked->kind == POSIX_LOOK_SPURIOUS)
        return true;
    return looked->location && looked->kind == POSIX_LOOK_READ &&
           sct_location_newest_time(looked->location) != looked->time;
}

// The same, of any from [first] on.
static bool has_any_changed(const struct posix_loop *loop, uint32_t first) {
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

void posix_look_change(const void *address, unsigned bytes) {
    for (struct posix_loop *loop = waiting; loop; loop = loop->next_waiting)
        for (uint32_t i = loop->head; i < loop->count; i++)
            if (is_for(&loop->looks[i], address, bytes))
                sct_queue_grant(&loop->queue, true);
}

// ---- Looks -------------------------------------------------------------------------------------

struct posix_look posix_look_begin(const void *address, unsigned bytes, const void *caller) {
    struct posix_look look = {.address = address, .caller = caller, .bytes = bytes};
    if (!posix_world.options.awaits)
        return look;
    struct posix_thread *self = posix_self();
    struct posix_loop *loop = loop_of(self);
    if (loop->steps != sct_steps())
        forget(loop);
    look.key = state_key(self, address, caller);
    while (look.round < loop->count && loop->looks[look.round].key != look.key)
        look.round++;
    look.round = look.round < loop->count ? look.round + 1 : 0;
    if (look.round > 0 && (!loop->is_closed || look.round <= loop->head))
        loop->head = look.round - 1;
    loop->is_closed = look.round > 0;
    return look;
}

static void wait_for_change(struct posix_loop *loop, const struct sct_awaited *step) {
    struct posix_loop **link = &waiting;
    sct_queue_init(&loop->queue);
    loop->next_waiting = waiting;
    waiting = loop;
    bool has_come = sct_await(&loop->queue, step, SCT_WAIT_IDLE, has_any_changed(loop, loop->head));
    while (*link != loop)
        link = &(*link)->next_waiting;
    *link = loop->next_waiting;
    loop->rounds = has_come ? 0 : loop->rounds + 1;
    if (loop->rounds >= POSIX_ROUNDS_MAX)
        posix_violate(SCT_KIND_LIVELOCK, step->where, "a loop waits for ever for %s",
                      step->waits_for);
}

void posix_look_point(struct posix_look *look, const char *label, enum sct_access_mode mode) {
    const struct sct_awaited step = {
        .label = label,
        .waits_for = posix_variable_step("a store to", look->address),
        .where = posix_place(look->caller),
        .access = posix_access(look->address, look->bytes, mode),
    };
    struct posix_loop *loop = look->round > 0 ? posix_self()->loop : NULL;
    if (loop && look->round - 1 == loop->head)
        wait_for_change(loop, &step);
    else
        sct_point(step.label, step.where, &step.access);
    for (uint32_t i = loop ? loop->head : 0; loop && i < loop->count && sct_reducing(); i++) {
        const struct looked *other = &loop->looks[i];
        const struct sct_access access =
            posix_access(other->address, other->bytes, SCT_ACCESS_READ);
        if (i != look->round - 1)
            sct_touch(&access);
    }
}

void posix_look_limit(const struct posix_look *look) {
    const struct posix_loop *loop = look->round > 0 ? posix_self()->loop : NULL;
    if (!loop)
        return;
    const struct looked *looked = &loop->looks[look->round - 1];
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
    if (!look->key)
        return;
    struct posix_loop *loop = posix_self()->loop;
    const struct looked now = {
        .key = look->key,
        .location = location,
        .address = look->address,
        .bytes = look->bytes,
        .kind = kind,
        .value = value,
        .time = location ? sct_location_last_time() : 0,
    };
    loop->steps = sct_steps();
    if (look->round > 0 && is_same(&loop->looks[look->round - 1], &now)) {
        loop->looks[look->round - 1] = now;
        return;
    }
    if (look->round > 0 || loop->count == LOOKS_MAX)
        forget(loop);
    loop->looks[loop->count++] = now;
}
