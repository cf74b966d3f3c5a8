// A loop that looks three times and then gives up is not one that waits: its fourth look would be
// another. The buggy program takes it that three looks are enough.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static atomic_bool is_ready;

static void *prepare(void *unused) {
    (void)unused;
    atomic_store(&is_ready, true);
    return NULL;
}

static bool wait_for_it(void) {
    for (int looks = 0; looks < 3; looks++)
        if (atomic_load(&is_ready))
            return true;
    return false;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, prepare, NULL);
#ifdef FIXED
    while (!wait_for_it())
        ;
#endif
    assert(wait_for_it());
    return pthread_join(thread, NULL);
}
