#include "core/posix/roots.h"
#include "core/engine/inside.h"
#include "core/posix/images.h"
#include "core/posix/keys.h"
#include "core/posix/thread.h"
#include "core/posix/world.h"

struct visit {
    posix_look_at *look;
    void *context;
};

static void look_at(const struct visit *visit, const void *memory, size_t bytes) {
    visit->look(visit->context, memory, bytes);
}

// Registers too: those that a call keeps are on the stack of whoever waits for its turn (coro.h),
// and of the running thread in frames between this one and the program's; the others held nothing
// that is needed behind the call.
static void visit_stack(const struct visit *visit, const struct posix_thread *thread) {
    const void *low;
    size_t bytes;
    ASSERT(thread->strand);
    sct_strand_stack(thread->strand, &low, &bytes);
    look_at(visit, low, bytes);
}

static void visit_living(const struct visit *visit, const struct posix_thread *thread) {
    // Of one that has not begun this is all that leads to what it was given.
    look_at(visit, &thread->argument, sizeof thread->argument);
    posix_keys_visit(thread, visit->look, visit->context);
    if (!thread->strand) // it has not begun
        return;
    visit_stack(visit, thread);
    posix_locals_visit(thread->locals, visit->look, visit->context);
}

void posix_roots_visit(posix_look_at *look, void *context) {
    const struct visit visit = {look, context};
    ASSERT(posix_world.in_tool > 0);
    for (size_t i = 0; i < posix_segment_count(); i++)
        look_at(&visit, posix_segment_at(i)->start, posix_segment_at(i)->bytes);
    const struct posix_thread *self = posix_self(), *thread = posix_first_thread();
    for (; thread; thread = thread->next) {
        // The last one counts as ended while it runs handlers of exit.
        if (thread == self || !thread->has_ended)
            visit_living(&visit, thread);
        else if (!thread->is_joined && !thread->is_detached)
            look_at(&visit, &thread->result, sizeof thread->result);
    }
}
