#include "model/dual/dual.h"

#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#define PARTITION "p"

// ---- Rows --------------------------------------------------------------------------------------

static struct dual_version version_of(const struct ct_row *row) {
    const struct ct_property *number = row ? ct_row_property(row, "number") : NULL;
    const struct ct_property *value = row ? ct_row_property(row, "value") : NULL;
    const struct ct_property *deleted = row ? ct_row_property(row, "deleted") : NULL;
    return (struct dual_version){
        .number = number ? number->value.int32 : 0,
        // A row that is not there counts as version 0 and deleted: everything is newer.
        .is_deleted = !row || (deleted && deleted->value.boolean),
        .value = value ? value->value.int32 : 0,
        .etag = row ? row->etag : NULL,
    };
}

static struct ct_row *row_of(struct arena *arena, const char *key,
                             const struct dual_version *version, const char *etag) {
    const struct ct_property properties[] = {
        {.name = "deleted", .type = CT_BOOL, .value.boolean = version->is_deleted},
        {.name = "number", .type = CT_INT32, .value.int32 = version->number},
        {.name = "value", .type = CT_INT32, .value.int32 = version->value},
    };
    return ct_row_new(arena, (struct ct_key){PARTITION, key}, etag, properties, 3);
}

static struct ct_outcome read_row(struct ct_table *table, struct arena *arena, const char *key,
                                  struct dual_version *version) {
    struct ct_rows rows;
    struct ct_key whole = {PARTITION, key};
    struct ct_outcome outcome = ct_query(table, ct_filter_point(arena, whole), arena, &rows);
    if (outcome.kind == CT_SUCCEEDED)
        *version = version_of(ct_rows_find(rows, whole));
    return outcome;
}

static struct ct_outcome write_row(struct ct_table *table, struct arena *arena,
                                   enum ct_op_type type, struct ct_row *row) {
    struct ct_batch batch = ct_batch_new(arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, type, row);
    return ct_execute(table, &batch, arena, &result);
}

// Somebody else has written the row meanwhile.
static bool is_race(struct ct_outcome outcome) {
    return ct_failed_with(outcome, CT_STATUS_PRECONDITION_FAILED) ||
           ct_failed_with(outcome, CT_STATUS_NOT_FOUND) ||
           ct_failed_with(outcome, CT_STATUS_CONFLICT);
}

// Writes [version] over [present], if that is still there.
static struct ct_outcome replace(struct ct_table *table, struct arena *arena, const char *key,
                                 const struct dual_version *present,
                                 const struct dual_version *version) {
    return write_row(table, arena, present->etag ? CT_REPLACE : CT_INSERT,
                     row_of(arena, key, version, present->etag));
}

// Writes the next version where writes are ordered; [version] gets its number.
// The number orders the writes of a row: it grows by one with each, under the ETag of what was
// read.
static struct ct_outcome write_next(struct ct_table *table, struct arena *arena, const char *key,
                                    struct dual_version *version) {
    struct ct_outcome outcome;
    do {
        struct dual_version present;
        outcome = read_row(table, arena, key, &present);
        if (outcome.kind != CT_SUCCEEDED)
            return outcome;
        version->number = present.number + 1;
        outcome = replace(table, arena, key, &present, version);
    } while (is_race(outcome));
    return outcome;
}

// Brings the destination's row up to [version], unless it has come further.
// Writers and the copier all come through here, in any order, and the highest number stays: that is
// what makes the second write safe to repeat.
static struct ct_outcome bring_up(struct dual *dual, struct arena *arena, const char *key,
                                  const struct dual_version *version) {
    struct ct_outcome outcome;
    do {
        struct dual_version present;
        outcome = read_row(dual->destination, arena, key, &present);
        if (outcome.kind != CT_SUCCEEDED || present.number >= version->number)
            return outcome;
        outcome = replace(dual->destination, arena, key, &present, version);
    } while (is_race(outcome));
    return outcome;
}

// ---- Writes ------------------------------------------------------------------------------------

static struct ct_outcome write_second(struct dual *dual, struct arena *arena, const char *key,
                                      const struct dual_version *version) {
    struct ct_table *destination = dual->destination;
    // The copier may come with an older version: it must find that there is a newer one.
    if (version->is_deleted && bug_on(dual->bugs, BUG_DUAL_DELETE_WITHOUT_TOMBSTONE))
        return write_row(destination, arena, CT_DELETE,
                         row_of(arena, key, version, CT_IF_EXISTS_ETAG));
    // Two writers may come here in another order than at the source.
    if (bug_on(dual->bugs, BUG_DUAL_SECOND_WRITE_BLIND))
        return write_row(destination, arena, CT_INSERT_OR_REPLACE,
                         row_of(arena, key, version, NULL));
    return bring_up(dual, arena, key, version);
}

static enum dual_result write_in(struct dual *dual, enum dual_mode mode, struct arena *arena,
                                 const char *key, struct dual_version version) {
    // The mode keeps those whose writes are ordered at the source apart from those who order them
    // at the destination.
    if (mode == DUAL_FROZEN)
        return DUAL_REFUSED;
    struct ct_outcome outcome = write_next(
        mode == DUAL_DESTINATION ? dual->destination : dual->source, arena, key, &version);
    if (outcome.kind != CT_SUCCEEDED)
        return DUAL_REFUSED;
    if (mode != DUAL_BOTH && mode != DUAL_COMPARE)
        return DUAL_DONE;
    do
        outcome = write_second(dual, arena, key, &version);
    while (ct_failed_with(outcome, CT_STATUS_SERVER_ERROR) &&
           !bug_on(dual->bugs, BUG_DUAL_SECOND_WRITE_GIVEN_UP)); // the source has it already
    // The source has it, so readers may see it: not done would be a lie, and done too.
    return outcome.kind == CT_SUCCEEDED ? DUAL_DONE : DUAL_UNKNOWN;
}

