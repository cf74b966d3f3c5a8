// The world of a protocol: what code under test asks of its surroundings besides tables.
//
// A protocol is straight-line blocking C. In the tester these calls are scheduling points or engine
// primitives; in a real program they are threads, mutexes and nothing (annotations). The protocol
// cannot tell the difference and is the same object file in both worlds.
#ifndef MODEL_TABLE_ENV_H
#define MODEL_TABLE_ENV_H

#include "core/base/digest.h"
#include "model/table/table.h"

struct ct_env;
struct ct_lock;  // a mutex of the world
struct ct_latch; // a count that can be waited for until it is 0

// What an instance says about the backend call it has just made. Every execute and query of a
// backend is followed by exactly one annotation before the instance's next one, also when the call
// was refused; streams are not annotated, nor is a call that failed with CT_STATUS_SERVER_ERROR: it
// was not executed. At most one of [linearization_point] and [etag_changed]. Of a call whose
// outcome is CT_UNKNOWN it says what is so if the call was done; [results] and [etag] are then
// NULL.
struct ct_annotation {
    // The call just made was the linearization point of the application's call.
    bool linearization_point;
    // Linearization point of a batch that succeeded: the results the application will get.
    const struct ct_op_result *results;
    size_t result_count;
    // A row's visible ETag changed without a write by an application: its key and new ETag.
    bool etag_changed;
    struct ct_key key;
    const char *etag;
    // The same of all rows of a batch; then instead of the three before.
    const struct ct_op_result *changed;
    size_t changed_count;
};

enum { CT_ENV_VERSION = 1 };

struct ct_env_ops {
    uint32_t version; // CT_ENV_VERSION; as of struct ct_table_ops
    void (*annotate)(struct ct_env *env, const char *where, const struct ct_annotation *annotation);

    // Arenas: an empty one for its owner alone; everything in it above [mark] is forgotten; it is
    // given back. (A world that is forgotten as a whole, such as the tester's, may hand out the
    // same arena to all and never take anything back.)
    struct arena *(*arena_open)(struct ct_env *env);
    void (*arena_reset)(struct ct_env *env, struct arena *arena, size_t mark);
    void (*arena_close)(struct ct_env *env, struct arena *arena);

    // Nobody holds a lock or waits for it when it is destroyed.
    struct ct_lock *(*lock_create)(struct ct_env *env);
    void (*lock_destroy)(struct ct_env *env, struct ct_lock *lock);
    void (*lock_acquire)(struct ct_env *env, const char *where, struct ct_lock *lock);
    void (*lock_release)(struct ct_env *env, struct ct_lock *lock);

    // Runs [function] concurrently; it may have run, wholly or up to its first wait, on return.
    void (*start)(struct ct_env *env, const char *name, void (*function)(void *), void *argument);

    struct ct_latch *(*latch_create)(struct ct_env *env, size_t count);
    void (*latch_count_down)(struct ct_env *env, struct ct_latch *latch);
    void (*latch_wait)(struct ct_env *env, const char *where, struct ct_latch *latch);
    void (*latch_destroy)(struct ct_env *env, struct ct_latch *latch);

    // Nanoseconds of a clock that never goes back; only differences mean something. Sleeping is a
    // wait of at least so long.
    uint64_t (*now)(struct ct_env *env);
    void (*sleep)(struct ct_env *env, const char *where, uint64_t nanoseconds);

    // For testers that compare states; both are NULL where nobody does. What the running code has
    // observed so far; and: what it does from now on depends on nothing observed since [mark] but
    // the constant text [place], which names this place of the program, and [value].
    struct digest (*observed)(struct ct_env *env);
    void (*forget)(struct ct_env *env, struct digest mark, const char *place, uint64_t value);
};

struct ct_env {
    const struct ct_env_ops *ops;
};

// What [observed] and [forget] say, where somebody asks.
static inline struct digest ct_observed(struct ct_env *env) {
    return env->ops->observed ? env->ops->observed(env) : (struct digest){0, 0};
}

static inline void ct_forget(struct ct_env *env, struct digest mark, const char *place,
                             uint64_t value) {
    if (env->ops->forget)
        env->ops->forget(env, mark, place, value);
}

#endif
