#define _GNU_SOURCE // pthread_tryjoin_np and others
#include "core/posix/thread.h"
#include "core/coro/coro.h"
#include "core/engine/inside.h"
#include "core/posix/await.h"
#include "core/posix/exit.h"
#include "core/posix/frames.h"
#include "core/posix/hook.h"
#include "core/posix/images.h"
#include "core/posix/keys.h"
#include "core/posix/locals.h"
#include "core/posix/moment.h"
#include "core/posix/mutex.h"
#include "core/posix/signals.h"
#include "core/posix/twins.h"
#include "core/posix/variable.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <threads.h>

// How many threads run a function, for their names.
struct name_count {
    const char *name;
    uint32_t count;
    struct name_count *next;
};

static struct name_count *name_counts;
static struct posix_thread *first_thread;
// Of blocks, the last each; main's is the first. None behind [owner_count] has had one.
static struct posix_thread *owners[POSIX_BLOCKS_MAX];
static unsigned owner_count;

void posix_threads_begin(void) {
    ASSERT(posix_world.in_tool > 0);
    name_counts = NULL;
    first_thread = NULL;
    owner_count = 0;
}

void posix_threads_tell(posix_tell *tell, void *to) {
    tell(to, &name_counts, sizeof name_counts);
    tell(to, &first_thread, sizeof first_thread);
    ASSERT(!posix_has_locals()); // else there are blocks
    tell(to, &owner_count, sizeof owner_count);
}

// ---- Life --------------------------------------------------------------------------------------

// "consumer", "consumer-2", ...
static const char *name_for(const void *function) {
    // By the function, not by the creator or a number of all: a name says what a thread does, and
    // stays the same where another one is left out.
    const char *name = posix_function(function);
    struct name_count *counts = name_counts;
    // Pointers will do: the text for a function is made once (places.h).
    while (counts && counts->name != name)
        counts = counts->next;
    if (!counts) {
        counts = ARENA_NEW(sct_arena(), struct name_count);
        *counts = (struct name_count){.name = name, .next = name_counts};
        name_counts = counts;
    }
    return posix_numbered(name, ++counts->count);
}

struct posix_ending {
    void (*function)(void *);
    void *argument;
    struct posix_ending *next;
};

// Destructors of C++'s thread_local objects; they may register more. Before those of keys, as glibc
// has it (__call_tls_dtors, then __nptl_deallocate_tsd).
static void run_endings(struct posix_thread *self) {
    ASSERT(self == posix_self());
    while (self->endings) {
        struct posix_ending *ending = self->endings;
        self->endings = ending->next;
        ending->function(ending->argument);
    }
}

// What every thread does last. The last one that ends is the end of the program.
static void end_thread(struct posix_thread *self) {
    ASSERT(posix_controls());
    ASSERT(self == posix_self());
    run_endings(self);
    posix_keys_destroy_values(self);
    // After the destructors, which may still unlock: the kernel looks for what is held when the
    // thread is gone (set_robust_list(2)).
    posix_mutexes_abandon();
    posix_twins_end();
    self->has_ended = true;
    ASSERT(posix_world.living > 0);
    // It still counts as one that lives: a handler may end it once more.
    if (posix_world.living == 1)
        posix_exit(0);
    posix_world.living--;
    posix_exit_left(self);
}

// What the calls of [run_thread] have left below its frame: the first thread on a stack has made
// its shadow, the others have not.
__attribute__((noinline)) static void clear_below(void) {
    char left[512];
    explicit_bzero(left, sizeof left); // nobody here reads it
}

