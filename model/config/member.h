// A client process of a migration: one lease for all its instances of MigratingTable.
//
// It registers in the control table, renews its lease, takes each new state, moves its running
// calls and streams there, and acknowledges when all have been moved or have ended. If its lease
// ends it is cut off: no request of it has an effect any more (guard.h), and others may count it
// out. When it learns that they have, its running calls fail, and it registers anew.
//
//   mt_member_init(&member, &options);
//   mt_guard_init(&old_guard, &old_table, mt_member_lease(&member)); // and the new one, per thread
//   mt_member_join(&member);             // then a thread of its own: mt_member_run(&member)
//   mt_open(... .config = mt_member_config(&member) ...)
//   mt_member_leave(&member);            // when no call runs; mt_member_run returns
//
// Scheduling points are its requests, locks and sleeps.
#ifndef MODEL_CONFIG_MEMBER_H
#define MODEL_CONFIG_MEMBER_H

#include "core/base/text.h"
#include "model/config/control.h"
#include "model/config/service.h"

struct mt_member_options {
    struct ct_env *env;
    const struct mt_bounded *control; // the control table; the member's alone
    const char *migration;
    const char *id;    // no other process has or had it, in this migration
    const char *about; // for people
    bool is_preemptive;
    uint64_t nap; // the longest sleep, after which it looks whether it is to leave; 0: any
    struct bug_set *bugs;
};

enum mt_membership { MT_MEMBER_OUT, MT_MEMBER_IN, MT_MEMBER_EXPELLED };

struct mt_member {
    struct mt_config config; // first member
    struct mt_member_options options;
    struct mt_control control;
    struct mt_lease lease;
    struct mt_config_service mirror; // of the process
    struct ct_lock *lock;            // of what stands below, and of the control table
    struct arena *arena;             // of its own row
    struct arena *scratch;
    struct mt_control_client row; // as it was written last
    char id[200];                 // of the present registration
    enum mt_membership membership;
    bool is_in_doubt; // what the row in the table has, or whether it is there, is not known
    int32_t registrations;
    uint64_t length;       // of the lease; 0: not known yet
    _Atomic int32_t known; // the newest version seen; read without the lock, too
    enum mt_state state;   // which it is of
    int32_t applied;       // all local calls have been moved to that version, or have ended
    bool is_moving;        // a task is about it
    atomic_bool is_leaving;
};

void mt_member_init(struct mt_member *member, const struct mt_member_options *options);

// Gives back what it holds. mt_member_run has returned, and whatever it has started.
void mt_member_deinit(struct mt_member *member);

// What instances are opened with. Its subscribe fails with CT_STATUS_SERVER_ERROR while the process
// is not registered; its push is a program error.
struct mt_config *mt_member_config(struct mt_member *member);

// What bounds the requests of its instances.
struct mt_lease *mt_member_lease(struct mt_member *member);

// Registers. 404: there is no such migration. After CT_STATUS_SERVER_ERROR it may be called again.
struct ct_outcome mt_member_join(struct mt_member *member);

// Keeps the lease until mt_member_leave was called and it has signed off. Registers by itself if
// that has not succeeded yet.
void mt_member_run(struct mt_member *member);

// No call runs, no stream is open, and none will be.
void mt_member_leave(struct mt_member *member);

#endif
