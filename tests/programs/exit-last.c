// Threads that end in handlers of exit: what is left of the handlers is run by whoever exits next,
// or by the last thread.
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static void finish(void) {
    _exit(7);
}

static void leave(void) {
    pthread_exit(NULL);
}

static void *stop(void *unused) {
    exit(1);
    return unused;
}

int main(void) {
    pthread_t thread, other;
    atexit(finish);
    atexit(leave); // main, which is the last: it exits once more
    atexit(leave);
    atexit(leave);
    pthread_create(&thread, NULL, stop, NULL);
    pthread_create(&other, NULL, stop, NULL);
    pthread_join(thread, NULL);
    pthread_join(other, NULL);
    pthread_exit(NULL);
}