static void *run_thread(void *argument) {
    struct posix_thread *self = argument;
    ASSERT(!self->strand && posix_self() == self);
    self->strand = sct_self();
    void *block = self->block > 0 ? posix_locals_block(self->block) : sct_coro_thread_pointer();
    self->locals = block;
    // The block first, then the pointer: nothing runs on what another thread has left there.
    if (self->is_main || self->block > 0)
        posix_locals_begin(block, self->is_main);
    if (self->block > 0)
        sct_use_thread_pointer(block);
    // What lies above this frame is the engine's; what the program has on the stack is below.
    posix_stack_begins();
    posix_frames_add(self);
    self->stack_top = __builtin_frame_address(0);
    errno = 0; // a lent block has that of whoever had it
    clear_below();
    void *result = self->function_of_c11 ? (void *)(intptr_t)self->function_of_c11(self->argument)
                                         : self->function(self->argument);
    self->result = result;
    end_thread(self);
    return result;
}

// A block that nobody has had, or somebody of whom all is known: the addresses of thread-local
// variables are identities for some programs, and whoever gets one again from the C library comes
// after whoever had it. Where none is left the creator learns what one of those has done.
_Static_assert((int)POSIX_BLOCKS_MAX > (int)SCT_TASKS_MAX, "somebody who had a block has ended");

static unsigned take_block(void) {
    ASSERT(owner_count > 0 && owners[0]->is_main); // main was created first
    for (unsigned block = 1; block < owner_count; block++)
        if (sct_thread_is_known(owners[block]->thread))
            return block;
    if (owner_count < POSIX_BLOCKS_MAX)
        return owner_count;
    // There is one: more blocks than threads that can live (asserted).
    unsigned block = 1;
    while (!owners[block]->has_ended) {
        block++;
        ASSERT(block < POSIX_BLOCKS_MAX);
    }
    sct_thread_take_up(owners[block]->thread);
    return block;
}

struct posix_thread *posix_thread_create(const struct posix_thread *shape) {
    ASSERT(shape->is_main == !first_thread);
    struct posix_thread *thread = ARENA_NEW(sct_arena(), struct posix_thread);
    *thread = *shape;
    const void *function = shape->function_of_c11 ? (const void *)(uintptr_t)shape->function_of_c11
                                                  : (const void *)(uintptr_t)shape->function;
    const char *name = shape->is_main ? "main" : name_for(function);
    // Cut to the length that pthread_setname_np allows; the last byte is zero, from the shape.
    strncpy(thread->given_name, name, POSIX_NAME_BYTES - 1);
    if (shape->is_main)
        thread->mask = posix_signals_mask();
    else
        thread->mask = posix_self()->mask; // inherited (POSIX, pthread_create)
    thread->block = shape->is_main || !posix_has_locals() ? 0 : take_block();
    if (shape->is_main || thread->block > 0)
        owners[thread->block] = thread;
    if (thread->block == owner_count)
        owner_count++;
    ASSERT(thread->block < owner_count && owner_count <= POSIX_BLOCKS_MAX);
    thread->next = first_thread;
    first_thread = thread;
    posix_twins_add(thread);
    posix_world.living++;
    // Its first step, up to its first point, touches nothing that is declared: what it does there
    // with plain variables is a race or is ordered (README.md, "Searches").
    thread->thread = sct_thread_create_with(name, run_thread, thread, &sct_access_none);
    if (thread->is_detached)
        sct_thread_detach(thread->thread);
    return thread;
}

struct posix_thread *posix_first_thread(void) {
    return first_thread;
}

struct posix_thread *posix_self(void) {
    return sct_thread_argument(sct_thread_self());
}

void posix_thread_leave(void) {
    struct posix_thread *self = posix_self();
    const void *low;
    size_t bytes;
    ASSERT(!self->cleanups);
    sct_stack_bounds(&low, &bytes);
    // Its frames are not returned from, one by one, and the stack is used again: what lay there is
    // forgotten at once.
    posix_frame_ends(__builtin_frame_address(0), (const char *)low + bytes);
    end_thread(self);
    sct_thread_exit(self->result);
}

void posix_thread_exit(void *result) {
    struct posix_thread *self = posix_self();
    self->result = result;
    posix_clean_up(self);
    posix_thread_leave();
}

// ---- Hooks -------------------------------------------------------------------------------------

