// A lock by a futex: 0 free, 1 held, 2 held and perhaps waited for (Drepper, "Futexes are tricky").
// Who has waited takes it as 1, and forgets the others who wait. The other takes it as 2.
#define _GNU_SOURCE
#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS = 3 };

static atomic_uint word;
static int counter;

static void lock(void) {
    unsigned seen = 0;
    if (atomic_compare_exchange_strong(&word, &seen, 1))
        return;
#ifdef FIXED
    while (atomic_exchange(&word, 2) != 0)
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
#else
    do {
        if (seen == 2 || atomic_compare_exchange_strong(&word, &seen, 2))
            syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 2, NULL, NULL, 0);
        seen = 0;
    } while (!atomic_compare_exchange_strong(&word, &seen, 1));
#endif
}

static void unlock(void) {
    if (atomic_exchange(&word, 0) == 2)
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *count(void *unused) {
    lock();
    counter++;
    unlock();
    return unused;
}

int main(void) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, count, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return counter == THREADS ? 0 : 1;
}
