#include "core/posix/twins.h"
#include "core/engine/inside.h"
#include "core/posix/exit.h"
#include "core/posix/moment.h"
#include "core/posix/places.h"

struct posix_kin {
    struct posix_thread shape; // what they have in common
    struct posix_thread *maker;
    uint32_t number, count, joined;
    uint32_t step; // of the maker: that of the creations, or that since the last join
    bool takes_results, is_unlike; // the results
    void *result;                  // the first
};

// The last one made; the one that is being joined, or NULL.
static struct posix_kin *last, *joining;

void posix_twins_begin(void) {
    last = joining = NULL;
    posix_world.twins_maker = NULL;
}

void posix_twins_tell(posix_tell *tell, void *to) {
    tell(to, &last, sizeof last);
    tell(to, &joining, sizeof joining);
}

_Noreturn static void tell_apart(const char *where) {
    posix_refuse("with --symmetry a program that tells its like threads apart", where);
}

static bool is_kin(const struct posix_kin *kin, const struct posix_thread *thread) {
    return kin && kin->maker == posix_self() && posix_world.twins_maker == kin->maker &&
           kin->step == sct_steps() && kin->shape.function == thread->function &&
           kin->shape.function_of_c11 == thread->function_of_c11 &&
           kin->shape.argument == thread->argument && kin->shape.is_detached == thread->is_detached;
}

void posix_twins_add(struct posix_thread *thread) {
    if (!posix_world.options.merges_twins || thread->is_main)
        return;
    if (!is_kin(last, thread)) {
        uint32_t number = last ? last->number + 1 : 1;
        last = ARENA_NEW(sct_arena(), struct posix_kin);
        *last = (struct posix_kin){
            .shape = *thread, .maker = posix_self(), .number = number, .step = sct_steps()};
    }
    thread->kin = last;
    last->count++;
    posix_world.twins_maker = last->maker;
    sct_kin(last->number);
}

// Whether there is another one like [thread].
static bool has_twin(const struct posix_thread *thread) {
    return thread->kin && thread->kin->count > 1;
}

void posix_twins_named(const struct posix_thread *thread, const void *caller) {
    if (has_twin(thread))
        tell_apart(posix_place(caller));
}

void posix_twins_joined(const struct posix_thread *thread, bool takes_result, const void *caller) {
    struct posix_kin *kin = thread->kin;
    if (!has_twin(thread))
        return;
    // A join is a point: the step that came to it is the one before.
    bool is_next = kin->joined == 0 || (joining == kin && kin->step + 1 == sct_steps());
    if (kin->maker != posix_self() || (joining && joining != kin) || !is_next)
        tell_apart(posix_place(caller));
    kin->is_unlike |= kin->joined > 0 && thread->result != kin->result;
    kin->takes_results |= takes_result;
    kin->result = thread->result;
    if (kin->takes_results && kin->is_unlike)
        tell_apart(posix_place(caller));
    kin->step = sct_steps();
    joining = ++kin->joined < kin->count ? kin : NULL;
    posix_world.twins_maker = joining ? kin->maker : NULL;
}

void posix_twins_end(void) {
    if (joining && joining->maker == posix_self())
        tell_apart("at the end of one that has joined only some of them");
}

// Whether that is a look at a handle, which is no more than an argument of the next join.
static bool is_of_handle(const void *address, size_t bytes) {
    if (bytes != sizeof(pthread_t) || (uintptr_t)address % sizeof(pthread_t) != 0)
        return false;
    uintptr_t value = *(const uintptr_t *)address;
    const struct posix_thread *thread = posix_first_thread();
    while (thread && (uintptr_t)thread != value)
        thread = thread->next;
    return thread && thread->kin == joining;
}

void posix_twins_look(const void *address, size_t bytes, bool writes, const void *caller) {
    if (posix_self() != posix_world.twins_maker)
        return;
    if (!joining)
        posix_world.twins_maker = NULL; // whoever it creates now is of another kin
    else if (writes || !is_of_handle(address, bytes))
        tell_apart(caller ? posix_place(caller) : "a lock or the like is made or ends");
}
