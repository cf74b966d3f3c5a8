// The streamed query: a merge of the two tables' streams that survives changes of state.
//
// One row of each side is prefetched. Every action runs under the stream's lock, which is held
// across backend calls; fields are read again after each of these, and without the lock (bug
// QueryStreamedLock) may have changed. What would then be the use of an absent stream or row is
// checked at the place.
//
// Memory. A backend's row lives until that stream's next read, but a prefetched one until it is
// taken, and what is given to the application until the next read of this stream, whatever a change
// of state does meanwhile. So there is an arena for each of the three, and one for the rest. All
// are given back when the service lets go of the subscription.
#include "model/migrating/conditions.h"
#include "model/migrating/mtable.h"

struct side {
    struct ct_stream *stream; // NULL: not open
    const struct ct_row *row; // prefetched, raw; NULL: at the end, or not open
    struct arena *arena;      // of [row] alone
};

struct mt_stream {
    struct ct_stream interface;     // first member
    struct mt_table table;          // a copy of the instance; its arena is the stream's
    const struct ct_filter *filter; // the application's
    struct ct_lock *lock;
    struct mt_subscription subscription; // live from start to the end
    enum mt_state state;
    struct side old_side, new_side;
    struct arena *given;       // of what the application has got since its last read began
    struct ct_outcome failure; // of a change of state; the next read returns it
    bool disposed;             // by the application; the work may still wait for the lock
    bool ended;                // backend streams closed, unsubscribed or about to be
};

enum { SIDE_NONE = 0, SIDE_OLD = 1, SIDE_NEW = 2, SIDE_BOTH = SIDE_OLD | SIDE_NEW };

// ---- States ------------------------------------------------------------------------------------

static struct digest side_digest(struct side side) {
    struct digest digest = {side.stream != NULL, 0};
    return side.row ? digest_fold_digest(digest, ct_row_digest(side.row)) : digest;
}

static struct digest stream_digest(const struct mt_subscription *subscription) {
    const struct mt_stream *stream =
        (const struct mt_stream *)(const void *)((const char *)subscription -
                                                 offsetof(struct mt_stream, subscription));
    uint64_t words[] = {stream->state, stream->failure.kind, stream->disposed, stream->ended};
    struct digest digest = digest_of(words, sizeof words);
    digest = digest_fold_digest(digest, side_digest(stream->old_side));
    return digest_fold_digest(digest, side_digest(stream->new_side));
}

// After each place where others may have changed the stream, before it is looked at.
static void observe(struct mt_stream *stream) {
    if (mt_is_observing(&stream->table))
        mt_observe(&stream->table, stream_digest(&stream->subscription));
}

// ---- The lock ----------------------------------------------------------------------------------

static void lock_at(struct mt_stream *stream, const char *where) {
    struct ct_env *env = stream->table.env;
    // Start, continuation key, read, apply and dispose exclude each other.
    if (!bug_on(stream->table.bugs, BUG_QUERY_STREAMED_LOCK))
        env->ops->lock_acquire(env, where, stream->lock);
    observe(stream);
}

#define stream_lock(stream) lock_at((stream), HERE)

static void stream_unlock(struct mt_stream *stream) {
    struct ct_env *env = stream->table.env;
    if (!bug_on(stream->table.bugs, BUG_QUERY_STREAMED_LOCK))
        env->ops->lock_release(env, stream->lock);
}

// ---- Sides -------------------------------------------------------------------------------------

// The next row of the side's backend.
static struct ct_outcome fetch(const struct side *side, const struct ct_row **row) {
    REQUIRE(side->stream, "stream: refill from a backend stream that is not open");
    struct ct_outcome outcome = ct_stream_read(side->stream, row);
    return mt_unexpected(outcome, "stream: unexpected answer of a backend stream");
}

// [row] is the side's prefetched one from now on.
static void keep(struct mt_stream *stream, struct side *side, const struct ct_row *row) {
    struct ct_env *env = stream->table.env;
    env->ops->arena_reset(env, side->arena, 0);
    // Cloned, for the backend's row goes with its next read, or when the side is dropped.
    side->row = row ? ct_row_clone(side->arena, row) : NULL;
}

// A failure leaves the row that is there.
static struct ct_outcome refill(struct mt_stream *stream, struct side *side) {
    const struct ct_row *row = NULL;
    struct ct_outcome outcome = fetch(side, &row);
    if (outcome.kind == CT_SUCCEEDED)
        keep(stream, side, row);
    return outcome;
}

