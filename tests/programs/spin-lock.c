// A lock of one atomic, which those who find it taken try again and again to set. The buggy one
// forgets to let go of it where a thread has nothing to add.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

enum { THREADS = 3 };

static atomic_flag is_taken = ATOMIC_FLAG_INIT;
static int sum;

static void lock(void) {
    while (atomic_flag_test_and_set_explicit(&is_taken, memory_order_acquire))
        ;
}

static void unlock(void) {
    atomic_flag_clear_explicit(&is_taken, memory_order_release);
}

static void *add(void *number) {
    int addend = *(int *)number;
    lock();
#ifndef FIXED
    if (sum >= 1)
        return NULL;
#endif
    sum += addend;
    unlock();
    return NULL;
}

int main(void) {
    static int numbers[THREADS] = {1, 1, 1};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, add, &numbers[i]);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert(sum == THREADS);
    return 0;
}
