#include "model/config/holder.h"

#include <string.h>

// Two beats may fail before the lease is lost. A look costs one query: with eight of them a push
// ends within an eighth of a lease of the last acknowledgement. FIRST_MS bounds requests before the
// row has told how long a lease is.
enum { BEATS = 3, LOOKS = 8, FIRST_MS = 10000 }; // so many beats and looks to a lease

static struct mt_holder *holder_of(struct mt_config *config) {
    return (struct mt_holder *)config;
}

static void lock(struct mt_holder *holder) {
    struct ct_env *env = holder->options.env;
    env->ops->lock_acquire(env, HERE, holder->lock);
}

static void unlock(struct mt_holder *holder) {
    struct ct_env *env = holder->options.env;
    env->ops->lock_release(env, holder->lock);
}

static uint64_t present(struct mt_holder *holder) {
    return holder->options.env->ops->now(holder->options.env);
}

static void rest(struct mt_holder *holder, const char *where, uint64_t time) {
    holder->options.env->ops->sleep(holder->options.env, where, time);
}

static uint64_t length_of(const struct mt_control_config *config) {
    return mt_nanoseconds(config->lease_ms);
}

// After how long a silence others' leases have ended.
static uint64_t patience(const struct mt_control_config *config) {
    return mt_foreign_lease(length_of(config), mt_nanoseconds(config->request_ms));
}