// Opens the side and prefetches.
// If the prefetch fails the stream stays open, in [side]: whoever drops the side closes it.
static struct ct_outcome open_side(struct mt_stream *stream, struct side *side,
                                   struct ct_table *backend, const struct ct_filter *filter) {
    struct ct_stream *opened = NULL;
    struct ct_outcome outcome = ct_open_stream(backend, filter, &opened);
    side->stream = opened; // NULL after a failure: what was there before has been closed
    if (outcome.kind != CT_SUCCEEDED)
        return mt_unexpected(outcome, "stream: unexpected answer of a backend table");
    return refill(stream, side);
}

static struct ct_outcome open_new_side(struct mt_stream *stream, const struct ct_filter *from) {
    struct mt_table *table = &stream->table;
    const struct ct_filter *filter = stream->filter;
    // A new row shadows its old version also if it does not match: only keys may decide.
    if (!bug_on(table->bugs, BUG_QUERY_STREAMED_FILTER_SHADOWING))
        filter = mt_key_conditions(table->arena, table->bugs, filter);
    filter = ct_filter_and(table->arena, filter, from);
    return open_side(stream, &stream->new_side, table->new_table, filter);
}

// Forgets the prefetched row, too.
static void drop_side(struct side *side) {
    if (side->stream)
        ct_stream_close(side->stream);
    side->stream = NULL;
    side->row = NULL;
}

// The sides that have the next row.
static int next_sides(const struct mt_stream *stream) {
    const struct ct_row *old_row = stream->old_side.row, *new_row = stream->new_side.row;
    if (!old_row)
        return new_row ? SIDE_NEW : SIDE_NONE;
    if (!new_row)
        return SIDE_OLD;
    int order = ct_key_compare(old_row->key, new_row->key);
    return order < 0 ? SIDE_OLD : order > 0 ? SIDE_NEW : SIDE_BOTH;
}

// The next row's key, copied to [arena].
static bool next_key(const struct mt_stream *stream, struct arena *arena, struct ct_key *key) {
    int sides = next_sides(stream);
    if (sides == SIDE_NONE)
        return false;
    struct ct_key next = sides & SIDE_OLD ? stream->old_side.row->key : stream->new_side.row->key;
    key->partition = arena_strdup(arena, next.partition);
    key->row = arena_strdup(arena, next.row);
    return true;
}

// ---- Start and end -----------------------------------------------------------------------------

static struct ct_outcome start(struct mt_stream *stream) {
    struct mt_table *table = &stream->table;
    struct ct_outcome outcome = ct_success();
    if (stream->state < MT_USE_NEW_WITH_TOMBSTONES)
        outcome = open_side(stream, &stream->old_side, table->old_table,
                            mt_backend_filter(table->arena, table->bugs, stream->filter));
    if (outcome.kind == CT_SUCCEEDED && stream->state > MT_USE_OLD_HIDE_METADATA)
        outcome = open_new_side(stream, NULL);
    return outcome;
}

// To be called with the lock, which it gives back. Within unsubscribing, or when a change of state
// that waits for the lock has seen that the stream has ended, its memory goes.
// The instance is copied first, for unsubscribing needs it when the stream may be gone. The lock is
// given back before, since it goes with the stream.
static void end_and_unlock(struct mt_stream *stream) {
    struct mt_table table = stream->table;
    drop_side(&stream->old_side);
    drop_side(&stream->new_side);
    stream->ended = true;
    stream_unlock(stream);
    mt_unsubscribe(&table, &stream->subscription);
}

// Runs concurrently with whatever the application does after it has closed the stream.
// A close does not wait for the lock, which a change of state holds for as long as it calls
// backends.
static void dispose(void *argument) {
    struct mt_stream *stream = (struct mt_stream *)argument;
    stream_lock(stream);
    end_and_unlock(stream);
}

static void stream_close(struct ct_stream *interface, const char *where) {
    (void)where;
    struct mt_stream *stream = (struct mt_stream *)interface;
    struct ct_env *env = stream->table.env;
    if (stream->disposed)
        return;
    stream->disposed = true;
    env->ops->start(env, "dispose stream", dispose, stream);
}

// ---- Reading -----------------------------------------------------------------------------------

