// As many threads as the argument says live at a time, each of which counts itself. Bug: in two
// steps, between which others count.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static atomic_int count;

static void *count_self(void *unused) {
    pthread_mutex_lock(&gate); // held until all are there
    pthread_mutex_unlock(&gate);
#ifdef FIXED
    atomic_fetch_add(&count, 1);
#else
    atomic_store(&count, atomic_load(&count) + 1);
#endif
    return unused;
}

int main(int argc, char **argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 2;
    pthread_t *ids = malloc((size_t)threads * sizeof *ids);
    pthread_mutex_lock(&gate);
    for (int i = 0; i < threads; i++)
        pthread_create(&ids[i], NULL, count_self, NULL);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    assert(count == threads);
    free(ids);
    return 0;
}