// The step behind every creation: whether the new thread or its creator goes on first.
static void go_on_after_creating(const char *where) {
    ASSERT(posix_controls());
    if (!posix_world.options.has_no_creation_points)
        sct_point("go on after creating", where, &sct_access_none);
}

// More than the engine has room for is said, if somebody asks: before the thread is made, or the
// engine would name a limit of its own.
static void check_room(const void *caller) {
    if (posix_world.living >= SCT_TASKS_MAX)
        posix_refuse("a program with more than 512 living threads", posix_place(caller));
    if (posix_world.living < SCT_REDUCED_TASKS_MAX || !sct_reducing())
        return;
    if (!posix_world.leaves_crowds)
        posix_refuse("a search with --reduce and more than 64 living threads", posix_place(caller));
    posix_world.was_crowded = true;
    sct_block();
}

HOOK int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*function)(void *),
                        void *argument) {
    if (!posix_controls()) {
        if (posix_world.is_recording && posix_world.in_tool == 0)
            posix_refuse("a thread that is started before main", WHERE);
        return REAL(pthread_create)(id, attributes, function, argument);
    }
    int state = PTHREAD_CREATE_JOINABLE;
    if (attributes)
        pthread_attr_getdetachstate(attributes, &state);
    const struct posix_thread shape = {
        .function = function,
        .argument = argument,
        .is_detached = state == PTHREAD_CREATE_DETACHED,
    };
    check_room(CALLER);
    if (posix_world.options.fails_create && sct_choose_weak(2, "creating fails"))
        return EAGAIN;
    // Stored before the point, where the new thread may begin: it may look for itself there, and so
    // it is with glibc.
    *id = (pthread_t)posix_thread_create(&shape);
    go_on_after_creating(WHERE);
    return 0;
}

static struct posix_thread *thread_of(pthread_t id) {
    // A pthread_t is an address in the arena (thread.h): one from before main, or of another
    // execution that has had more threads, is none. What lies there is not looked at first.
    const struct arena *arena = sct_arena();
    sct_check(id - (uintptr_t)arena->base < arena->used, SCT_KIND_PROGRAM_ERROR,
              "a thread that was never created is asked for");
    return (struct posix_thread *)id;
}

struct posix_thread *posix_thread_of(pthread_t id, const void *caller) {
    struct posix_thread *thread = thread_of(id);
    posix_twins_named(thread, caller);
    return thread;
}

static int check_join(const struct posix_thread *thread) {
    // Only oneself: threads that wait for each other in a ring are a deadlock, which the engine
    // tells with all who take part.
    if (thread == posix_self())
        return EDEADLK;
    return thread->is_detached ? EINVAL : 0;
}

HOOK int pthread_join(pthread_t id, void **result) {
    if (!posix_controls())
        return REAL(pthread_join)(id, result);
    struct posix_thread *thread = thread_of(id);
    int error = check_join(thread);
    if (error != 0)
        return error;
    void *value = sct_thread_join_at(thread->thread, WHERE);
    thread->is_joined = true;
    posix_twins_joined(thread, result != NULL, CALLER);
    ASSERT(thread->has_ended);
    if (result)
        *result = value;
    return 0;
}

HOOK int pthread_tryjoin_np(pthread_t id, void **result) {
    if (!posix_controls())
        return REAL(pthread_tryjoin_np)(id, result);
    struct posix_thread *thread = posix_thread_of(id, CALLER);
    sct_point("try to join", WHERE, &sct_access_unknown);
    int error = check_join(thread);
    return error != 0 ? error : thread->has_ended ? pthread_join(id, result) : EBUSY;
}

HOOK int pthread_detach(pthread_t id) {
    if (!posix_controls())
        return REAL(pthread_detach)(id);
    struct posix_thread *thread = posix_thread_of(id, CALLER);
    if (thread->is_detached)
        return EINVAL;
    thread->is_detached = true;
    sct_thread_detach(thread->thread);
    return 0;
}

HOOK void pthread_exit(void *result) {
    if (!posix_controls())
        REAL(pthread_exit)(result);
    posix_thread_exit(result);
}

