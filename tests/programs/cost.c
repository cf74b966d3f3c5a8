// What control costs, run by scripts/bench --programs: cost KIND COUNT, where two threads do
// COUNT times what KIND says. Not built with -O0: what is measured is not the program.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static long count;
static atomic_int shared[2];
static int plain[2][64];

static void *yield(void *unused) {
    (void)unused;
    for (long i = 0; i < count; i++)
        sched_yield();
    return NULL;
}

// A load, a store and an addition.
static void *use_atomics(void *unused) {
    (void)unused;
    for (long i = 0; i < count; i++) {
        atomic_load_explicit(&shared[0], memory_order_relaxed);
        atomic_store_explicit(&shared[0], (int)i, memory_order_relaxed);
        atomic_fetch_add_explicit(&shared[1], 1, memory_order_relaxed);
    }
    return NULL;
}

static void *use_seq_cst(void *unused) {
    (void)unused;
    for (long i = 0; i < count; i++) {
        atomic_load(&shared[0]);
        atomic_store(&shared[0], (int)i);
        atomic_fetch_add(&shared[1], 1);
    }
    return NULL;
}

// A read and a write.
static void *use_memory(void *mine) {
    int *row = mine;
    for (long i = 0; i < count; i++)
        row[i % 64] += (int)i;
    return NULL;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        void *(*run)(void *);
    } kinds[] = {{"yield", yield},
                 {"atomics", use_atomics},
                 {"seq_cst", use_seq_cst},
                 {"plain", use_memory}};
    pthread_t threads[2];
    void *(*run)(void *) = NULL;
    for (size_t i = 0; argc == 3 && i < sizeof kinds / sizeof kinds[0]; i++)
        if (strcmp(argv[1], kinds[i].name) == 0)
            run = kinds[i].run;
    if (!run)
        return 2;
    count = atol(argv[2]);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, run, plain[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
