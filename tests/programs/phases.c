// Two threads write a cell each and read the other's, phase by phase. Without a second barrier the
// faster one writes what the slower one still reads.
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <stdint.h>

enum { PHASES = 2 };

static pthread_barrier_t barrier;
static int cells[2];

static void *run(void *number) {
    intptr_t own = (intptr_t)number;
    for (int phase = 1; phase <= PHASES; phase++) {
        cells[own] = phase;
        pthread_barrier_wait(&barrier);
        assert(cells[1 - own] == phase);
#ifdef FIXED
        pthread_barrier_wait(&barrier);
#endif
    }
    return NULL;
}

int main(void) {
    pthread_t other;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&other, NULL, run, (void *)1);
    run((void *)0);
    pthread_join(other, NULL);
    pthread_barrier_destroy(&barrier);
    return 0;
}
