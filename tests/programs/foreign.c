// A library that counts, and a program that goes by its count: no two executions are the same,
// unless the library is built by mtcheck-cc, too. LIBRARY says which of the two this is.
#include <pthread.h>
#include <stdatomic.h>

int next_number(void);

#ifdef LIBRARY
static int calls;

int next_number(void) {
    return calls++;
}
#else
static atomic_int turns;

static void *run(void *unused) {
    atomic_fetch_add(&turns, 1);
    return unused;
}

int main(void) {
    pthread_t thread;
    int number = next_number();
    pthread_create(&thread, NULL, run, NULL);
    if (number % 2 == 0)
        run(NULL);
    pthread_join(thread, NULL);
    return 0;
}
#endif
