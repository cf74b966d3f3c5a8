// A program may call its own what the C library, and so the tester, calls something else: its
// variable `send`, its function `remove`. The buggy one loses an update.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

_Bool send;
static atomic_int lines;

void remove(int more);
void remove(int more) {
#ifdef FIXED
    atomic_fetch_add(&lines, more);
#else
    atomic_store(&lines, atomic_load(&lines) + more);
#endif
}

static void *work(void *unused) {
    (void)unused;
    remove(1);
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert(atomic_load(&lines) == 2 && !send);
    return 0;
}
