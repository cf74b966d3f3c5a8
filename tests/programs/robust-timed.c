// A robust mutex whose owner has ended, taken again by waits for a condition with a deadline: what
// it guards may be half done, which they say in place of the time. (Nothing is wrong.)
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

static pthread_mutex_t mutex;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;

static bool has_died;

// Keeps it.
static void *die(void *unused) {
    pthread_mutex_lock(&mutex);
    has_died = true;
    return unused;
}

static void wait_until(clockid_t clock, time_t seconds) {
    struct timespec deadline;
    pthread_t thread;
    clock_gettime(clock, &deadline);
    deadline.tv_sec += seconds;
    pthread_mutex_lock(&mutex);
    has_died = false;
    pthread_create(&thread, NULL, die, NULL);
    int error = pthread_cond_clockwait(&condition, &mutex, clock, &deadline);
    assert(error == (has_died ? EOWNERDEAD : ETIMEDOUT));
    if (has_died)
        pthread_mutex_consistent(&mutex);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    if (pthread_mutex_lock(&mutex) == EOWNERDEAD) // it came later
        pthread_mutex_consistent(&mutex);
    pthread_mutex_unlock(&mutex);
}

int main(void) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex, &attributes);
    wait_until(CLOCK_REALTIME, 1);
    wait_until(CLOCK_MONOTONIC, -1); // it is late already
    return 0;
}
