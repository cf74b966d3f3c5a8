// Two accounts with a mutex each, and transfers in both directions at once: a deadlock, unless the
// mutexes are always taken in the same order.
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct account {
    pthread_mutex_t mutex;
    int balance;
};

struct transfer {
    struct account *from, *to;
    int amount;
};

static void *transfer(void *argument) {
    struct transfer *order = argument;
    struct account *first = order->from, *second = order->to;
#ifdef FIXED
    if (first > second) {
        first = order->to;
        second = order->from;
    }
#endif
    pthread_mutex_lock(&first->mutex);
    pthread_mutex_lock(&second->mutex);
    order->from->balance -= order->amount;
    order->to->balance += order->amount;
    pthread_mutex_unlock(&second->mutex);
    pthread_mutex_unlock(&first->mutex);
    free(order);
    return NULL;
}

static pthread_t begin_transfer(struct account *from, struct account *to, int amount) {
    struct transfer *order = malloc(sizeof *order);
    *order = (struct transfer){from, to, amount};
    pthread_t thread;
    pthread_create(&thread, NULL, transfer, order);
    return thread;
}

int main(void) {
    struct account *a = calloc(1, sizeof *a), *b = calloc(1, sizeof *b);
    pthread_mutex_init(&a->mutex, NULL);
    pthread_mutex_init(&b->mutex, NULL);
    a->balance = b->balance = 100;
    pthread_t there = begin_transfer(a, b, 10), back = begin_transfer(b, a, 20);
    pthread_join(there, NULL);
    pthread_join(back, NULL);
    assert(a->balance == 110 && b->balance == 90);
    pthread_mutex_destroy(&a->mutex);
    pthread_mutex_destroy(&b->mutex);
    free(a);
    free(b);
    return 0;
}
