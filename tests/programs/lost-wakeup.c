// A mailbox of one place with a mutex and one condition for both sides: "signal" may wake the wrong
// one, and nobody goes on.
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>

enum { EACH = 2 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool is_full;
static int taken;

static void tell(void) {
#ifdef FIXED
    pthread_cond_broadcast(&changed);
#else
    pthread_cond_signal(&changed);
#endif
}

static void *put(void *unused) {
    for (int i = 0; i < EACH; i++) {
        pthread_mutex_lock(&mutex);
        while (is_full)
            pthread_cond_wait(&changed, &mutex);
        is_full = true;
        tell();
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

static void *take(void *unused) {
    for (int i = 0; i < EACH; i++) {
        pthread_mutex_lock(&mutex);
        while (!is_full)
            pthread_cond_wait(&changed, &mutex);
        is_full = false;
        taken++;
        tell();
        pthread_mutex_unlock(&mutex);
    }
    return unused;
}

int main(void) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, i % 2 ? put : take, NULL);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    assert(taken == 2 * EACH);
    return 0;
}
