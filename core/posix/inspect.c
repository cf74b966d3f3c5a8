#include "core/posix/inspect.h"
#include "core/base/text.h"
#include "core/posix/mutex.h"
#include "core/posix/objects.h"
#include "core/posix/thread.h"
#include "core/threads/rwlock.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { LOCKS_MAX = 64 }; // shown

struct locks {
    struct posix_lock_state states[LOCKS_MAX];
    uint32_t count;
};

// Objects know their holders as strands; NULL, nobody, is no thread's once it has begun.
static void add_thread(struct text *text, const struct sct_strand *strand) {
    const struct posix_thread *thread = posix_first_thread();
    while (thread && thread->strand != strand)
        thread = thread->next;
    if (thread)
        text_add(text, "%s%s", text->length > 0 ? ", " : "", sct_thread_name(thread->thread));
}

static void add_waiters(struct text *text, const struct sct_queue *queue) {
    uint32_t count = sct_queue_count(queue);
    for (uint32_t i = 0; i < count; i++) {
        const struct sct_waiting *waiting = sct_queue_at(queue, i);
        if (!waiting->is_granted) // else it is about to take it
            add_thread(text, waiting->strand);
    }
}

static void visit_lock(void *context, enum posix_kind kind, const void *record,
                       const void *address) {
    static const char *const kinds[POSIX_KINDS] = {
        [POSIX_MUTEX] = "mutex", [POSIX_RWLOCK] = "rwlock", [POSIX_SPIN] = "spinlock"};
    struct locks *locks = context;
    const struct sct_object *object = record; // each record begins with it
    (void)address;
    ASSERT(locks->count <= LOCKS_MAX);
    // Other kinds the program does not hold; a name that is NULL is that of a destroyed object.
    if (!kinds[kind] || !object->name || locks->count == LOCKS_MAX)
        return;
    struct posix_lock_state *state = &locks->states[locks->count++];
    *state = (struct posix_lock_state){.name = object->name, .kind = kinds[kind]};
    struct text held = text_in(state->held_by, sizeof state->held_by);
    struct text waited = text_in(state->waited_for_by, sizeof state->waited_for_by);
    if (kind == POSIX_RWLOCK) {
        const struct sct_rwlock *rwlock = record;
        add_thread(&held, rwlock->writer);
        if (rwlock->reader_count > 0)
            text_add(&held, "%u reader%s", rwlock->reader_count,
                     rwlock->reader_count == 1 ? "" : "s");
        add_waiters(&waited, &rwlock->readers);
        add_waiters(&waited, &rwlock->writers);
    } else { // a mutex begins with its lock (asserted below)
        const struct sct_lock *lock = record;
        add_thread(&held, lock->holder);
        add_waiters(&waited, &lock->waiters);
    }
}

_Static_assert(offsetof(struct posix_mutex, lock) == 0, "a mutex begins with its lock");
_Static_assert(offsetof(struct sct_lock, object) == 0, "a lock begins with its object");
_Static_assert(offsetof(struct sct_rwlock, object) == 0, "so does a read-write lock");

// The table's order is one of addresses.
static int compare_locks(const void *a, const void *b) {
    const struct posix_lock_state *left = a, *right = b;
    return strcmp(left->name, right->name);
}

void posix_locks_inspect(void (*visit)(void *context, const struct posix_lock_state *state),
                         void *context) {
    // Static: 20 KiB are not for the stack of whoever asks, which may be the program's.
    static struct locks locks;
    ASSERT(visit);
    locks.count = 0;
    posix_objects_visit(visit_lock, &locks);
    qsort(locks.states, locks.count, sizeof locks.states[0], compare_locks);
    for (uint32_t i = 0; i < locks.count; i++)
        visit(context, &locks.states[i]);
}
