#include "model/config/member.h"

// Two renewals in a row may fail or be late, and the third still comes within the lease. FIRST_MS
// stands for the lease as long as nobody knows how long it is.
enum { BEATS = 3, FIRST_MS = 10000 }; // so many to a lease

static struct mt_member *member_of(struct mt_config *config) {
    return (struct mt_member *)config;
}

static void lock(struct mt_member *member) {
    struct ct_env *env = member->options.env;
    env->ops->lock_acquire(env, HERE, member->lock);
}

static void unlock(struct mt_member *member) {
    struct ct_env *env = member->options.env;
    env->ops->lock_release(env, member->lock);
}

static uint64_t present(struct mt_member *member) {
    return member->options.env->ops->now(member->options.env);
}

static void forget(struct mt_member *member) {
    member->options.env->ops->arena_reset(member->options.env, member->scratch, 0);
}

// ---- The row -----------------------------------------------------------------------------------

// The lease that a request sent at [sent] has brought.
static void extend(struct mt_member *member, uint64_t sent) {
    // Whoever watches the row may have seen it change at once.
    uint64_t from = !bug_on(member->options.bugs, BUG_LEASE_FROM_ANSWER) ? sent : present(member);
    atomic_store(&member->lease.end, from + mt_own_lease(member->length));
}

// Keeps what an arena that will be reset holds of the row.
static void keep_etag(struct mt_member *member, const char *etag) {
    struct ct_env *env = member->options.env;
    env->ops->arena_reset(env, member->arena, 0);
    member->row.etag = arena_strdup(member->arena, etag);
}

// Writes the row with what is to be acknowledged. With the lock.
static struct ct_outcome write_row(struct mt_member *member, uint64_t until) {
    // A copy: only what the table has taken becomes the member's row. After a failure the next
    // attempt writes the same beat again, over the same ETag.
    struct mt_control_client row = member->row;
    row.version = member->applied;
    row.beat++;
    uint64_t sent = present(member);
    mt_control_until(&member->control, until, member->lease.request);
    struct ct_outcome outcome = mt_control_write_client(&member->control, member->scratch, &row);
    if (outcome.kind == CT_SUCCEEDED) {
        member->row.version = row.version;
        member->row.beat = row.beat;
        keep_etag(member, row.etag);
        extend(member, sent);
    }
    member->is_in_doubt = outcome.kind == CT_UNKNOWN;
    forget(member);
    return outcome;
}

// Reads the row, if what it has is not known: another write would else have the beat of one that
// may have been done, and be taken for it, with its time and its version. With the lock.
static struct ct_outcome settle(struct mt_member *member, uint64_t until) {
    struct mt_control_client present;
    if (!member->is_in_doubt)
        return ct_success();
    mt_control_until(&member->control, until, member->lease.request);
    struct ct_outcome outcome =
        mt_control_read_client(&member->control, member->scratch, member->id, &present);
    if (outcome.kind == CT_SUCCEEDED) {
        member->row.version = present.version;
        member->row.beat = present.beat;
        keep_etag(member, present.etag);
        member->is_in_doubt = false;
    }
    forget(member);
    return outcome;
}

// Others have counted this process out: nothing that it has begun may go on.
// First the lease: the guards send nothing more, while the close waits for the calls that still
// run. OUT comes last, for it lets the process register anew.
static void end_all_calls(struct mt_member *member) {
    atomic_store(&member->lease.end, 0);
    mt_config_service_close(&member->mirror, HERE);
    lock(member);
    member->membership = MT_MEMBER_OUT;
    unlock(member);
}

// Renews the lease and acknowledges. Whether the process is registered still.
static bool renew(struct mt_member *member) {
    lock(member);
    if (member->membership != MT_MEMBER_IN) {
        unlock(member);
        return false;
    }
    // Not bounded by the lease, which may have lapsed. It does no harm to renew late: the ETag
    // proves that nobody has deleted the row, so no push has ended without this process.
    uint64_t until = present(member) + member->length;
    struct ct_outcome outcome = settle(member, until);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = write_row(member, until);
    bool is_expelled = ct_failed_with(outcome, CT_STATUS_NOT_FOUND) ||
                       ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED);
    // Before the lock is given back, so that the beat and the task that moves calls do not both
    // take the expulsion upon them: only one of them finds IN.
    if (is_expelled) {
        member->membership = MT_MEMBER_EXPELLED;
        member->is_in_doubt = false;
    }
    unlock(member);
    if (is_expelled)
        end_all_calls(member);
    return !is_expelled;
}

// ---- New states --------------------------------------------------------------------------------

// The barrier within the process: returns when no local call is in an earlier state. So the row in
// the control table speaks for all calls of the process at once.
static void move_calls(struct mt_member *member, enum mt_state state) {
    struct mt_config *mirror = &member->mirror.config;
    mirror->ops->push(mirror, HERE, state);
}

