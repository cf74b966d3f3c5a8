// A robust mutex whose owner ends in the middle of a change. Who gets it next puts the pair in
// order and goes on as if nothing had been, and the one after can never get it. The other says that
// it is mended.
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>

static pthread_mutex_t mutex;
static int first, second; // equal, while nobody has the mutex

static void *die(void *unused) {
    if (pthread_mutex_lock(&mutex) == 0)
        first++;
    return unused; // and keeps it
}

static void *change(void *unused) {
    int error = pthread_mutex_lock(&mutex);
    assert(error == 0 || error == EOWNERDEAD);
    if (error == EOWNERDEAD) {
        second = first;
#ifdef FIXED
        pthread_mutex_consistent(&mutex);
#endif
    }
    assert(first == second);
    first++;
    second++;
    pthread_mutex_unlock(&mutex);
    return unused;
}

int main(void) {
    pthread_mutexattr_t attributes;
    pthread_t threads[3];
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex, &attributes);
    pthread_create(&threads[0], NULL, die, NULL);
    pthread_create(&threads[1], NULL, change, NULL);
    pthread_create(&threads[2], NULL, change, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
