#include "core/threads/rwlock.h"
#include "core/engine/state.h"

// How many times somebody reads; kept at 0 for the next reader.
struct sct_reading {
    struct sct_strand *reader;
    uint32_t count;
    struct sct_reading *next;
};

static void become(struct sct_rwlock *lock) {
    if (sct_comparing())
        sct_object_become(&lock->object, digest_fold(lock->held, sct_object_party(lock->writer)));
}

void sct_rwlock_allow_waiting(void) {
    ASSERT(sct_engine_inside());
    sct_engine_now->now.prefers_writers = true;
}

static void explain(const void *thing, struct text *text) {
    const struct sct_rwlock *lock = thing;
    sct_object_tell_party(lock->writer, "write", text);
    for (const struct sct_reading *reading = lock->readings; reading; reading = reading->next)
        if (reading->count > 0)
            sct_object_tell_party(reading->reader, "read", text);
}

void sct_rwlock_init(struct sct_rwlock *lock, const char *name) {
    // All of it: storage that is used again has the lists of an execution whose arena is gone.
    *lock = (struct sct_rwlock){.writer = NULL};
    sct_object_init(&lock->object, "rwlock", name);
    lock->object.explain = explain;
    // Three queues: a reader is enabled while nobody writes, a writer while nobody holds the lock,
    // one that is held back while no writer waits either.
    sct_queue_init(&lock->readers);
    sct_queue_init(&lock->writers);
    sct_queue_init(&lock->held_back);
    become(lock);
}

void sct_rwlock_destroy_at(struct sct_rwlock *lock, const char *where) {
    sct_object_point(&lock->object, "destroy", SCT_ACCESS_WRITE, where);
    SCT_OBJECT_REQUIRE(!lock->writer && lock->reader_count == 0, &lock->object,
                       "is destroyed while it is held");
    SCT_OBJECT_REQUIRE(sct_queue_count(&lock->readers) + sct_queue_count(&lock->writers) +
                               sct_queue_count(&lock->held_back) ==
                           0,
                       &lock->object, "is destroyed while somebody waits for it");
    sct_object_destroy(&lock->object);
}

// The reading of [reader], or NULL.
static struct sct_reading *find(const struct sct_rwlock *lock, const struct sct_strand *reader) {
    struct sct_reading *reading = lock->readings;
    while (reading && (reading->reader != reader || reading->count == 0))
        reading = reading->next;
    return reading;
}

bool sct_rwlock_reads(const struct sct_rwlock *lock) {
    return find(lock, sct_self()) != NULL;
}

// One that is not in use.
static struct sct_reading *new_reading(struct sct_rwlock *lock) {
    ASSERT(!find(lock, sct_self()));
    struct sct_reading *reading = lock->readings;
    // Used again, so that a lock has as many as read it at a time at most, and not as many as ever
    // did.
    while (reading && reading->count > 0)
        reading = reading->next;
    if (reading)
        return reading;
    reading = ARENA_NEW(sct_arena(), struct sct_reading);
    reading->next = lock->readings;
    lock->readings = reading;
    return reading;
}

static bool is_free(const struct sct_rwlock *lock) {
    return !lock->writer && lock->reader_count == 0;
}

static bool has_writers(const struct sct_rwlock *lock) {
    return sct_queue_count(&lock->writers) > 0;
}

static void grant(struct sct_rwlock *lock) {
    ASSERT(!lock->writer || lock->reader_count == 0);
    // Readers and a writer may be enabled together: the first that is chosen decides, and its own
    // grant takes the others' turns away.
    sct_queue_grant(&lock->readers, !lock->writer);
    sct_queue_grant(&lock->writers, is_free(lock));
    if (sct_engine_now->now.prefers_writers)
        sct_queue_grant(&lock->held_back, !lock->writer && !has_writers(lock));
}

// The running strand reads once more, or once less. Only itself is named: who reads may have ended.
static void count_reading(struct sct_rwlock *lock, struct sct_reading *reading, int change) {
    ASSERT(change == 1 || (change == -1 && reading->count > 0));
    uint64_t party = sct_comparing() ? sct_object_party(sct_self()) : 0;
    // A sum over readers, without an order: who came first makes no difference to what the lock
    // allows.
    digest_subtract(&lock->held, digest_fold((struct digest){party, 0}, reading->count));
    reading->count += (uint32_t)change;
    lock->reader_count += (uint32_t)change;
    digest_add(&lock->held, digest_fold((struct digest){party, 0}, reading->count));
    become(lock);
}

