#include "core/posix/frames.h"
#include "core/coro/backtrace.h"
#include "core/engine/inside.h"
#include "core/memory/race.h"
#include "core/posix/exit.h"
#include "core/posix/images.h"
#include "core/posix/moment.h"
#include "core/posix/places.h"
#include "core/posix/races.h"
#include "core/posix/stacks.h"
#include "core/posix/thread.h"

#include <stdio.h>

enum { FRAMES_MAX = 16 };

struct stack {
    uintptr_t low;
    size_t bytes;
    const struct posix_thread *owner; // who had it last in this execution
};

// Of the execution, by address; threads that follow one another on a stack are one.
static struct stack stacks[SCT_TASKS_MAX];
static uint32_t stack_count, last_found;

struct posix_stacks_span posix_stacks_span;

void posix_frames_begin(void) {
    ASSERT(posix_world.in_tool > 0);
    stack_count = last_found = 0;
    posix_stacks_span = (struct posix_stacks_span){0, 0};
}

void posix_frames_tell(posix_tell *tell, void *to) {
    ASSERT(stack_count <= SCT_TASKS_MAX);
    tell(to, stacks, stack_count * sizeof stacks[0]);
    tell(to, &stack_count, sizeof stack_count);
    tell(to, &posix_stacks_span, sizeof posix_stacks_span);
}

static inline bool is_on(const struct stack *stack, uintptr_t address) {
    return address - stack->low < stack->bytes; // below it the difference wraps, and is too large
}

static struct stack *find(uintptr_t address) {
    // Mostly it is the stack of the access before: threads work on their own.
    if (last_found < stack_count && is_on(&stacks[last_found], address))
        return &stacks[last_found];
    uint32_t low = 0, high = stack_count;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (stacks[middle].low <= address)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || !is_on(&stacks[low - 1], address))
        return NULL;
    last_found = low - 1;
    return &stacks[last_found];
}

void posix_frames_add(const struct posix_thread *self) {
    const void *start;
    size_t bytes;
    sct_stack_bounds(&start, &bytes);
    uintptr_t low = (uintptr_t)start;
    struct stack *stack = find(low);
    if (stack) {
        stack->owner = self;
        return;
    }
    // As many as live at a time at most: who begins takes the stack of somebody who has ended, if
    // there is one.
    ASSERT(stack_count < SCT_TASKS_MAX);
    // Put in order at once: a stack is added seldom, and looked for at each access to one.
    uint32_t i = stack_count++;
    for (; i > 0 && stacks[i - 1].low > low; i--)
        stacks[i] = stacks[i - 1];
    stacks[i] = (struct stack){low, bytes, self};
    // One span with all gaps in it, so that the test in line is one comparison; find knows better.
    const struct stack *top = &stacks[stack_count - 1];
    posix_stacks_span.low = stacks[0].low;
    posix_stacks_span.bytes = top->low + top->bytes - stacks[0].low;
}

// ---- Accesses ----------------------------------------------------------------------------------

// Who has accessed it before, which the variable's own thread has done, if anybody has: in the
// execution that is told.
static void tell_calls(uintptr_t address, size_t bytes, enum sct_access_kind kind,
                       const void *caller) {
    char buffer[1024];
    struct text text = text_in(buffer, sizeof buffer);
    bool is_known = posix_stacks_tell_last(address, &text);
    posix_stacks_note(address, bytes, kind, caller);
    if (is_known)
        sct_note_as(SCT_NOTE_EVIDENCE, "the last access before: %s", buffer);
    text = text_in(buffer, sizeof buffer);
    if (posix_stacks_tell(address, sct_memory_thread(), kind, caller, &text))
        sct_note_as(SCT_NOTE_EVIDENCE, "%s: %s", sct_access_kind_name(kind), buffer);
}

_Noreturn static void violate(const struct posix_thread *owner, const char *what,
                              const void *caller) {
    posix_violate(POSIX_KIND_USE_AFTER_RETURN, posix_place(caller), "%s on the stack of %s%s", what,
                  sct_thread_name(owner->thread),
                  owner->has_ended ? ", which has ended" : ", of a call that has returned");
}

__attribute__((noinline, cold)) static void report(const struct posix_thread *owner,
                                                   uintptr_t address, size_t bytes,
                                                   enum sct_access_kind kind, const void *caller) {
    ASSERT(posix_controls() && bytes > 0);
    if (posix_is_suppressed(POSIX_KIND_USE_AFTER_RETURN, caller))
        return;
    if (sct_narrating())
        tell_calls(address, bytes, kind, caller);
    char text[64];
    snprintf(text, sizeof text, "%s of %zu byte%s", sct_access_kind_name(kind), bytes,
             bytes == 1 ? "" : "s");
    violate(owner, text, caller);
}

// The lowest byte that belongs to a call of [owner]'s which is under way; 0: not known (it runs on
// a stack of its own making).
static uintptr_t bottom_of(const struct posix_thread *owner) {
    ASSERT(owner->strand);
    return sct_strand_bottom(owner->strand, posix_is_tester_code);
}

static inline bool is_dead(const struct posix_thread *owner, uintptr_t address) {
    // One that has ended may still run, on this stack: the last thread runs the handlers of exit.
    // Of one that is gone no bottom may be asked.
    bool is_over = owner->has_ended && owner->strand != sct_self();
    return is_over || address < bottom_of(owner);
}

void posix_frames_check(const void *start, size_t bytes, enum sct_access_kind kind,
                        const void *caller) {
    uintptr_t address = (uintptr_t)start;
    const struct stack *stack = find(address);
    if (stack && __builtin_expect(is_dead(stack->owner, address), 0))
        report(stack->owner, address, bytes, kind, caller);
}

// The call of the program's that the running hook is in.
static const void *find_caller(void) {
    const void *frames[FRAMES_MAX], *low;
    size_t bytes;
    sct_stack_bounds(&low, &bytes);
    uint32_t count =
        sct_backtrace(sct_frame_here(), low, (const char *)low + bytes, frames, FRAMES_MAX);
    for (uint32_t i = 0; i < count; i++)
        if (!posix_is_tester_code(frames[i]))
            return frames[i];
    return NULL;
}

void posix_frames_check_object(const void *address, const char *what) {
    const struct stack *stack = find((uintptr_t)address);
    if (!stack || !is_dead(stack->owner, (uintptr_t)address))
        return;
    char text[64];
    const void *caller = find_caller();
    snprintf(text, sizeof text, "use of a %s", what);
    if (!posix_is_suppressed(POSIX_KIND_USE_AFTER_RETURN, caller))
        violate(stack->owner, text, caller);
}
