// The program ends while its worker waits for more. What the worker holds, on its stack, in
// thread-local variables and in a thread-specific value, is not lost; a request that was put where
// another one stood is. The other waits until the first one was taken.
#include <pthread.h>
#include <stdlib.h>

enum { REQUESTS = 2 };

struct request {
    struct request *self;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct request *pending;
static unsigned taken;
static pthread_key_t key;
static _Thread_local struct request *volatile first;

static struct request *take(void) {
    pthread_mutex_lock(&lock);
    while (!pending)
        pthread_cond_wait(&changed, &lock);
    struct request *request = pending;
    pending = NULL;
    taken++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return request;
}

__attribute__((noinline)) static void remember(void) {
    pthread_setspecific(key, malloc(1));
}

static void *work(void *state) {
    first = take();
    remember();
    struct request *volatile second = take();
    take();
    free(second);
    return state;
}

static void put(void) {
    struct request *request = malloc(sizeof *request);
    request->self = request;
    pthread_mutex_lock(&lock);
#ifdef FIXED
    while (pending)
        pthread_cond_wait(&changed, &lock);
#endif
    pending = request;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

// One that has not begun has what it was given.
static void *idle(void *state) {
    return state;
}

int main(void) {
    pthread_t thread;
    pthread_key_create(&key, free);
    pthread_create(&thread, NULL, work, malloc(1));
    for (int i = 0; i < REQUESTS; i++)
        put();
    pthread_create(&thread, NULL, idle, malloc(1));
    return 0;
}
