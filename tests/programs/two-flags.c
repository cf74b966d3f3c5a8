// Two threads say that they want to enter, and wait while the other one does. The buggy ones wait
// for each other; Peterson's second variable says whose turn it is.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int wants[2];
atomic_int turn; // not static: clang 14 would make it a variable of each thread's function
static int inside;

static int must_wait(int me) {
#ifdef FIXED
    return atomic_load(&wants[1 - me]) && atomic_load(&turn) != me;
#else
    return atomic_load(&wants[1 - me]);
#endif
}

static void *enter(void *number) {
    int me = *(int *)number;
    for (int i = 0; i < 2; i++) {
        atomic_store(&wants[me], 1);
        atomic_store(&turn, 1 - me);
        while (must_wait(me))
            ;
        inside++;
        atomic_store(&wants[me], 0);
    }
    return NULL;
}

int main(void) {
    static int numbers[2] = {0, 1};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, enter, &numbers[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert(inside == 4);
    return 0;
}
