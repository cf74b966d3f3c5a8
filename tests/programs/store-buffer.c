// Dekker's entry: both write their flag and read the other's. With less than SEQ_CST both may read
// the old value and be inside at once; no interleaving shows that.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#ifdef FIXED
#define ORDER memory_order_seq_cst
#else
#define ORDER memory_order_relaxed
#endif

static atomic_int wants[2], inside;

static void *enter(void *number) {
    int me = *(int *)number;
    atomic_store_explicit(&wants[me], 1, ORDER);
    if (!atomic_load_explicit(&wants[1 - me], ORDER)) {
        assert(atomic_fetch_add(&inside, 1) == 0);
        atomic_fetch_sub(&inside, 1);
    }
    return NULL;
}

int main(void) {
    static int numbers[2] = {0, 1};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, enter, &numbers[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
