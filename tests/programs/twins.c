// Threads that begin alike, and what tells them apart (--symmetry): `twins COUNT [WHAT]`. Each adds
// twice to a counter under a lock. WHAT: nothing, or
//     self       one looks who it is
//     detach     main lets one of them go
//     between    main looks at the counter between two joins
//     early      main returns when it has joined one of them
//     results    the first one that adds returns something else than the others
//     arguments  they have different arguments: none is like another
//     order      the first thread is always the first to add (a mistake)
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT_MAX = 8 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int counter;

static int add(void) {
    pthread_mutex_lock(&mutex);
    int old = counter++;
    pthread_mutex_unlock(&mutex);
    return old;
}

static void *work(void *unused) {
    (void)unused;
    add();
    add();
    return NULL;
}

static void *look(void *unused) {
    return pthread_self() ? work(unused) : NULL;
}

static void *tell(void *unused) {
    (void)unused;
    return add() == 0 ? &counter : NULL;
}

// Whoever is the first to add is the thread that main joins first, if they are in order.
static void join_results(const pthread_t *threads, int count, int is_ordered) {
    void *results[COUNT_MAX];
    for (int i = 0; i < count; i++)
        pthread_join(threads[i], &results[i]);
    assert(!is_ordered || results[0]);
}

static void join(const pthread_t *threads, int count, const char *what) {
    int looks = strcmp(what, "between") == 0, leaves = strcmp(what, "early") == 0;
    for (int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        if (leaves)
            exit(0);
        if (looks)
            add();
    }
}

int main(int argc, char **argv) {
    pthread_t threads[COUNT_MAX];
    const char *what = argc > 2 ? argv[2] : "nothing";
    int count = atoi(argv[1]), is_apart = strcmp(what, "arguments") == 0;
    int is_ordered = strcmp(what, "order") == 0;
    int has_results = is_ordered || strcmp(what, "results") == 0;
    void *(*function)(void *) = has_results ? tell : strcmp(what, "self") == 0 ? look : work;
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i], NULL, function, is_apart ? &threads[i] : NULL);
    if (strcmp(what, "detach") == 0)
        pthread_detach(threads[0]);
    else if (has_results)
        join_results(threads, count, is_ordered);
    else
        join(threads, count, what);
    return 0;
}
