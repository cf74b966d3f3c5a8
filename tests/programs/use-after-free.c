// A reference count that is looked at in two steps: both owners may see the other still there, or
// one frees what the other still uses.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct shared {
    atomic_int owners;
    int value;
};

static void *use(void *argument) {
    struct shared *shared = argument;
#ifdef FIXED
    int value = shared->value;
    if (atomic_fetch_sub(&shared->owners, 1) == 1)
        free(shared);
#else
    if (atomic_fetch_sub(&shared->owners, 1) == 1)
        free(shared);
    int value = shared->value;
#endif
    return value == 7 ? NULL : argument;
}

int main(void) {
    struct shared *shared = malloc(sizeof *shared);
    atomic_init(&shared->owners, 2);
    shared->value = 7;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, use, shared);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
