// A lost wake-up: a consumer looks whether the queue is empty, and only then takes the lock to wait
// for the producer's signal. If the producer puts its item and signals in between, nobody hears it,
// and the consumer waits for ever. The correct consumer looks with the lock held, and again
// whenever it wakes up.
#include "core/sct.h"

enum { ITEMS = 2 };

struct queue {
    bool looks_with_lock; // the correction
    struct sct_lock lock;
    struct sct_condition not_empty;
    struct sct_shared count_access;
    int count;
};

static bool is_empty(struct queue *queue) {
    sct_shared_read(&queue->count_access);
    return queue->count == 0;
}

static void add(struct queue *queue, int difference) {
    sct_shared_write(&queue->count_access);
    queue->count += difference;
}

static void put(struct queue *queue) {
    sct_lock_acquire(&queue->lock);
    add(queue, 1);
    sct_condition_signal(&queue->not_empty);
    sct_lock_release(&queue->lock);
}

static void take_with_lost_wakeup(struct queue *queue) {
    bool must_wait = is_empty(queue);
    sct_lock_acquire(&queue->lock);
    if (must_wait)
        sct_condition_wait(&queue->not_empty, &queue->lock);
    add(queue, -1);
    sct_lock_release(&queue->lock);
}

static void take(struct queue *queue) {
    sct_lock_acquire(&queue->lock);
    while (is_empty(queue))
        sct_condition_wait(&queue->not_empty, &queue->lock);
    add(queue, -1);
    sct_lock_release(&queue->lock);
}

static void *produce(void *argument) {
    for (int i = 0; i < ITEMS; i++)
        put(argument);
    return NULL;
}

static void *consume(void *argument) {
    struct queue *queue = argument;
    for (int i = 0; i < ITEMS; i++) {
        if (queue->looks_with_lock)
            take(queue);
        else
            take_with_lost_wakeup(queue);
        sct_check(queue->count >= 0, "underflow", "an item was taken from an empty queue");
    }
    return NULL;
}

static void setup(void *context) {
    struct queue *queue = ARENA_NEW(sct_arena(), struct queue);
    queue->looks_with_lock = *(const bool *)context;
    sct_lock_init(&queue->lock, "queue-lock");
    sct_condition_init(&queue->not_empty, "not-empty");
    sct_shared_init(&queue->count_access, "count");
    if (queue->looks_with_lock)
        sct_condition_allow_spurious(); // a correct program does not mind
    sct_thread_create("producer", produce, queue);
    sct_thread_create("consumer", consume, queue);
}

int main(int argc, char **argv) {
    static bool yes = true, no = false;
    static const struct sct_test tests[] = {
        {.name = "lost",
         .summary = "the consumer looks before it locks",
         .program = {.setup = setup, .context = &no}},
        {.name = "fixed",
         .summary = "the consumer looks with the lock",
         .program = {.setup = setup, .context = &yes}},
    };
    return sct_run(argc, argv, &(struct sct_suite){"wakeup", tests, 2});
}
