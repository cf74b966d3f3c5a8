// Whoever starts a worker waits until it says that it is done, under a lock that is in the worker's
// own memory, and frees that: the worker may not have unlocked yet. (As C-Thread-Pool's
// thpool_destroy does.)
#include <pthread.h>
#include <stdlib.h>

struct worker {
    pthread_mutex_t mutex;
    volatile int is_done;
};

static void *work(void *argument) {
    struct worker *worker = argument;
    pthread_mutex_lock(&worker->mutex);
    worker->is_done = 1;
    pthread_mutex_unlock(&worker->mutex);
    return NULL;
}

static int is_done(struct worker *worker) {
#ifdef FIXED
    pthread_mutex_lock(&worker->mutex);
    int is = worker->is_done;
    pthread_mutex_unlock(&worker->mutex);
    return is;
#else
    return worker->is_done;
#endif
}

int main(void) {
    pthread_t thread;
    struct worker *worker = calloc(1, sizeof *worker);
    pthread_mutex_init(&worker->mutex, NULL);
    pthread_create(&thread, NULL, work, worker);
    pthread_detach(thread);
    while (!is_done(worker)) {
    }
    free(worker);
    return 0;
}