static void begin_reading(struct sct_rwlock *lock) {
    ASSERT(!lock->writer);
    struct sct_reading *reading = find(lock, sct_self());
    reading = reading ? reading : new_reading(lock);
    reading->reader = sct_self();
    count_reading(lock, reading, 1);
    sct_edge_acquire(lock->object.edge);
    grant(lock);
}

static void begin_writing(struct sct_rwlock *lock) {
    ASSERT(is_free(lock));
    lock->writer = sct_self();
    // Readers are ordered before the next writer, not among each other: what they let go goes into
    // an edge of its own, which readers do not take up.
    sct_edge_acquire(lock->object.edge);
    sct_edge_acquire(lock->read_edge);
    become(lock);
    grant(lock);
}

// Whether the running task, which could read, lets the writers go first.
static bool is_held_back(const struct sct_rwlock *lock) {
    // Drawn when it could read, not when it comes: nobody is held back by writers who are gone by
    // then.
    return sct_engine_now->now.prefers_writers && has_writers(lock) &&
           sct_choose(2, "wait for the writers");
}

bool sct_rwlock_read_at(struct sct_rwlock *lock, const char *where, enum sct_patience patience) {
    sct_object_check(&lock->object);
    SCT_OBJECT_REQUIRE(lock->writer != sct_self(), &lock->object,
                       "is taken for reading by the one who writes");
    const struct sct_wait wait = {&lock->object, "read", where, patience};
    if (!sct_object_wait(&lock->readers, &wait, !lock->writer))
        // Nothing is granted to others: a reader that waits has kept nobody from the lock.
        return false;
    // POSIX leaves it open whether a reader goes before writers that wait: both are tried, where
    // the program has asked for it.
    if (is_held_back(lock) && !sct_object_wait(&lock->held_back, &wait, false))
        return false;
    begin_reading(lock);
    return true;
}

bool sct_rwlock_try_read_at(struct sct_rwlock *lock, const char *where) {
    sct_object_point(&lock->object, "try to read", SCT_ACCESS_WRITE, where);
    // A try does not wait, but may be refused for the same reason: writers that wait.
    bool can_read = !lock->writer && !is_held_back(lock);
    sct_object_learn(can_read);
    if (can_read)
        begin_reading(lock);
    return can_read;
}

bool sct_rwlock_write_at(struct sct_rwlock *lock, const char *where, enum sct_patience patience) {
    sct_object_check(&lock->object);
    SCT_OBJECT_REQUIRE(lock->writer != sct_self(), &lock->object,
                       "is taken for writing by the one who writes");
    // It would wait for itself, for ever.
    SCT_OBJECT_REQUIRE(!find(lock, sct_self()), &lock->object,
                       "is taken for writing by one who reads");
    const struct sct_wait wait = {&lock->object, "write", where, patience};
    if (!sct_object_wait(&lock->writers, &wait, is_free(lock))) {
        grant(lock); // perhaps it was what readers waited for
        return false;
    }
    begin_writing(lock);
    return true;
}

bool sct_rwlock_try_write_at(struct sct_rwlock *lock, const char *where) {
    sct_object_point(&lock->object, "try to write", SCT_ACCESS_WRITE, where);
    bool can_write = is_free(lock);
    sct_object_learn(can_write);
    if (can_write)
        begin_writing(lock);
    return can_write;
}

void sct_rwlock_release_at(struct sct_rwlock *lock, const char *where) {
    sct_object_point(&lock->object, "release", SCT_ACCESS_WRITE, where);
    struct sct_reading *reading = find(lock, sct_self());
    // One call for both, as POSIX has it: a strand never holds it in both ways.
    SCT_OBJECT_REQUIRE(reading || lock->writer == sct_self(), &lock->object,
                       "is released by one who does not hold it");
    if (reading) {
        count_reading(lock, reading, -1);
        sct_edge_release(&lock->read_edge);
    } else {
        lock->writer = NULL;
        become(lock);
        sct_edge_release(&lock->object.edge);
    }
    grant(lock);
}