static struct ct_outcome not_held(void) {
    return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

// ---- The row -----------------------------------------------------------------------------------

// Keeps [row], whose strings may be those of the row before.
// That is why there are two arenas: the one before is emptied when all has been copied from it.
static void keep(struct mt_holder *holder, const struct mt_control_config *row) {
    struct ct_env *env = holder->options.env;
    holder->turn = !holder->turn;
    struct arena *arena = holder->arenas[holder->turn];
    struct mt_control_config kept = *row;
    kept.etag = arena_strdup(arena, row->etag);
    kept.progress = arena_strdup(arena, row->progress);
    kept.old_name = arena_strdup(arena, row->old_name);
    kept.new_name = arena_strdup(arena, row->new_name);
    kept.holder = *row->holder ? holder->options.id : "";
    holder->row = kept;
    atomic_store(&holder->lease_ms, kept.lease_ms);
    atomic_store(&holder->state, kept.state);
    env->ops->arena_reset(env, holder->arenas[!holder->turn], 0);
}

// The end of what began with lock(): nothing that it has read is needed any more.
static void forget_and_unlock(struct mt_holder *holder) {
    struct ct_env *env = holder->options.env;
    env->ops->arena_reset(env, holder->scratch, 0);
    unlock(holder);
}

// Writes [row] under the lease that ends at [until]. With the lock. Success renews the lease.
// The lease counts from before the request, for another may have seen the row change at once. A
// server error means that nothing was done and nothing will be, so the row is as held as before. If
// it is not known what the row has now, only mt_holder_take goes on, which reads it; the lease that
// there is lasts to its end. Any other refusal means that somebody has changed it, and only a
// successor does.
static struct ct_outcome write_row(struct mt_holder *holder, struct mt_control_config row,
                                   uint64_t until) {
    // Half a lease for the request: if it is not answered, the other half is left to find out what
    // became of it.
    uint64_t sent = present(holder);
    row.beat++;
    mt_control_until(&holder->control, until, length_of(&row) / 2);
    struct ct_outcome outcome = mt_control_write_config(&holder->control, holder->scratch, &row);
    if (outcome.kind == CT_SUCCEEDED) {
        keep(holder, &row);
        holder->is_held = *row.holder;
        holder->lease.request = length_of(&row) / 2;
        atomic_store(&holder->lease.end,
                     holder->is_held ? sent + mt_own_lease(length_of(&row)) : 0);
    } else if (outcome.kind == CT_UNKNOWN) {
        holder->is_held = false;
    } else if (!ct_failed_with(outcome, CT_STATUS_SERVER_ERROR)) {
        holder->is_held = false; // somebody else has it
        atomic_store(&holder->lease.end, 0);
    }
    return outcome;
}

// Changes the row that is held.
// A lease that has lapsed is not renewed here, though nobody may have taken the row: only
// mt_holder_take gets it back, with the fence that belongs to it.
static struct ct_outcome change_row(struct mt_holder *holder, struct mt_control_config row) {
    if (!holder->is_held || !mt_lease_holds(&holder->lease))
        return not_held();
    if (holder->progress)
        row.progress = holder->progress;
    return write_row(holder, row, atomic_load(&holder->lease.end));
}

// ---- Taking it ---------------------------------------------------------------------------------

// What somebody watches, and since when it is as it is: counted from after the look, for until then
// it may have changed.
struct watch {
    char etag[128];
    uint64_t since;
};

// Whether what has the ETag [etag] now has been silent for [time].
// ETags never come back, so one that is the same at two looks was there all the time between them.
static bool is_silent(struct mt_holder *holder, struct watch *watch, const char *etag,
                      uint64_t time) {
    uint64_t now = present(holder);
    ASSERT(strlen(etag) < sizeof watch->etag);
    if (strcmp(watch->etag, etag) != 0) {
        memcpy(watch->etag, etag, strlen(etag) + 1);
        watch->since = now;
    }
    return now - watch->since >= time;
}

// What it stands for, for those who compare states.
static uint64_t watch_value(const struct watch *watch) {
    return digest_fold(digest_of(watch->etag, strlen(watch->etag)), watch->since).low;
}

// One look; [taken] tells whether it is held now. With the lock.
static struct ct_outcome look(struct mt_holder *holder, struct watch *watch, bool *taken,
                              uint64_t *pause) {
    struct mt_control_config row;
    uint64_t first = mt_nanoseconds(FIRST_MS);
    mt_control_until(&holder->control, present(holder) + first, first);
    struct ct_outcome outcome = mt_control_read_config(&holder->control, holder->scratch, &row);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    if (row.has_ended)
        return ct_storage_error(CT_STATUS_CONFLICT, 0);
    *pause = length_of(&row) / LOOKS;
    // Our own id: the lease has lapsed, or the answer to a write was lost. None of our own requests
    // is under way any more, so there is nobody to wait for.
    bool is_free = !*row.holder || strcmp(row.holder, holder->options.id) == 0;
    // The holder may be alive, and its requests on their way.
    if (!is_free && !bug_on(holder->options.bugs, BUG_TAKE_OVER_WITHOUT_WAITING) &&
        !is_silent(holder, watch, row.etag, patience(&row)))
        return outcome;
    row.holder = holder->options.id;
    // There is no lease yet that could bound this request: it ends with the one that it is to
    // bring.
    outcome = write_row(holder, row, present(holder) + mt_own_lease(length_of(&row)));
    *taken = outcome.kind == CT_SUCCEEDED;
    // The one before may have expelled somebody and not come to the fence.
    if (*taken && !bug_on(holder->options.bugs, BUG_SUCCESSOR_WITHOUT_FENCE))
        holder->must_fence = true;
    // 412: another was quicker, or the holder lives. Not taken, and to be looked at again.
    return ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED) ? ct_success() : outcome;
}

struct ct_outcome mt_holder_take(struct mt_holder *holder) {
    struct ct_env *env = holder->options.env;
    struct digest mark = ct_observed(env);
    struct watch watch = {.etag = ""};
    bool taken = false;
    for (;;) {
        uint64_t pause = 0;
        ct_forget(env, mark, "holder: waits for its turn", watch_value(&watch));
        lock(holder);
        taken = holder->is_held && mt_lease_holds(&holder->lease);
        struct ct_outcome outcome = taken ? ct_success() : look(holder, &watch, &taken, &pause);
        forget_and_unlock(holder);
        if (taken || outcome.kind != CT_SUCCEEDED)
            return outcome.kind == CT_UNKNOWN ? not_held() : outcome;
        rest(holder, HERE, pause);
    }
}

