#define _GNU_SOURCE // PTHREAD_DESTRUCTOR_ITERATIONS
#include "core/posix/keys.h"
#include "core/posix/hook.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <threads.h>

struct key {
    bool is_used;
    uint32_t generation; // how many keys had this number: values of older ones are gone
    void (*destructor)(void *);
};

struct posix_value {
    void *value;
    uint32_t generation;
};

// What constructors have made is there in each execution; their values are main's.
static struct key keys[POSIX_KEYS_MAX], first_keys[POSIX_KEYS_MAX];
static struct posix_value first_values[POSIX_KEYS_MAX];
static bool has_first_values;

_Static_assert(POSIX_KEYS_MAX >= _POSIX_THREAD_KEYS_MAX, "as many as POSIX promises");
_Static_assert(sizeof(pthread_key_t) == sizeof(unsigned), "a key is its index");
_Static_assert(sizeof(tss_t) == sizeof(unsigned), "so is C11's");

void posix_keys_save(void) {
    ASSERT(!posix_world.is_open);
    memcpy(first_keys, keys, sizeof keys);
}

static struct posix_value *new_values(void) {
    ASSERT(sct_engine_inside());
    return arena_zalloc(sct_arena(), sizeof first_values);
}

void posix_keys_begin(struct posix_thread *main_thread) {
    ASSERT(main_thread->is_main && !main_thread->values);
    // With their generations: the same keys in every execution.
    memcpy(keys, first_keys, sizeof keys);
    if (has_first_values)
        main_thread->values = memcpy(new_values(), first_values, sizeof first_values);
}

static bool is_key(unsigned key) {
    return key < POSIX_KEYS_MAX && keys[key].is_used;
}

// The value of [key] in [values], which has no destructor to run if it is NULL.
static void *take_for_destructor(struct posix_value *values, unsigned key) {
    void *value = values[key].value;
    ASSERT(key < POSIX_KEYS_MAX);
    if (!is_key(key) || !keys[key].destructor || values[key].generation != keys[key].generation)
        return NULL;
    values[key].value = NULL; // before the destructor, which may set it anew (POSIX)
    return value;
}

// Again and again while destructors set values, but not for ever: POSIX leaves how often to the
// system, at least _POSIX_THREAD_DESTRUCTOR_ITERATIONS; this is glibc's number.
void posix_keys_destroy_values(struct posix_thread *thread) {
    ASSERT(thread == posix_self());
    bool has_run = thread->values != NULL;
    for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && has_run; round++) {
        has_run = false;
        for (unsigned i = 0; i < POSIX_KEYS_MAX; i++) {
            void *value = take_for_destructor(thread->values, i);
            if (value)
                keys[i].destructor(value);
            has_run = has_run || value;
        }
    }
}

// Not those of keys that are no more: nobody can ask for them.
void posix_keys_visit(const struct posix_thread *thread,
                      void (*tell)(void *context, const void *memory, size_t bytes),
                      void *context) {
    for (unsigned i = 0; thread->values && i < POSIX_KEYS_MAX; i++)
        if (is_key(i) && thread->values[i].generation == keys[i].generation)
            tell(context, &thread->values[i].value, sizeof thread->values[i].value);
}

// ---- Operations --------------------------------------------------------------------------------

// A program that is going to be under control has its keys here from its first constructor on.
static bool has_keys(void) {
    return posix_controls() || (posix_world.is_recording && !sct_engine_inside());
}

// The lowest number that is free, as glibc: numbers are used again, and what others have set for
// the old key is not the new one's (generation).
static int create(unsigned *key, void (*destructor)(void *)) {
    ASSERT(has_keys());
    unsigned i = 0;
    while (i < POSIX_KEYS_MAX && keys[i].is_used)
        i++;
    if (i == POSIX_KEYS_MAX)
        return EAGAIN;
    keys[i] = (struct key){true, keys[i].generation + 1, destructor};
    *key = i;
    return 0;
}

static int delete_key(unsigned key) {
    if (!is_key(key))
        return EINVAL;
    // Values stay, and no destructor runs: POSIX leaves both to the program.
    keys[key].is_used = false;
    return 0;
}

static int set(unsigned key, const void *value) {
    if (!is_key(key))
        return EINVAL;
    struct posix_thread *self = posix_controls() ? posix_self() : NULL;
    if (self && !self->values)
        self->values = new_values();
    // Without a thread it is a constructor that sets it, before the first execution.
    has_first_values = has_first_values || !self;
    struct posix_value *values = self ? self->values : first_values;
    values[key] = (struct posix_value){(void *)(uintptr_t)value, keys[key].generation};
    return 0;
}

static void *get(unsigned key) {
    const struct posix_value *values = posix_controls() ? posix_self()->values : first_values;
    bool has_value = is_key(key) && values && values[key].generation == keys[key].generation;
    return has_value ? values[key].value : NULL;
}

// ---- Hooks -------------------------------------------------------------------------------------

HOOK int pthread_key_create(pthread_key_t *key, void (*destructor)(void *)) {
    return has_keys() ? create(key, destructor) : REAL(pthread_key_create)(key, destructor);
}

HOOK int pthread_key_delete(pthread_key_t key) {
    return has_keys() ? delete_key(key) : REAL(pthread_key_delete)(key);
}

HOOK int pthread_setspecific(pthread_key_t key, const void *value) {
    return has_keys() ? set(key, value) : REAL(pthread_setspecific)(key, value);
}

HOOK void *pthread_getspecific(pthread_key_t key) {
    return has_keys() ? get(key) : REAL(pthread_getspecific)(key);
}

HOOK int tss_create(tss_t *key, tss_dtor_t destructor) {
    if (!has_keys())
        return REAL(tss_create)(key, destructor);
    return create(key, destructor) == 0 ? thrd_success : thrd_error;
}

HOOK void tss_delete(tss_t key) {
    if (has_keys())
        delete_key(key);
    else
        REAL(tss_delete)(key);
}

HOOK int tss_set(tss_t key, void *value) {
    if (!has_keys())
        return REAL(tss_set)(key, value);
    return set(key, value) == 0 ? thrd_success : thrd_error;
}

HOOK void *tss_get(tss_t key) {
    return has_keys() ? get(key) : REAL(tss_get)(key);
}