static enum dual_result write_version(struct dual *dual, struct arena *arena, const char *key,
                                      struct dual_version version) {
    struct mt_subscription subscription = {.apply = NULL}; // the whole call runs in one mode
    enum mt_state mode;
    if (dual->config->ops->subscribe(dual->config, &subscription, &mode).kind != CT_SUCCEEDED)
        return DUAL_REFUSED;
    enum dual_result result = write_in(dual, (enum dual_mode)mode, arena, key, version);
    dual->config->ops->unsubscribe(dual->config, &subscription);
    return result;
}

enum dual_result dual_put(struct dual *dual, struct arena *arena, const char *key, int32_t value) {
    return write_version(dual, arena, key, (struct dual_version){.value = value});
}

enum dual_result dual_delete(struct dual *dual, struct arena *arena, const char *key) {
    return write_version(dual, arena, key, (struct dual_version){.is_deleted = true});
}

// ---- Reads -------------------------------------------------------------------------------------

static struct ct_outcome read_both(struct dual *dual, struct arena *arena, const char *key,
                                   struct dual_version *version) {
    struct dual_version other;
    struct ct_outcome outcome = read_row(dual->destination, arena, key, version);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    // A row of the destination may be older than the source's.
    if (version->etag && bug_on(dual->bugs, BUG_DUAL_SOURCE_AS_FALLBACK))
        return outcome;
    outcome = read_row(dual->source, arena, key, &other);
    // A delete has a number as well, so it wins over an older row.
    if (outcome.kind == CT_SUCCEEDED && other.number > version->number)
        *version = other;
    return outcome;
}

static struct ct_outcome read_in(struct dual *dual, enum dual_mode mode, struct arena *arena,
                                 const char *key, struct dual_version *version) {
    if (mode <= DUAL_BOTH)
        return read_row(dual->source, arena, key, version);
    // The source may be ahead, which writers write first; or, in FROZEN, the destination, by those
    // who are in the last mode already. So the newer of the two is the answer.
    if (mode < DUAL_DESTINATION)
        return read_both(dual, arena, key, version);
    return read_row(dual->destination, arena, key, version);
}

enum dual_result dual_get(struct dual *dual, struct arena *arena, const char *key,
                          struct dual_version *version) {
    struct mt_subscription subscription = {.apply = NULL}; // the whole call runs in one mode
    enum mt_state mode;
    if (dual->config->ops->subscribe(dual->config, &subscription, &mode).kind != CT_SUCCEEDED)
        return DUAL_REFUSED;
    struct ct_outcome outcome = read_in(dual, (enum dual_mode)mode, arena, key, version);
    dual->config->ops->unsubscribe(dual->config, &subscription);
    return outcome.kind == CT_SUCCEEDED ? DUAL_DONE : DUAL_REFUSED;
}

// ---- The migration -----------------------------------------------------------------------------

static struct ct_outcome copy_rows(struct dual *dual, struct arena *arena) {
    struct ct_rows rows;
    struct ct_outcome outcome =
        ct_query(dual->source, ct_filter_in_partition(arena, PARTITION), arena, &rows);
    for (size_t i = 0; outcome.kind == CT_SUCCEEDED && i < rows.count; i++) {
        const char *key = rows.rows[i]->key.row;
        struct dual_version version = version_of(rows.rows[i]);
        // The row may have been written since it was read.
        if (bug_on(dual->bugs, BUG_DUAL_COPIER_OVERWRITES))
            outcome = write_row(dual->destination, arena, CT_INSERT_OR_REPLACE,
                                row_of(arena, key, &version, NULL));
        else
            outcome = bring_up(dual, arena, key, &version);
    }
    return outcome;
}

// Whether the copier's pass belongs to [mode], when all are in it: while somebody writes the source
// alone, what was copied is soon old.
static bool has_pass(const struct dual *dual, enum dual_mode mode) {
    return mode == (!bug_on(dual->bugs, BUG_DUAL_COPY_TOO_EARLY) ? DUAL_BOTH : DUAL_SOURCE);
}

enum dual_result dual_migrate(struct dual *dual, struct arena *arena) {
    struct mt_subscription subscription = {.apply = NULL};
    enum mt_state mode;
    if (dual->config->ops->subscribe(dual->config, &subscription, &mode).kind != CT_SUCCEEDED)
        return DUAL_REFUSED;
    dual->config->ops->unsubscribe(dual->config, &subscription);
    // One mode after the other, each pushed when all are in the one before.
    for (;; mode++) {
        if (has_pass(dual, (enum dual_mode)mode) && copy_rows(dual, arena).kind != CT_SUCCEEDED)
            return DUAL_REFUSED;
        if (mode == (enum mt_state)DUAL_DESTINATION)
            return DUAL_DONE;
        // Nobody may write the source while somebody writes the destination alone.
        if (mode + 1 == (enum mt_state)DUAL_FROZEN && bug_on(dual->bugs, BUG_DUAL_WITHOUT_FREEZE))
            mode++;
        if (dual->config->ops->push(dual->config, HERE, mode + 1).kind != CT_SUCCEEDED)
            return DUAL_REFUSED;
    }
}
