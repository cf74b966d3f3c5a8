// A spin lock made of an atomic flag, and one who waits for the other without letting it go.
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

static atomic_flag lock = ATOMIC_FLAG_INIT;
static atomic_int turn;

static void take(void) {
    while (atomic_flag_test_and_set(&lock))
        sched_yield();
}

static void *wait_for_turn(void *unused) {
    take();
    while (atomic_load(&turn) == 0) {
#ifdef FIXED
        atomic_flag_clear(&lock);
        sched_yield();
        take();
#else
        sched_yield();
#endif
    }
    atomic_flag_clear(&lock);
    return unused;
}

static void *give_turn(void *unused) {
    take();
    atomic_store(&turn, 1);
    atomic_flag_clear(&lock);
    return unused;
}

int main(void) {
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, wait_for_turn, NULL);
    pthread_create(&threads[1], NULL, give_turn, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
