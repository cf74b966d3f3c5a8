// The migrator's tables as the operator wants them used: no faster than he says, not at all while
// he has paused it, and with a count of what was done. Internal to model/live.
#ifndef MODEL_LIVE_PACE_H
#define MODEL_LIVE_PACE_H

#include "model/live/orders.h"

#include <signal.h>

// Counts and delays batches on their way to [inner].
struct paced_table {
    struct ct_table table; // first member
    struct ct_table *inner;
    struct pace *pace;
    _Atomic uint64_t *rows; // counts what its batches have written or deleted; may be others' too
};

// One for all copiers: their batches together go at the operator's pace.
struct pace {
    struct thread_env *env;
    struct file_connection *control; // for orders
    const char *migration;
    const volatile sig_atomic_t *is_interrupted; // NULL: never
    void (*tell)(void *context);                 // called now and then, while it waits too
    void *context;
    pthread_mutex_t mutex; // of what follows and [control]; whoever waits has it, others line up
    struct orders orders;
    uint64_t looked;       // at the orders, when
    uint64_t due;          // before which the next batch may not go
    _Atomic uint64_t rows; // of all its tables
};

// [rows]: see struct paced_table.
void pace_init(struct paced_table *paced, struct ct_table *inner, struct pace *pace,
               _Atomic uint64_t *rows);

// Waits for as long as the operator wants, also because [rows] more are to come. False:
// interrupted.
bool pace_wait(struct pace *pace, uint64_t rows);

// Waits while [state] is to be held. False: interrupted.
bool pace_hold(struct pace *pace, enum mt_state state);

#endif
