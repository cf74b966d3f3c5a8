// Some hundred executions: two threads that may both miss the other's flag, and a third one. Right
// but for that; with -DFIXED nobody asks.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

static atomic_int flags[2], done;
static int seen;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void add(int value) {
    pthread_mutex_lock(&lock);
    seen += value;
    pthread_mutex_unlock(&lock);
}

static void *meet(void *argument) {
    atomic_int *own = argument, *other = own == &flags[0] ? &flags[1] : &flags[0];
    atomic_store_explicit(own, 1, memory_order_relaxed);
    add(atomic_load_explicit(other, memory_order_relaxed));
    atomic_fetch_add_explicit(&done, 1, memory_order_acq_rel);
    return NULL;
}

static void *look(void *unused) {
    (void)unused;
    int value = atomic_load_explicit(&done, memory_order_relaxed);
    atomic_store_explicit(&flags[0], 2, memory_order_release);
    add(value);
    return NULL;
}

int main(void) {
    pthread_t threads[3];
    pthread_create(&threads[0], NULL, meet, &flags[0]);
    pthread_create(&threads[1], NULL, meet, &flags[1]);
    pthread_create(&threads[2], NULL, look, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
#ifndef FIXED
    assert(seen != 0);
#endif
    return 0;
}
