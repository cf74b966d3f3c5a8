// A thread waits for a flag in a loop. The buggy one leaves without raising it when there is
// nothing to do, so that main goes round for ever.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int work, is_done;

static void *worker(void *unused) {
    (void)unused;
    if (atomic_exchange(&work, 0)) {
        atomic_store_explicit(&is_done, 1, memory_order_release);
        return NULL;
    }
#ifdef FIXED
    atomic_store_explicit(&is_done, 1, memory_order_release);
#endif
    return NULL;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, worker, NULL);
    atomic_store(&work, 1);
    while (!atomic_load_explicit(&is_done, memory_order_acquire))
        sched_yield();
    return pthread_join(thread, NULL);
}
