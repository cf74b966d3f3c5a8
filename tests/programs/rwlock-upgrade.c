// A cache that is filled by who finds it empty, under the lock for reading. The other takes the
// lock anew, for writing, and looks again.
#define _GNU_SOURCE
#include <pthread.h>

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static int cached, fills;

static int look_up(void) {
    pthread_rwlock_rdlock(&lock);
#ifdef FIXED
    int value = cached;
    pthread_rwlock_unlock(&lock);
    if (value != 0)
        return value;
    pthread_rwlock_wrlock(&lock);
#endif
    if (cached == 0) {
        cached = 42;
        fills++;
    }
    int filled = cached;
    pthread_rwlock_unlock(&lock);
    return filled;
}

static void *ask(void *unused) {
    return look_up() == 42 ? NULL : unused;
}

int main(void) {
    pthread_t other;
    pthread_create(&other, NULL, ask, &cached);
    int value = look_up();
    pthread_join(other, NULL);
    return value == 42 && fills == 1 ? 0 : 1;
}
