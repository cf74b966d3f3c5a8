#include "core/engine/state.h"

// A task is a function of what it has observed: the digest is of that whole sequence, so two tasks
// with equal digests will do the same with the same answers. Where it is asked for nothing is kept.
bool sct_comparing(void) {
    return sct_keeps_digests(sct_engine_now);
}

void sct_observe(const void *data, size_t bytes) {
    struct sct_engine *engine = sct_engine_running();
    ASSERT(data || bytes == 0);
    if (sct_keeps_digests(engine))
        *sct_running_digest(engine) = digest_fold_bytes(*sct_running_digest(engine), data, bytes);
}

void sct_observe_digest(struct digest digest) {
    struct sct_engine *engine = sct_engine_running();
    if (sct_keeps_digests(engine))
        *sct_running_digest(engine) = digest_fold_digest(*sct_running_digest(engine), digest);
}

struct digest sct_observed(void) {
    struct sct_engine *engine = sct_engine_running();
    return sct_keeps_digests(engine) ? *sct_running_digest(engine) : (struct digest){0, 0};
}

void sct_forget(struct digest mark, const void *data, size_t bytes) {
    struct sct_engine *engine = sct_engine_running();
    ASSERT(data && bytes > 0); // or places that forget the same could not be told apart
    // The digest goes back to what it was at the mark, and what still matters is put in: all ways
    // to here that agree on it are one state from now on.
    if (sct_keeps_digests(engine) && !engine->seam.forgets_nothing)
        *sct_running_digest(engine) = digest_fold_bytes(mark, data, bytes);
}

void sct_observe_place(struct sct_engine *engine, const char *text) {
    *sct_running_digest(engine) = digest_fold_text(*sct_running_digest(engine), text);
}

struct digest sct_identify(struct sct_engine *engine) {
    // By who makes it and as its how-many-eth: the same thing in every execution in which its maker
    // has come as far, wherever it lies in memory and whatever others made meanwhile.
    unsigned slot = sct_running_slot(engine);
    uint64_t signature = slot < SCT_TASKS_MAX ? engine->slots[slot].identity.signature : 0;
    ASSERT(engine->seats[slot].made < UINT32_MAX);
    return digest_fold((struct digest){signature, 0}, ++engine->seats[slot].made);
}

// A sum without order: each thing's part is taken out and put in again by itself.
void sct_note_change(struct sct_engine *engine, struct digest before, struct digest after) {
    digest_subtract(&engine->now.sync, before);
    digest_add(&engine->now.sync, after);
}

// ---- What is touched ---------------------------------------------------------------------------

void sct_touch(const struct sct_access *access) {
    sct_step_touch(sct_engine_running(), access);
}

bool sct_reducing(void) {
    return sct_is_reducing(sct_engine_now);
}

bool sct_keys_matter(void) {
    return !sct_engine_now->strategy->ops->ignores_keys;
}

void sct_touch_after_waits(const struct sct_access *access) {
    ASSERT(access);
    sct_engine_running()->now.after_wait = access;
}

void sct_touch_while(const bool *is_unfinished) {
    struct sct_engine *engine = sct_engine_running();
    ASSERT(is_unfinished);
    if (sct_is_reducing(engine))
        engine->seam.calls->touch_while(engine->seam.search, is_unfinished);
}