// Runs concurrently: it may wait for calls.
static void move(void *argument) {
    struct mt_member *member = argument;
    struct bug_set *bugs = member->options.bugs;
    bool is_done = false;
    // Versions that came while calls were being moved are taken together: only the newest is
    // pushed.
    while (!is_done) {
        lock(member);
        int32_t version = member->known;
        enum mt_state state = member->state;
        unlock(member);
        // The migrator counts on what is acknowledged.
        if (!bug_on(bugs, BUG_ACKNOWLEDGE_BEFORE_CALLS_END))
            move_calls(member, state);
        lock(member);
        member->applied = version;
        is_done = member->known == version || member->membership != MT_MEMBER_IN;
        unlock(member);
        renew(member);
        if (bug_on(bugs, BUG_ACKNOWLEDGE_BEFORE_CALLS_END))
            move_calls(member, state);
    }
    lock(member);
    // A version that was seen since the loop has ended has started no task. It is not lost: it is
    // not [applied], so the look of the next beat starts one.
    member->is_moving = false;
    unlock(member);
}

// With the lock, which it gives back.
static void take_config(struct mt_member *member, const struct mt_control_config *config) {
    struct ct_env *env = member->options.env;
    member->known = config->version;
    member->state = config->state;
    bool must_start = !member->is_moving && member->applied != member->known &&
                      member->membership == MT_MEMBER_IN;
    member->is_moving = member->is_moving || must_start;
    unlock(member);
    if (must_start)
        env->ops->start(env, "take a new state", move, member);
}

static struct ct_outcome read_config(struct mt_member *member, uint64_t until,
                                     struct mt_control_config *config) {
    mt_control_until(&member->control, until, member->lease.request);
    return mt_control_read_config(&member->control, member->scratch, config);
}

// A look that fails is not made again: the next beat looks.
static void look(struct mt_member *member) {
    struct mt_control_config config;
    lock(member);
    struct ct_outcome outcome = read_config(member, present(member) + member->length, &config);
    if (outcome.kind == CT_SUCCEEDED)
        take_config(member, &config);
    else
        unlock(member);
}

// ---- Registration ------------------------------------------------------------------------------

// Before it is registered, a process only wants to know how long a lease is.
static struct ct_outcome learn_length(struct mt_member *member, struct mt_control_config *config) {
    // The request changes nothing, so its bound protects nobody: it only limits the wait.
    uint64_t until = present(member) + mt_nanoseconds(FIRST_MS);
    member->lease.request = mt_nanoseconds(FIRST_MS);
    struct ct_outcome outcome = read_config(member, until, config);
    if (outcome.kind == CT_SUCCEEDED) {
        member->length = mt_nanoseconds(config->lease_ms);
        // A call whose request is not answered may so be told before the lease ends.
        member->lease.request = member->length / 2;
    }
    return outcome;
}

// Deletes the row of a registration that came to nothing, if it is there, in whatever version: a
// push would wait for it, and nobody renews it. With the lock.
static struct ct_outcome withdraw(struct mt_member *member) {
    struct mt_control_client row = {.id = member->id, .etag = CT_ANY_ETAG};
    mt_control_until(&member->control, present(member) + member->length, member->lease.request);
    struct ct_outcome outcome = mt_control_delete_client(&member->control, member->scratch, &row);
    if (ct_failed_with(outcome, CT_STATUS_NOT_FOUND))
        outcome = ct_success();
    if (outcome.kind == CT_SUCCEEDED)
        member->is_in_doubt = false;
    return outcome;
}

// With the lock.
static struct ct_outcome register_process(struct mt_member *member) {
    struct mt_control_config config;
    struct ct_outcome outcome = learn_length(member, &config);
    if (outcome.kind == CT_SUCCEEDED && member->is_in_doubt)
        outcome = withdraw(member);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    // Each registration has a key of its own. A push that waits for the one before sees it gone,
    // and a write of that one that is still under way cannot touch this row.
    member->registrations++;
    // The row says version 0, which no push has: one that lists it waits until it is acknowledged.
    member->applied = 0;
    struct text id = text_in(member->id, sizeof member->id);
    text_add(&id, "%s.%d", member->options.id, (int)member->registrations);
    member->row = (struct mt_control_client){.id = member->id, .about = member->options.about};
    uint64_t until = present(member) + mt_own_lease(member->length);
    outcome = write_row(member, until);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    // In this order: a push that has not seen the row has changed the configuration before.
    if (!bug_on(member->options.bugs, BUG_REGISTER_AFTER_READING))
        outcome = read_config(member, until, &config);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    // No call runs yet, so there is nothing to move: the state is taken as it is. [join]
    // acknowledges it.
    member->known = member->applied = config.version;
    member->state = config.state;
    member->membership = MT_MEMBER_IN;
    mt_config_service_open(&member->mirror, config.state);
    return outcome;
}

