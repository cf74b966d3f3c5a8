// A lock-free stack whose nodes go back to malloc. Between the look at the top and its exchange the
// node may have been popped, freed, allocated and pushed again with another one below (the ABA
// problem), or is looked into before. The other one keeps its nodes until everybody has ended.
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct node {
    _Atomic(struct node *) next;
    atomic_int uses; // how often it was popped and not pushed again
};

static _Atomic(struct node *) top;
#ifdef FIXED
static _Atomic(struct node *) retired;
#endif

static void push(struct node *node) {
    struct node *next = atomic_load(&top);
    do
        atomic_store(&node->next, next);
    while (!atomic_compare_exchange_strong(&top, &next, node));
}

static struct node *pop(void) {
    struct node *node = atomic_load(&top);
    while (node && !atomic_compare_exchange_strong(&top, &node, atomic_load(&node->next)))
        ;
    return node;
}

static void release(struct node *node) {
#ifdef FIXED
    struct node *next = atomic_load(&retired);
    do
        atomic_store(&node->next, next);
    while (!atomic_compare_exchange_strong(&retired, &next, node));
#else
    free(node);
#endif
}

static struct node *new_node(void) {
    struct node *node = calloc(1, sizeof *node);
    return node ? node : (abort(), NULL);
}

static void *pop_one(void *unused) {
    struct node *node = pop();
    if (node)
        assert(atomic_fetch_add(&node->uses, 1) == 0);
    return unused;
}

static void *pop_two_push_one(void *unused) {
    struct node *first = pop(), *second = pop();
    if (first)
        release(first);
    if (second)
        assert(atomic_fetch_add(&second->uses, 1) == 0);
    push(new_node());
    return unused;
}

int main(void) {
    pthread_t one, two;
    push(new_node());
    push(new_node());
    pthread_create(&one, NULL, pop_one, NULL);
    pthread_create(&two, NULL, pop_two_push_one, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
    pop_one(NULL);
    return 0;
}