void mt_holder_beat(struct mt_holder *holder) {
    lock(holder);
    change_row(holder, holder->row);
    forget_and_unlock(holder);
}

void mt_holder_run(struct mt_holder *holder) {
    while (!atomic_load(&holder->is_stopping)) {
        ct_forget(holder->options.env, (struct digest){0, 0}, "holder: beat", 0);
        int32_t lease_ms = atomic_load(&holder->lease_ms);
        uint64_t left = mt_nanoseconds(lease_ms > 0 ? lease_ms : FIRST_MS) / BEATS;
        uint64_t nap = holder->options.nap > 0 ? holder->options.nap : left;
        while (left > 0 && !atomic_load(&holder->is_stopping)) {
            nap = left < nap ? left : nap;
            rest(holder, HERE, nap);
            left -= nap;
        }
        if (!atomic_load(&holder->is_stopping))
            mt_holder_beat(holder);
    }
}

void mt_holder_tell(struct mt_holder *holder, const char *progress) {
    lock(holder);
    holder->progress = progress;
    unlock(holder);
}

void mt_holder_stop(struct mt_holder *holder) {
    atomic_store(&holder->is_stopping, true);
}

struct ct_outcome mt_holder_release(struct mt_holder *holder, bool has_ended) {
    lock(holder);
    struct mt_control_config row = holder->row;
    row.holder = "";
    row.has_ended = row.has_ended || has_ended;
    struct ct_outcome outcome = change_row(holder, row);
    forget_and_unlock(holder);
    return outcome.kind == CT_SUCCEEDED ? outcome : not_held();
}

// ---- Pushes ------------------------------------------------------------------------------------

// A client that a push waits for.
struct awaited {
    const char *id;
    struct watch watch;
    bool is_done;
};

struct push {
    struct mt_holder *holder;
    struct arena *arena; // of the push
    struct awaited *clients;
    size_t count;
    int32_t version;
    uint64_t patience;
};

static struct ct_outcome read_clients(struct push *push, struct arena *arena,
                                      struct mt_control_clients *clients) {
    struct mt_holder *holder = push->holder;
    mt_control_until(&holder->control, atomic_load(&holder->lease.end), holder->lease.request);
    return mt_control_read_clients(&holder->control, arena, clients);
}

// Whoever registers from now on finds the new version.
// Once, after the row was changed: whoever registers later inserts its row first and then reads the
// row "config", so a client that is not on the list reads the new version.
static struct ct_outcome list_clients(struct push *push) {
    struct mt_control_clients clients;
    struct ct_outcome outcome = read_clients(push, push->arena, &clients);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    push->count = clients.count;
    push->clients = ARENA_ARRAY(push->arena, struct awaited, clients.count);
    for (size_t i = 0; i < clients.count; i++)
        push->clients[i] = (struct awaited){.id = clients.clients[i].id};
    return outcome;
}

static const struct mt_control_client *find(const struct mt_control_clients *clients,
                                            const char *id) {
    for (size_t i = 0; i < clients->count; i++)
        if (strcmp(clients->clients[i].id, id) == 0)
            return &clients->clients[i];
    return NULL;
}

static struct ct_outcome expel(struct push *push, struct awaited *awaited,
                               const struct mt_control_client *client, struct arena *arena) {
    struct mt_holder *holder = push->holder;
    struct ct_outcome outcome = ct_success();
    // Before the request: if its answer is lost the row may be gone all the same.
    holder->must_fence = true;
    mt_control_until(&holder->control, atomic_load(&holder->lease.end), holder->lease.request);
    // Only if it has not shown itself again, and so that it learns of it.
    if (!bug_on(holder->options.bugs, BUG_EXPEL_WITHOUT_DELETING))
        outcome = mt_control_delete_client(&holder->control, arena, client);
    // 404: it has signed off since the look, or an answer was lost before. 412: it has beaten
    // since, so it is alive and the push goes on waiting for it; its silence is counted anew from
    // the next look.
    awaited->is_done = outcome.kind == CT_SUCCEEDED || ct_failed_with(outcome, CT_STATUS_NOT_FOUND);
    return awaited->is_done || ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED) ? ct_success()
                                                                                      : outcome;
}

