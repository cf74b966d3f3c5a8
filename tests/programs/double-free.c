// Two threads take the same buffer out of a slot, and both free it.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static _Atomic(char *) slot;

static void *empty(void *unused) {
#ifdef FIXED
    char *buffer = atomic_exchange(&slot, NULL);
#else
    char *buffer = atomic_load(&slot);
    atomic_store(&slot, NULL);
#endif
    free(buffer);
    return unused;
}

int main(void) {
    atomic_store(&slot, malloc(100));
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, empty, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
