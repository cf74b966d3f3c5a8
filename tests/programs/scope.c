// A pointer to a variable of a block that has ended, whose call goes on: that nobody tells of, and
// nothing is found (UNTAKEN), unless another block's variable takes the place, as compilers have it
// from -O1 on: then that one's writes race with whoever still has the pointer.
#include <pthread.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int *shared;

static void *use(void *unused) {
    pthread_mutex_lock(&mutex);
    int *found = shared;
    pthread_mutex_unlock(&mutex);
    if (found)
        *found = 3;
    return unused;
}

static void publish(int *variable) {
    pthread_mutex_lock(&mutex);
    shared = variable;
    pthread_mutex_unlock(&mutex);
}

#ifndef UNTAKEN
static void write_to(int *variable) {
    *variable = 5;
}

// Through a pointer: else nothing would be left of a write that nobody reads.
static void (*volatile write_somewhere)(int *) = write_to;
#endif

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, use, NULL);
    {
        int first = 1;
        publish(&first);
#ifdef FIXED
        pthread_join(thread, NULL);
#endif
    }
#ifndef UNTAKEN
    {
        int second = 4;
        write_somewhere(&second);
    }
#endif
#ifndef FIXED
    pthread_join(thread, NULL);
#endif
    return 0;
}