static struct ct_outcome look_at(struct push *push, struct awaited *awaited,
                                 const struct mt_control_client *client, struct arena *arena) {
    struct mt_holder *holder = push->holder;
    struct bug_set *bugs = holder->options.bugs;
    // Gone: it has signed off, having no calls left, or was expelled by this push or the one
    // before, when [must_fence] is up.
    if (!client || client->version >= push->version) {
        awaited->is_done = true;
        return ct_success();
    }
    bool is_silent_now = is_silent(holder, &awaited->watch, client->etag, push->patience);
    // Until its lease has ended it may act.
    if (!is_silent_now && !bug_on(bugs, BUG_EXPEL_WITHOUT_WAITING))
        return ct_success();
    if (bug_on(bugs, BUG_PUSH_WAITS_FOR_THE_DEAD))
        return ct_success();
    return expel(push, awaited, client, arena);
}

static bool is_done(const struct push *push) {
    for (size_t i = 0; i < push->count; i++)
        if (!push->clients[i].is_done)
            return false;
    return true;
}

// One look at all. With the lock.
// One query for all clients, at one instant. To find each among them is quadratic in their number,
// which is that of the application's processes.
static struct ct_outcome look_at_all(struct push *push, struct arena *arena) {
    struct mt_holder *holder = push->holder;
    struct mt_control_clients clients;
    struct ct_outcome outcome = read_clients(push, arena, &clients);
    for (size_t i = 0; i < push->count && outcome.kind == CT_SUCCEEDED; i++) {
        // Who is done stays done: it may not go back to an earlier version, and its id never comes
        // back.
        struct awaited *awaited = &push->clients[i];
        if (!awaited->is_done)
            outcome = look_at(push, awaited, find(&clients, awaited->id), arena);
    }
    if (outcome.kind == CT_SUCCEEDED && !is_done(push) && holder->options.waits)
        holder->options.waits(holder->options.context, &clients);
    return outcome;
}

static uint64_t push_value(const struct push *push) {
    struct digest digest = {push->count, 0};
    for (size_t i = 0; i < push->count; i++)
        digest = digest_fold(digest_fold(digest, push->clients[i].is_done),
                             watch_value(&push->clients[i].watch));
    return digest.low;
}

// The lock is held for one look at a time, so that the beat gets in between: a push may last longer
// than the lease under which it began.
static struct ct_outcome wait_for_clients(struct push *push) {
    struct mt_holder *holder = push->holder;
    struct ct_env *env = holder->options.env;
    struct digest mark = ct_observed(env);
    struct arena *arena = env->ops->arena_open(env);
    struct ct_outcome outcome = ct_success();
    while (outcome.kind == CT_SUCCEEDED && !is_done(push)) {
        ct_forget(env, mark, "push: waits for clients", push_value(push));
        lock(holder);
        outcome = look_at_all(push, arena);
        unlock(holder);
        env->ops->arena_reset(env, arena, 0);
        // A look that failed is made again, as long as the lease lasts. It tells, too, whether an
        // expulsion was one of which nothing is known.
        bool has_failed =
            ct_failed_with(outcome, CT_STATUS_SERVER_ERROR) || outcome.kind == CT_UNKNOWN;
        if (has_failed && mt_lease_holds(&holder->lease))
            outcome = ct_success();
        if (outcome.kind == CT_SUCCEEDED && !is_done(push))
            rest(holder, HERE, mt_nanoseconds(atomic_load(&holder->lease_ms)) / LOOKS);
    }
    env->ops->arena_close(env, arena);
    return outcome;
}

