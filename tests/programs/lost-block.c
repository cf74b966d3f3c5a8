// A list whose head is overwritten: what it led to is lost. The other frees it; what a variable
// still leads to at the end is no leak.
#include <pthread.h>
#include <stdlib.h>

struct node {
    struct node *next;
    int value;
};

static struct node *kept, *list;

static void put(struct node **head, int value) {
    struct node *node = malloc(sizeof *node);
    *node = (struct node){*head, value};
    *head = node;
}

static void *fill(void *unused) {
    for (int i = 0; i < 3; i++)
        put(&list, i);
    return unused;
}

int main(void) {
    pthread_t thread;
    put(&kept, 1);
    put(&kept, 2);
    pthread_create(&thread, NULL, fill, NULL);
    pthread_join(thread, NULL);
#ifdef FIXED
    while (list) {
        struct node *next = list->next;
        free(list);
        list = next;
    }
#endif
    list = NULL;
    return 0;
}
