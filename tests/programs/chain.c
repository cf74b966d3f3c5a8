// Threads that each turn the number before their own into their own, or find that it is not there:
// `chain COUNT`. What a compare-exchange that fails has read depends on no other that fails.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { COUNT_MAX = 8 };

static atomic_int last;

static void *link_next(void *argument) {
    int number = *(const int *)argument, before = number - 1;
    atomic_compare_exchange_strong_explicit(&last, &before, number, memory_order_relaxed,
                                            memory_order_relaxed);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[COUNT_MAX];
    int numbers[COUNT_MAX], count = argc > 1 ? atoi(argv[1]) : 3;
    for (int i = 0; i < count; i++) {
        numbers[i] = i + 1;
        pthread_create(&threads[i], NULL, link_next, &numbers[i]);
    }
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    assert(last <= count);
    return 0;
}
