// Two threads count up a volatile variable, each by a read and a write.
#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile int counter;

static void *count(void *times) {
    for (int i = 0; i < *(int *)times; i++) {
#ifdef FIXED
        pthread_mutex_lock(&mutex);
#endif
        counter = counter + 1;
#ifdef FIXED
        pthread_mutex_unlock(&mutex);
#endif
    }
    return times;
}

int main(int argc, char **argv) {
    int times = argc > 1 ? atoi(argv[1]) : 1;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, count, &times);
    for (int i = 0; i < 2; i++) {
        void *result;
        pthread_join(threads[i], &result);
        assert(result == &times);
    }
    pthread_mutex_destroy(&mutex);
    printf("%d\n", counter);
    assert(counter == 2 * times);
    return 0;
}
