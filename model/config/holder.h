// The migrator's side of the control table: who may migrate, and the push that no dead process
// blocks.
//
// There is one migrator at a time: the holder of the row "config", by a lease of the same kind as
// the clients'. Another waits until the holder has been silent for so long that its lease has ended
// on every clock, takes the row over, and waits until nothing of its predecessor is under way. If
// the holder finds the row changed it holds it no more: its pushes and its tables' requests fail.
//
// A push changes the row, and then waits for each client that was registered: until it has
// acknowledged, or signed off, or has been silent for a lease, when it is expelled. So a dead
// client delays a push by one lease. When somebody was expelled, by this holder or perhaps by the
// one before, the push ends only after a fence of every table: what such a process had begun within
// its time may still be under way in the table itself.
#ifndef MODEL_CONFIG_HOLDER_H
#define MODEL_CONFIG_HOLDER_H

#include "model/config/control.h"

enum { MT_FENCES_MAX = 4 };

struct mt_holder_options {
    struct ct_env *env;
    const struct mt_bounded *control; // the control table; the holder's alone
    const char *migration;
    const char *id; // no other process has or had it, in this migration
    // Connections of the data tables for fences alone (a fence may come while another thread uses
    // the table), not guarded.
    const struct mt_bounded *fenced[MT_FENCES_MAX];
    size_t fenced_count;
    // Told of each look at the clients that a push waits for, with those that hold it up. NULL: no.
    void (*waits)(void *context, const struct mt_control_clients *clients);
    void *context;
    uint64_t
        nap; // the longest sleep of mt_holder_run, after which it looks whether to stop; 0: any
    struct bug_set *bugs;
};

struct mt_holder {
    struct mt_config config; // first member
    struct mt_holder_options options;
    struct mt_control control;
    struct mt_lease lease;
    struct ct_lock *lock; // of what stands below, and of the control table
    struct arena *scratch;
    struct arena *arenas[2];
    int turn;                     // of the arena that [row] is in
    struct mt_control_config row; // as it was written last
    _Atomic int32_t lease_ms;     // of the row, without the lock; 0: not known yet
    _Atomic int32_t state;        // of the row, likewise
    bool is_held;
    bool must_fence;      // somebody may have been expelled, and no fence has come since
    const char *progress; // to be told with the next beat; NULL: nothing new
    atomic_bool is_stopping;
};

void mt_holder_init(struct mt_holder *holder, const struct mt_holder_options *options);

// Gives back what it holds. mt_holder_run has returned.
void mt_holder_deinit(struct mt_holder *holder);

// For mt_open and mt_migrate: a subscription tells the state and binds nobody; both it and a push
// fail with CT_STATUS_SERVER_ERROR unless the row is held.
struct mt_config *mt_holder_config(struct mt_holder *holder);

// What bounds the requests of the migrator's instance.
struct mt_lease *mt_holder_lease(struct mt_holder *holder);

// Waits until the row is free and takes it. Success also if it was held already; 404: there is no
// such migration; 409: it has ended. After CT_STATUS_SERVER_ERROR it may be called again.
struct ct_outcome mt_holder_take(struct mt_holder *holder);

// Renews the lease, if it lasts still.
void mt_holder_beat(struct mt_holder *holder);

// The same again and again, until mt_holder_stop was called.
void mt_holder_run(struct mt_holder *holder);
void mt_holder_stop(struct mt_holder *holder);

// What the row says of the progress from the next beat on. [progress] lives until the second call
// after this one.
void mt_holder_tell(struct mt_holder *holder, const char *progress);

// Gives the row up, so that nobody need wait; [has_ended]: the migration is over. Fails with
// CT_STATUS_SERVER_ERROR; then it may be held or not.
struct ct_outcome mt_holder_release(struct mt_holder *holder, bool has_ended);

#endif