// Takes the prefetched row of [side] and prefetches the next. The arena that the row lies in
// becomes that of what is given, and the side goes on with the other: what had been given is
// forgotten.
static struct ct_outcome take(struct mt_stream *stream, struct side *side,
                              const struct ct_row **row) {
    REQUIRE(side->row, "stream: use of a prefetched row that is gone");
    *row = side->row;
    // The read comes before anything is changed: if it fails the stream stands where it stood, and
    // the row is taken by the next read.
    const struct ct_row *next = NULL;
    struct ct_outcome outcome = fetch(side, &next);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    struct arena *given = side->arena;
    side->arena = stream->given;
    stream->given = given;
    keep(stream, side, next);
    return outcome;
}

// Takes the next row of the chosen sides, first the old one's; where both have it the new one wins.
// If the second fails the old row is gone and the new one, of the same key, is still to come: that
// is the row that counts.
static struct ct_outcome take_next(struct mt_stream *stream, int sides, const struct ct_row **row) {
    struct ct_outcome outcome = ct_success();
    if (sides & SIDE_OLD)
        outcome = take(stream, &stream->old_side, row);
    observe(stream);
    if (outcome.kind == CT_SUCCEEDED && sides & SIDE_NEW)
        outcome = take(stream, &stream->new_side, row);
    return outcome;
}

static struct ct_outcome next_visible_row(struct mt_stream *stream, const struct ct_row **visible) {
    struct mt_table *table = &stream->table;
    // Tombstones, rows of the protocol and rows that do not match are passed over. Whatever the
    // number of them, memory does not grow: each is forgotten before the next.
    while (!*visible) {
        table->env->ops->arena_reset(table->env, stream->given, 0);
        observe(stream);
        int sides = next_sides(stream);
        if (sides == SIDE_NONE)
            return ct_success();
        const struct ct_row *row = NULL;
        struct ct_outcome outcome = take_next(stream, sides, &row);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        *visible = mt_visible_row(stream->given, table->bugs, stream->filter, row);
    }
    return ct_success();
}

static struct ct_outcome stream_read(struct ct_stream *interface, const char *where,
                                     const struct ct_row **row) {
    (void)where;
    struct mt_stream *stream = (struct mt_stream *)interface;
    REQUIRE(!stream->disposed, "read of a disposed stream");
    *row = NULL;
    stream_lock(stream);
    struct ct_outcome outcome = stream->failure;
    if (outcome.kind == CT_SUCCEEDED)
        outcome = next_visible_row(stream, row);
    stream_unlock(stream);
    return outcome;
}

static bool stream_continuation_key(struct ct_stream *interface, const char *where,
                                    struct ct_key *key) {
    (void)where;
    struct mt_stream *stream = (struct mt_stream *)interface;
    REQUIRE(!stream->disposed, "continuation key of a disposed stream");
    stream_lock(stream);
    bool has_next = next_key(stream, stream->given, key);
    stream_unlock(stream);
    return has_next;
}

// ---- Changes of state --------------------------------------------------------------------------

// The new stream may have run past keys whose rows were then only in the old table: back it up.
// From the next row that the application has not got: what it has got stays given, and nothing at
// or above that key was.
static struct ct_outcome back_up_new_side(struct mt_stream *stream, const struct ct_filter *from) {
    REQUIRE(stream->new_side.stream, "stream: back-up of a new stream that is not open");
    ct_stream_close(stream->new_side.stream);
    return open_new_side(stream, from);
}

// Moves the stream to [state]. From both sides being exhausted on, nothing is opened any more.
static struct ct_outcome change_state(struct mt_stream *stream, enum mt_state state) {
    struct bug_set *bugs = stream->table.bugs;
    struct ct_key key;
    struct arena *arena = stream->table.arena;
    // False: the application has been told, or will be, that it has all rows. It need not hear of
    // later ones, since each row may be of any instant since the opening.
    bool has_next = next_key(stream, arena, &key);
    const struct ct_filter *from = has_next ? ct_filter_from(arena, key) : NULL;
    struct ct_outcome outcome = ct_success();
    bool just_started = false;
    if (state == MT_USE_OLD_HIDE_METADATA)
        drop_side(&stream->new_side); // the migration is undone: there is nothing yet
    // The new table is complete from here on, and in the next state deletes leave no tombstones
    // that would shadow old rows.
    enum mt_state old_table_ends = !bug_on(bugs, BUG_QUERY_STREAMED_KEEP_OLD_STREAM)
                                       ? MT_USE_NEW_WITH_TOMBSTONES
                                       : MT_USE_NEW_HIDE_METADATA;
    if (state > MT_USE_OLD_HIDE_METADATA && stream->state == MT_USE_OLD_HIDE_METADATA && has_next) {
        just_started = true;
        outcome = open_new_side(stream, from);
        observe(stream);
    }
    if (outcome.kind == CT_SUCCEEDED && state >= old_table_ends && stream->state < old_table_ends) {
        drop_side(&stream->old_side);
        // What only the old table had is now behind or ahead of the new stream.
        if (!bug_on(bugs, BUG_QUERY_STREAMED_BACK_UP_NEW_STREAM) && has_next && !just_started)
            outcome = back_up_new_side(stream, from);
    }
    // The next change starts from this state.
    if (!bug_on(bugs, BUG_QUERY_STREAMED_SAVE_NEW_CONFIG))
        stream->state = state;
    return outcome;
}

