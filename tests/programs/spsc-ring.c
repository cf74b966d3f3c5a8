// A ring of one producer and one consumer with C11 threads and atomics. The buggy one says that a
// place is filled before it has filled it.
#include <assert.h>
#include <stdatomic.h>
#include <threads.h>

enum { PLACES = 2, ITEMS = 3 };

static atomic_uint head, tail;
static atomic_int ring[PLACES];

static int put(int item) {
    unsigned at = atomic_load(&head);
    if (at - atomic_load(&tail) == PLACES)
        return 0;
#ifdef FIXED
    atomic_store(&ring[at % PLACES], item);
    atomic_store(&head, at + 1);
#else
    atomic_store(&head, at + 1);
    atomic_store(&ring[at % PLACES], item);
#endif
    return 1;
}

static int get(int *item) {
    unsigned at = atomic_load(&tail);
    if (at == atomic_load(&head))
        return 0;
    *item = atomic_load(&ring[at % PLACES]);
    atomic_store(&tail, at + 1);
    return 1;
}

static int produce(void *unused) {
    (void)unused;
    for (int item = 1; item <= ITEMS;)
        if (put(item))
            item++;
        else
            thrd_yield();
    return ITEMS;
}

int main(void) {
    thrd_t producer;
    int result;
    thrd_create(&producer, produce, NULL);
    for (int expected = 1, item; expected <= ITEMS;)
        if (get(&item))
            assert(item == expected++);
        else
            thrd_yield();
    thrd_join(producer, &result);
    assert(result == ITEMS);
    return 0;
}
