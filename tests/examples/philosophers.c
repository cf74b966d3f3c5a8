// Dining philosophers: each needs the two forks beside it. If all take the left one first, all may
// wait for the right one for ever: a deadlock. Polite ones, who take the lower fork first but give
// way to whoever else is hungry, never wait for ever, but once two are hungry none ever eats: a
// livelock. Those who only begin with the lower fork all eat.
#include "core/sct.h"

enum { COUNT = 3, MEALS = 2 };
enum manners { ORDERLY, GREEDY, POLITE };

static enum manners manners;
static struct sct_lock forks[COUNT];
static struct sct_atomic hungry; // how many are
static int meals;

static void take(struct sct_lock *first, struct sct_lock *second) {
    sct_lock_acquire(first);
    sct_lock_acquire(second);
}

static void put_down(struct sct_lock *first, struct sct_lock *second) {
    sct_lock_release(second);
    sct_lock_release(first);
}

static void eat(struct sct_lock *first, struct sct_lock *second) {
    struct sct_monitor meal = {0};
    sct_monitor_hot(&meal, "a meal");
    sct_atomic_fetch_add(&hungry, 1);
    take(first, second);
    while (manners == POLITE && sct_atomic_load(&hungry) > 1) {
        put_down(first, second);
        take(first, second);
    }
    meals++;
    sct_atomic_fetch_sub(&hungry, 1);
    put_down(first, second);
    sct_monitor_cold(&meal);
}

static void *philosophise(void *argument) {
    int left = *(const int *)argument, right = (left + 1) % COUNT;
    bool swaps = manners != GREEDY && right < left;
    for (int i = 0; i < MEALS; i++)
        eat(&forks[swaps ? right : left], &forks[swaps ? left : right]);
    return NULL;
}

static void setup(void *context) {
    static const char *const fork_names[COUNT] = {"fork-0", "fork-1", "fork-2"};
    static const char *const names[COUNT] = {"socrates", "plato", "aristotle"};
    static int numbers[COUNT] = {0, 1, 2};
    manners = *(const enum manners *)context;
    meals = 0;
    sct_atomic_init(&hungry, "hungry", 0);
    for (int i = 0; i < COUNT; i++) {
        sct_lock_init(&forks[i], fork_names[i]);
        sct_thread_create(names[i], philosophise, &numbers[i]);
    }
}

static void finish(void *context) {
    (void)context;
    sct_check(meals == COUNT * MEALS, "hungry", "there were %d meals", meals);
}

int main(int argc, char **argv) {
    static enum manners all[] = {ORDERLY, GREEDY, POLITE};
    static const struct sct_test tests[] = {
        {.name = "deadlock",
         .summary = "all begin with the left fork",
         .program = {.setup = setup, .finish = finish, .context = &all[GREEDY]}},
        {.name = "livelock",
         .summary = "all give way to the hungry",
         .program = {.setup = setup, .finish = finish, .context = &all[POLITE]}},
        {.name = "fixed",
         .summary = "all begin with the lower fork",
         .program = {.setup = setup, .finish = finish, .context = &all[ORDERLY]}},
    };
    return sct_run(argc, argv, &(struct sct_suite){"philosophers", tests, 3});
}