struct ct_outcome mt_member_join(struct mt_member *member) {
    lock(member);
    // What moved the calls of before is to have ended.
    bool is_free = member->membership == MT_MEMBER_OUT && !member->is_moving;
    struct ct_outcome outcome =
        is_free ? register_process(member) : ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    forget(member);
    unlock(member);
    if (outcome.kind == CT_SUCCEEDED)
        renew(member);
    return outcome.kind == CT_UNKNOWN ? ct_storage_error(CT_STATUS_SERVER_ERROR, 0) : outcome;
}

// No call runs, so nobody need wait for this process. If the delete fails it is not made again: the
// next push finds a silent row and expels it after a lease.
static void sign_off(struct mt_member *member) {
    lock(member);
    bool is_in = member->membership == MT_MEMBER_IN;
    if (member->is_in_doubt) {
        withdraw(member);
    } else if (is_in) {
        mt_control_until(&member->control, present(member) + member->length, member->lease.request);
        mt_control_delete_client(&member->control, member->scratch, &member->row);
    }
    if (is_in) {
        member->membership = MT_MEMBER_OUT;
        atomic_store(&member->lease.end, 0);
    }
    forget(member);
    unlock(member);
}

// ---- The interface -----------------------------------------------------------------------------

// At the mirror: a call costs no request to the control table. While the process is not registered
// the mirror is closed and refuses.
static struct ct_outcome subscribe(struct mt_config *config, struct mt_subscription *subscription,
                                   enum mt_state *state) {
    struct mt_config *mirror = &member_of(config)->mirror.config;
    return mirror->ops->subscribe(mirror, subscription, state);
}

static void unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    struct mt_config *mirror = &member_of(config)->mirror.config;
    mirror->ops->unsubscribe(mirror, subscription);
}

static struct ct_outcome push(struct mt_config *config, const char *where, enum mt_state state) {
    (void)config;
    (void)state;
    fail_at(FAIL_PROGRAM_ERROR, where, "a client process pushes no states");
}

void mt_member_init(struct mt_member *member, const struct mt_member_options *options) {
    static const struct mt_config_ops ops = {.version = MT_CONFIG_VERSION,
                                             .subscribe = subscribe,
                                             .unsubscribe = unsubscribe,
                                             .push = push};
    struct ct_env *env = options->env;
    *member = (struct mt_member){
        .config = {&ops}, .options = *options, .lease = {.env = env, .bugs = options->bugs}};
    mt_control_init(&member->control, env, options->control, options->migration, options->bugs);
    mt_config_service_init(&member->mirror, env, MT_USE_OLD_HIDE_METADATA, options->is_preemptive);
    mt_config_service_close(&member->mirror, HERE);
    member->lock = env->ops->lock_create(env);
    member->arena = env->ops->arena_open(env);
    member->scratch = env->ops->arena_open(env);
}

void mt_member_deinit(struct mt_member *member) {
    struct ct_env *env = member->options.env;
    mt_config_service_deinit(&member->mirror);
    env->ops->lock_destroy(env, member->lock);
    env->ops->arena_close(env, member->scratch);
    env->ops->arena_close(env, member->arena);
}

struct mt_config *mt_member_config(struct mt_member *member) {
    return &member->config;
}

struct mt_lease *mt_member_lease(struct mt_member *member) {
    return &member->lease;
}

// For [time], or until it is to leave.
// In naps, since a sleep cannot be woken: to leave takes no longer than one of them.
static void rest(struct mt_member *member, uint64_t time) {
    struct ct_env *env = member->options.env;
    uint64_t nap = member->options.nap > 0 ? member->options.nap : time;
    for (uint64_t left = time; left > 0 && !atomic_load(&member->is_leaving);) {
        nap = left < nap ? left : nap;
        env->ops->sleep(env, HERE, nap);
        left -= nap;
    }
}

void mt_member_run(struct mt_member *member) {
    while (!atomic_load(&member->is_leaving)) {
        ct_forget(member->options.env, (struct digest){0, 0}, "member: beat", 0);
        rest(member, (member->length > 0 ? member->length : mt_nanoseconds(FIRST_MS)) / BEATS);
        if (atomic_load(&member->is_leaving))
            break;
        // First the lease, which ends; a look that is late or fails is made up for at the next
        // beat.
        if (renew(member))
            look(member);
        else
            mt_member_join(member);
    }
    sign_off(member);
}

void mt_member_leave(struct mt_member *member) {
    atomic_store(&member->is_leaving, true);
}
