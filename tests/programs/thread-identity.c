// Threads that register by the address of a thread-local variable, as lock-free queues do. Nobody
// joins the first one; the second must not be taken for it unless it comes after it.
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>

static struct {
    atomic_uintptr_t key;
    int uses;
} entries[4];

static _Thread_local char identity;
static sem_t done;

static void *use_entry(void *unused) {
    uintptr_t own = (uintptr_t)&identity;
    for (int i = 0;; i++) {
        uintptr_t nobody = 0;
        assert(i < 4);
        if (atomic_load_explicit(&entries[i].key, memory_order_relaxed) != own &&
            !atomic_compare_exchange_strong_explicit(&entries[i].key, &nobody, own,
                                                     memory_order_relaxed, memory_order_relaxed))
            continue;
        entries[i].uses++;
        break;
    }
    sem_post(&done);
    return unused;
}

int main(void) {
    sem_init(&done, 0, 0);
    for (int i = 0; i < 2; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, use_entry, NULL);
        pthread_detach(thread);
    }
    sem_wait(&done);
    sem_wait(&done);
    return entries[0].uses + entries[1].uses == 2 ? 0 : 1;
}
