// A message in two atomics, the second of which says that the first is there. The buggy one does
// not say so in the orders: Arm and POWER may show it without, x86 does not.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

#ifdef FIXED
#define SENDING memory_order_release
#define RECEIVING memory_order_acquire
#else
#define SENDING memory_order_relaxed
#define RECEIVING memory_order_relaxed
#endif

static atomic_int message, is_sent;

static void *send(void *unused) {
    (void)unused;
    atomic_store_explicit(&message, 42, memory_order_relaxed);
    atomic_store_explicit(&is_sent, 1, SENDING);
    return NULL;
}

static void *receive(void *unused) {
    (void)unused;
    while (!atomic_load_explicit(&is_sent, RECEIVING))
        ;
    assert(atomic_load_explicit(&message, memory_order_relaxed) == 42);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, send, NULL);
    pthread_create(&threads[1], NULL, receive, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
