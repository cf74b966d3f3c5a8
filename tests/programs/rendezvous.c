// Threads that meet at a barrier twice, and a heap block that each gets between: `rendezvous
// COUNT`. What one wrote before the barrier the others read behind it.
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { COUNT_MAX = 8 };

static pthread_barrier_t barrier;
static int count, numbers[COUNT_MAX];

static void *meet(void *number) {
    int *mine = number, sum = 0;
    *mine = 1;
    pthread_barrier_wait(&barrier);
    int *block = calloc(1, sizeof *block);
    for (int i = 0; i < count; i++)
        sum += numbers[i];
    assert(sum == count && *block == 0);
    *block = sum;
    pthread_barrier_wait(&barrier);
    free(block);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[COUNT_MAX];
    count = argc > 1 ? atoi(argv[1]) : 3;
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, meet, &numbers[i]);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
    return 0;
}
