// Memory is used that malloc has not given. The other looks.
#include <pthread.h>
#include <stdlib.h>

static void *count(void *counters) {
    ((int *)counters)[3]++;
    return NULL;
}

int main(void) {
    int *counters = calloc(4, sizeof *counters);
#ifdef FIXED
    if (!counters)
        return 0;
#endif
    pthread_t thread;
    pthread_create(&thread, NULL, count, counters);
    pthread_join(thread, NULL);
    free(counters);
    return 0;
}
