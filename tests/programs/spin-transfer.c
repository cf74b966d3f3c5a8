// A transfer between two accounts, each behind a spin lock of its own. Who adds them up holds one
// after the other, and may see one account before and the other after. The other holds both.
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>

static pthread_spinlock_t first, second;
static int one = 5, other = 5;

static void *transfer(void *unused) {
    pthread_spin_lock(&first);
    pthread_spin_lock(&second);
    one -= 3;
    other += 3;
    pthread_spin_unlock(&second);
    pthread_spin_unlock(&first);
    return unused;
}

static int total(void) {
    pthread_spin_lock(&first);
    int sum = one;
#ifndef FIXED
    pthread_spin_unlock(&first);
#endif
    pthread_spin_lock(&second);
    sum += other;
    pthread_spin_unlock(&second);
#ifdef FIXED
    pthread_spin_unlock(&first);
#endif
    return sum;
}

int main(void) {
    pthread_t thread;
    pthread_spin_init(&first, PTHREAD_PROCESS_PRIVATE);
    pthread_spin_init(&second, PTHREAD_PROCESS_PRIVATE);
    pthread_create(&thread, NULL, transfer, NULL);
    while (pthread_spin_trylock(&second) != 0)
        ;
    pthread_spin_unlock(&second);
    assert(total() == 10);
    pthread_join(thread, NULL);
    return 0;
}
