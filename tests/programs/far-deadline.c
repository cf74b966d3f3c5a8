// Waits with deadlines that never come: who has lost its wake-up waits for ever, as without one.
#include <pthread.h>
#include <stdbool.h>
#include <time.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static bool is_ready;

static void *tell(void *unused) {
    pthread_mutex_lock(&mutex);
    is_ready = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    return unused;
}

int main(void) {
    const struct timespec never = {.tv_sec = (time_t)(~0ULL >> 1)};
    pthread_t thread;
    pthread_create(&thread, NULL, tell, NULL);
    pthread_mutex_lock(&mutex);
#ifdef FIXED
    while (!is_ready)
#endif
        pthread_cond_timedwait(&condition, &mutex, &never);
    pthread_mutex_unlock(&mutex);
    pthread_join(thread, NULL);
    return 0;
}