static struct mt_stream *stream_of(struct mt_subscription *subscription) {
    return (struct mt_stream *)(void *)((char *)subscription -
                                        offsetof(struct mt_stream, subscription));
}

static void apply(struct mt_subscription *subscription, enum mt_state state) {
    struct mt_stream *stream = stream_of(subscription);
    stream_lock(stream);
    // A stream that has failed gives nothing more, so it is in no state and need not be moved.
    if (!stream->ended && stream->failure.kind == CT_SUCCEEDED)
        stream->failure = change_state(stream, state);
    // Nobody may ever read again: what is a mistake of the program is raised here.
    REQUIRE(stream->failure.kind != CT_PROGRAM_ERROR, "stream: %s", stream->failure.message);
    stream_unlock(stream);
}

// Pushes do not wait for the stream any more: what it would read may be of a state long past.
static void expire(struct mt_subscription *subscription) {
    struct mt_stream *stream = stream_of(subscription);
    stream_lock(stream);
    if (stream->failure.kind == CT_SUCCEEDED)
        stream->failure = mt_server_error();
    stream_unlock(stream);
}

// ---- Memory ------------------------------------------------------------------------------------

static struct mt_stream *new_stream(const struct mt_table *table) {
    struct ct_env *env = table->env;
    struct arena *arena = env->ops->arena_open(env);
    struct mt_stream *stream = ARENA_NEW(arena, struct mt_stream);
    stream->table = mt_with_arena(table, arena);
    stream->lock = env->ops->lock_create(env);
    stream->old_side.arena = env->ops->arena_open(env);
    stream->new_side.arena = env->ops->arena_open(env);
    stream->given = env->ops->arena_open(env);
    return stream;
}

static void free_stream(struct mt_stream *stream) {
    struct ct_env *env = stream->table.env;
    env->ops->lock_destroy(env, stream->lock);
    env->ops->arena_close(env, stream->given);
    env->ops->arena_close(env, stream->new_side.arena);
    env->ops->arena_close(env, stream->old_side.arena);
    env->ops->arena_close(env, stream->table.arena); // the stream's own, the last
}

static void release(struct mt_subscription *subscription) {
    free_stream(stream_of(subscription));
}

struct ct_outcome mt_open_stream(struct ct_table *interface, const char *where,
                                 const struct ct_filter *filter, struct ct_stream **stream) {
    (void)where;
    static const struct ct_stream_ops ops = {.version = CT_STREAM_VERSION,
                                             .read = stream_read,
                                             .continuation_key = stream_continuation_key,
                                             .close = stream_close};
    struct mt_stream *opened = new_stream((const struct mt_table *)interface);
    opened->interface.ops = &ops;
    opened->filter = filter;
    opened->subscription = (struct mt_subscription){
        .apply = apply, .expire = expire, .release = release, .digest = stream_digest};
    opened->failure = ct_success();
    *stream = NULL;
    stream_lock(opened);
    // With the lock: a push that comes at once waits in apply until both sides are open.
    struct ct_outcome outcome = mt_subscribe(&opened->table, &opened->subscription, &opened->state);
    if (outcome.kind != CT_SUCCEEDED) {
        stream_unlock(opened);
        free_stream(opened);
        return outcome;
    }
    outcome = start(opened);
    if (outcome.kind != CT_SUCCEEDED) {
        end_and_unlock(opened);
        return outcome;
    }
    *stream = &opened->interface;
    stream_unlock(opened);
    return outcome;
}
