// A counter in a message as it came over the wire, without the padding that would align it: an
// atomic operation on it is undefined, whatever this machine makes of it.
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#ifdef FIXED
struct message {
    char tag;
    atomic_int count;
};
#else
struct __attribute__((packed)) message {
    char tag;
    atomic_int count;
};
#endif

static void *count(void *argument) {
    struct message *message = argument;
    atomic_fetch_add((atomic_int *)((char *)message + offsetof(struct message, count)), 1);
    return NULL;
}

int main(void) {
    pthread_t thread;
    struct message *message = calloc(1, sizeof *message);
    pthread_create(&thread, NULL, count, message);
    pthread_join(thread, NULL);
    free(message);
    return 0;
}
