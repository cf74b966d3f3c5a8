// Where variables of calls are, and what they hold before they are set, is the same in each
// execution, in a fresh process too: the program goes by both, which it should not.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

static atomic_uint turns;

static void turn(unsigned count) {
    while (count-- > 0)
        atomic_fetch_add(&turns, 1);
}

static void *run(void *unused) {
    unsigned char left[500];
    unsigned sum = 0;
    for (unsigned i = 0; i < sizeof left; i++)
        sum += ((volatile unsigned char *)left)[i];
    turn(1 + sum % 7);
    turn(((uintptr_t)left >> 12) % 5);
    memset(left, (int)(1 + (uintptr_t)left % 250), sizeof left);
    turn(((volatile unsigned char *)left)[7] % 2);
    return unused;
}

int main(void) {
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, run, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
#ifndef FIXED
    assert(turns > 1000);
#endif
    return 0;
}