static struct posix_thread *name_self(const void *caller) {
    posix_twins_named(posix_self(), caller);
    return posix_self();
}

HOOK pthread_t pthread_self(void) {
    return posix_controls() ? (pthread_t)name_self(CALLER) : REAL(pthread_self)();
}

HOOK int pthread_setname_np(pthread_t id, const char *name) {
    if (!posix_controls())
        return REAL(pthread_setname_np)(id, name);
    if (strlen(name) >= POSIX_NAME_BYTES)
        return ERANGE;
    strcpy(posix_thread_of(id, CALLER)->given_name, name);
    return 0;
}

HOOK int pthread_getname_np(pthread_t id, char *name, size_t bytes) {
    if (!posix_controls())
        return REAL(pthread_getname_np)(id, name, bytes);
    if (bytes < POSIX_NAME_BYTES)
        return ERANGE;
    strcpy(name, posix_thread_of(id, CALLER)->given_name);
    return 0;
}

// Who yields in a loop that waits has neither changed nor read anything by that.
static void yield(const char *where) {
    ASSERT(posix_controls());
    sct_yield(where);
    posix_look_pass();
}

HOOK int sched_yield(void) {
    if (!posix_controls())
        return REAL(sched_yield)();
    yield(WHERE);
    return 0;
}

int __cxa_thread_atexit_impl(void (*function)(void *), void *argument, void *image);
HOOK int __cxa_thread_atexit_impl(void (*function)(void *), void *argument, void *image) {
    if (!posix_controls())
        return REAL(__cxa_thread_atexit_impl)(function, argument, image);
    struct posix_thread *self = posix_self();
    // In the arena: of an execution that is left in the middle nothing is to be freed.
    struct posix_ending *ending = ARENA_NEW(sct_arena(), struct posix_ending);
    *ending = (struct posix_ending){function, argument, self->endings};
    self->endings = ending;
    return 0;
}

// ---- C11 ---------------------------------------------------------------------------------------

_Static_assert(sizeof(thrd_t) == sizeof(pthread_t), "a thrd_t is a pthread_t");
_Static_assert(sizeof(pthread_t) >= sizeof(void *), "an identity is an address");
_Static_assert(thrd_success == 0, "as errors of POSIX");

HOOK int thrd_create(thrd_t *id, thrd_start_t function, void *argument) {
    if (!posix_controls())
        return REAL(thrd_create)(id, function, argument);
    // Its function returns an int, which is no void *: it is called as what it is.
    const struct posix_thread shape = {.function_of_c11 = function, .argument = argument};
    check_room(CALLER);
    if (posix_world.options.fails_create && sct_choose_weak(2, "creating fails"))
        return thrd_nomem;
    *id = (thrd_t)posix_thread_create(&shape);
    go_on_after_creating(WHERE);
    return thrd_success;
}

HOOK int thrd_join(thrd_t id, int *result) {
    if (!posix_controls())
        return REAL(thrd_join)(id, result);
    struct posix_thread *thread = thread_of(id);
    if (check_join(thread) != 0)
        return thrd_error;
    void *value = sct_thread_join_at(thread->thread, WHERE);
    thread->is_joined = true;
    posix_twins_joined(thread, result != NULL, CALLER);
    if (result)
        *result = (int)(intptr_t)value;
    return thrd_success;
}

HOOK int thrd_detach(thrd_t id) {
    if (!posix_controls())
        return REAL(thrd_detach)(id);
    return pthread_detach(id) == 0 ? thrd_success : thrd_error;
}

HOOK void thrd_exit(int result) {
    if (!posix_controls())
        REAL(thrd_exit)(result);
    posix_thread_exit((void *)(intptr_t)result);
}

HOOK thrd_t thrd_current(void) {
    return posix_controls() ? (thrd_t)name_self(CALLER) : REAL(thrd_current)();
}

HOOK void thrd_yield(void) {
    if (!posix_controls())
        REAL(thrd_yield)();
    else
        yield(WHERE);
}
