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

void posix_keys_save(void) {
    memcpy(first_keys, keys, sizeof keys);
}

static struct posix_value *new_values(void) {
    return arena_zalloc(sct_arena(), sizeof first_values);
}

void posix_keys_begin(struct posix_thread *main_thread) {
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
    if (!is_key(key) || !keys[key].destructor || values[key].generation != keys[key].generation)
        return NULL;
    values[key].value = NULL;
    return value;
}

void posix_keys_destroy_values(struct posix_thread *thread) {
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

// ---- Operations --------------------------------------------------------------------------------

// A program that is going to be under control has its keys here from its first constructor on.
static bool has_keys(void) {
    return posix_controls() || (posix_world.is_recording && !sct_engine_inside());
}

static int create(unsigned *key, void (*destructor)(void *)) {
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
    keys[key].is_used = false;
    return 0;
}

static int set(unsigned key, const void *value) {
    if (!is_key(key))
        return EINVAL;
    struct posix_thread *self = posix_controls() ? posix_self() : NULL;
    if (self && !self->values)
        self->values = new_values();
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
