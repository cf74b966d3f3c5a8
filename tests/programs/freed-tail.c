// A queue whose consumer frees each node as soon as it has left it: a producer that has read the
// tail before may append to that node. Two producers are enough; one alone has the tail to itself.
// FIXED: it keeps them.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct node {
    _Atomic(struct node *) next;
    struct node *left; // the one that was left before
    int value;
};

static _Atomic(struct node *) tail;
static struct node *head; // the consumer's

static struct node *make(int value) {
    struct node *node = calloc(1, sizeof *node);
    node->value = value;
    return node;
}

static void *append(void *unused) {
    struct node *node = make(1), *last, *none;
    do {
        last = atomic_load(&tail);
        none = NULL;
    } while (!atomic_compare_exchange_strong(&last->next, &none, node));
    atomic_compare_exchange_strong(&tail, &last, node);
    return unused;
}

#ifdef FIXED
static struct node *left;

static void leave(struct node *node) {
    node->left = left;
    left = node;
}
#else
static void leave(struct node *node) {
    free(node);
}
#endif

static int take(void) {
    struct node *first = head, *next = atomic_load(&first->next);
    if (!next || atomic_load(&tail) == first)
        return 0;
    head = next;
    leave(first);
    return next->value;
}

int main(void) {
    pthread_t threads[2];
    head = make(0);
    atomic_store(&tail, head);
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, append, NULL);
    for (int i = 0; i < 3; i++)
        take();
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    return 0;
}