// [must_fence] stays up until every table was fenced, so that a push that failed in between leaves
// the fence to the next one.
static struct ct_outcome fence_all(struct mt_holder *holder) {
    struct ct_outcome outcome = ct_success();
    bool must_fence =
        holder->must_fence && !bug_on(holder->options.bugs, BUG_NO_FENCE_AFTER_EXPULSION);
    for (size_t i = 0; must_fence && i < holder->options.fenced_count; i++) {
        const struct mt_bounded *table = holder->options.fenced[i];
        if (outcome.kind == CT_SUCCEEDED && table->fence)
            outcome = table->fence(table->table);
    }
    if (outcome.kind == CT_SUCCEEDED)
        holder->must_fence = false;
    return outcome;
}

// If the answer to the write is lost for good, the state may be current and nobody was waited for:
// the push fails, and the migrator pushes the same state again, with a version of its own.
static struct ct_outcome announce(struct push *push, enum mt_state state) {
    struct mt_holder *holder = push->holder;
    lock(holder);
    struct mt_control_config row = holder->row;
    row.version++;
    row.state = state;
    struct ct_outcome outcome = change_row(holder, row);
    push->version = row.version;
    push->patience = patience(&row);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = list_clients(push);
    forget_and_unlock(holder);
    return outcome;
}

static struct ct_outcome push_state(struct mt_config *config, const char *where,
                                    enum mt_state state) {
    struct mt_holder *holder = holder_of(config);
    struct ct_env *env = holder->options.env;
    (void)where;
    struct push push = {.holder = holder, .arena = env->ops->arena_open(env)};
    struct ct_outcome outcome = announce(&push, state);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = wait_for_clients(&push);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = fence_all(holder);
    env->ops->arena_close(env, push.arena);
    // Whatever it was, the caller can only begin anew: take the row, which succeeds at once if it
    // is held still, and push again.
    return outcome.kind == CT_SUCCEEDED ? outcome : not_held();
}

// ---- The interface -----------------------------------------------------------------------------

// The migrator makes the pushes, so none need wait for it. What keeps it from acting in a state
// that is past is its lease, which guards its tables.
static struct ct_outcome subscribe(struct mt_config *config, struct mt_subscription *subscription,
                                   enum mt_state *state) {
    struct mt_holder *holder = holder_of(config);
    (void)subscription;
    lock(holder);
    bool is_held = holder->is_held;
    *state = holder->row.state;
    unlock(holder);
    return is_held ? ct_success() : not_held();
}

static void unsubscribe(struct mt_config *config, struct mt_subscription *subscription) {
    (void)config;
    (void)subscription;
}

void mt_holder_init(struct mt_holder *holder, const struct mt_holder_options *options) {
    static const struct mt_config_ops ops = {.version = MT_CONFIG_VERSION,
                                             .subscribe = subscribe,
                                             .unsubscribe = unsubscribe,
                                             .push = push_state};
    struct ct_env *env = options->env;
    *holder = (struct mt_holder){
        .config = {&ops}, .options = *options, .lease = {.env = env, .bugs = options->bugs}};
    mt_control_init(&holder->control, env, options->control, options->migration, options->bugs);
    holder->lock = env->ops->lock_create(env);
    holder->scratch = env->ops->arena_open(env);
    holder->arenas[0] = env->ops->arena_open(env);
    holder->arenas[1] = env->ops->arena_open(env);
    holder->row = (struct mt_control_config){.holder = "", .progress = ""};
}

void mt_holder_deinit(struct mt_holder *holder) {
    struct ct_env *env = holder->options.env;
    env->ops->lock_destroy(env, holder->lock);
    env->ops->arena_close(env, holder->arenas[1]);
    env->ops->arena_close(env, holder->arenas[0]);
    env->ops->arena_close(env, holder->scratch);
}

struct mt_config *mt_holder_config(struct mt_holder *holder) {
    return &holder->config;
}

struct mt_lease *mt_holder_lease(struct mt_holder *holder) {
    return &holder->lease;
}
