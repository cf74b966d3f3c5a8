// A checker of small table histories that tries everything: all orders of the calls, all subsets of
// those that never returned, every change of an ETag before every operation that looks at it and
// before the settlement, behind which none changes.
// Straightforward, and shares nothing with harness/table/table_spec.c.
//
// Rows have keys 0 and 1 of one partition and a set of properties out of two (bits); a filter asks
// for the first. ETags are small numbers; NO_ETAG is none.
#ifndef TESTS_HARNESS_TABLE_BRUTE_H
#define TESTS_HARNESS_TABLE_BRUTE_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { BRUTE_KEYS = 2, BRUTE_ETAGS = 28, BRUTE_OPERATIONS = 32 };
enum { NO_ETAG = 0, SECRET_ETAG = 31, MATCH_ANY = 30, MATCH_IF_EXISTS = 29 };
enum brute_type { INSERT, REPLACE, MERGE, DELETE, INSERT_OR_REPLACE, INSERT_OR_MERGE };

struct brute_row {
    bool exists;
    uint32_t bits, etag;
};

struct brute_change {
    enum brute_type type;
    uint32_t key, match, bits;
    uint32_t etag; // result
};

struct brute_operation {
    enum { BATCH, OBSERVATION, NOTHING, SETTLEMENT } kind;
    uint32_t count; // BATCH: changes
    struct brute_change changes[BRUTE_KEYS];
    uint32_t status, failed_at;        // BATCH: 0, or the refusal
    uint32_t keys;                     // OBSERVATION: set of keys
    bool is_filtered, is_impossible;   //   asked for property 0; no table answers so
    struct brute_row seen[BRUTE_KEYS]; //   what was there
    uint32_t called_at, returned_at;   // UINT32_MAX: never
};

struct brute_history {
    struct brute_row initial[BRUTE_KEYS];
    uint32_t count;
    struct brute_operation operations[BRUTE_OPERATIONS];
    uint32_t peeked[BRUTE_KEYS];  // ETags that became known beside the calls
    uint32_t written[BRUTE_KEYS]; // computed: sets of ETags
    uint32_t free[BRUTE_KEYS];    // those that may appear by themselves
};

struct brute_table {
    struct brute_row rows[BRUTE_KEYS];
    uint32_t had[BRUTE_KEYS]; // ETags that the row has had
    bool is_settled;          // no ETag changes by itself any more
};

static inline bool brute_try(const struct brute_history *history, uint32_t done,
                             struct brute_table table);

// What the table answers; 0 is success. Writes get [fresh] or the ETag of the result.
static inline uint32_t brute_change_row(struct brute_table *table,
                                        const struct brute_change *change, bool is_told) {
    struct brute_row *row = &table->rows[change->key];
    bool conditional = change->type == REPLACE || change->type == MERGE || change->type == DELETE;
    if (change->type == INSERT && row->exists)
        return 409;
    if (conditional && change->match != MATCH_IF_EXISTS) {
        if (!row->exists)
            return 404;
        if (change->match != MATCH_ANY && change->match != row->etag)
            return 412;
    }
    if (change->type == DELETE) {
        row->exists = false;
        return 0;
    }
    bool merges = change->type == MERGE || change->type == INSERT_OR_MERGE;
    row->bits = merges && row->exists ? row->bits | change->bits : change->bits;
    row->exists = true;
    row->etag = is_told ? change->etag : SECRET_ETAG;
    if (is_told && (table->had[change->key] >> change->etag & 1))
        return 1; // a write gave an ETag that the row has had: never
    table->had[change->key] |= is_told ? 1u << change->etag : 0;
    return 0;
}

static inline bool brute_batch(struct brute_table *table, const struct brute_operation *operation) {
    struct brute_table draft = *table;
    bool is_told = operation->returned_at != UINT32_MAX;
    for (uint32_t i = 0; i < operation->count; i++) {
        uint32_t status =
            brute_change_row(&draft, &operation->changes[i], is_told && operation->status == 0);
        if (status == 1)
            return false;
        if (status != 0)
            return is_told && status == operation->status && i == operation->failed_at;
    }
    *table = draft;
    return !is_told || operation->status == 0;
}

static inline bool brute_observation(const struct brute_table *table,
                                     const struct brute_operation *operation) {
    if (operation->is_impossible)
        return false;
    for (uint32_t key = 0; key < BRUTE_KEYS; key++) {
        const struct brute_row *row = &table->rows[key], *seen = &operation->seen[key];
        if (!(operation->keys >> key & 1))
            continue;
        bool matches = row->exists && (!operation->is_filtered || (row->bits & 1));
        if (matches != seen->exists ||
            (matches && (row->bits != seen->bits || row->etag != seen->etag)))
            return false;
    }
    return true;
}

// Settled: what an unknown write gave the rows was some ETag, now and for good.
static inline bool brute_name(const struct brute_history *history, uint32_t done,
                              struct brute_table table, uint32_t keys) {
    uint32_t key = 0;
    while (key < BRUTE_KEYS && !(keys >> key & 1))
        key++;
    if (key == BRUTE_KEYS)
        return brute_try(history, done, table);
    keys &= ~(1u << key);
    if (brute_name(history, done, table, keys))
        return true;
    for (uint32_t etag = 1; etag < SECRET_ETAG; etag++) {
        struct brute_table named = table;
        if (!((history->free[key] & ~table.had[key]) >> etag & 1))
            continue;
        named.rows[key].etag = etag;
        named.had[key] |= 1u << etag;
        if (brute_name(history, done, named, keys))
            return true;
    }
    return false;
}

// The keys whose rows have got an ETag from an unknown write.
static inline uint32_t brute_unnamed(const struct brute_operation *operation,
                                     const struct brute_table *table) {
    uint32_t keys = 0;
    for (uint32_t i = 0; operation->kind == BATCH && i < operation->count; i++)
        if (operation->returned_at == UINT32_MAX && operation->changes[i].type != DELETE)
            keys |= 1u << operation->changes[i].key;
    return table->is_settled ? keys : 0;
}

static inline bool brute_apply(const struct brute_history *history, uint32_t done, uint32_t index,
                               struct brute_table table) {
    const struct brute_operation *operation = &history->operations[index];
    bool fits = operation->kind == NOTHING || operation->kind == SETTLEMENT ||
                operation->returned_at == UINT32_MAX;
    table.is_settled |= operation->kind == SETTLEMENT;
    if (operation->kind == BATCH)
        fits = brute_batch(&table, operation);
    else if (!fits)
        fits = brute_observation(&table, operation);
    return fits && brute_name(history, done | 1u << index, table, brute_unnamed(operation, &table));
}

// Whether the operation looks at the ETag of [key], or no change can come behind it. A change
// before any other one may as well come later.
static inline bool brute_looks_at(const struct brute_operation *operation, uint32_t key) {
    if (operation->kind == SETTLEMENT)
        return true;
    if (operation->kind == OBSERVATION)
        return (operation->keys >> key & 1) && operation->seen[key].exists;
    for (uint32_t i = 0; operation->kind == BATCH && i < operation->count; i++)
        if (operation->changes[i].key == key && operation->changes[i].match != NO_ETAG &&
            operation->changes[i].match < MATCH_IF_EXISTS)
            return true;
    return false;
}

// Changes the ETags of keys from [key] on in every way, then applies the operation.
static inline bool brute_shift(const struct brute_history *history, uint32_t done, uint32_t index,
                               struct brute_table table, uint32_t key) {
    if (key == BRUTE_KEYS)
        return brute_apply(history, done, index, table);
    if (brute_shift(history, done, index, table, key + 1))
        return true;
    if (table.is_settled || !table.rows[key].exists ||
        !brute_looks_at(&history->operations[index], key))
        return false;
    for (uint32_t etag = 1; etag <= SECRET_ETAG; etag++) {
        struct brute_table changed = table;
        bool may_appear = (history->free[key] & ~table.had[key]) >> etag & 1;
        if (etag != SECRET_ETAG && !may_appear)
            continue;
        if (etag == SECRET_ETAG && table.rows[key].etag == SECRET_ETAG)
            continue;
        changed.rows[key].etag = etag;
        changed.had[key] |= etag != SECRET_ETAG ? 1u << etag : 0;
        if (brute_shift(history, done, index, changed, key + 1))
            return true;
    }
    return false;
}

static inline bool brute_try(const struct brute_history *history, uint32_t done,
                             struct brute_table table) {
    uint32_t first_return = UINT32_MAX;
    bool is_complete = true;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct brute_operation *operation = &history->operations[i];
        if ((done >> i & 1) || operation->returned_at == UINT32_MAX)
            continue;
        is_complete = false;
        if (operation->returned_at < first_return)
            first_return = operation->returned_at;
    }
    if (is_complete)
        return true;
    for (uint32_t i = 0; i < history->count; i++)
        if (!(done >> i & 1) && history->operations[i].called_at <= first_return &&
            brute_shift(history, done, i, table, 0))
            return true;
    return false;
}

// The ETags of [key] that some operation names: any other one is as good as the secret one.
static inline uint32_t brute_named(const struct brute_history *history, uint32_t key) {
    uint32_t named = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        const struct brute_operation *operation = &history->operations[i];
        if (operation->kind == OBSERVATION)
            named |= 1u << operation->seen[key].etag;
        for (uint32_t c = 0; operation->kind == BATCH && c < operation->count; c++)
            if (operation->changes[c].key == key)
                named |= 1u << operation->changes[c].match;
    }
    return named & ((1u << BRUTE_ETAGS) - 2);
}

static inline bool brute_is_linearizable(struct brute_history *history) {
    uint32_t seen[BRUTE_KEYS] = {history->peeked[0], history->peeked[1]};
    struct brute_table table = {.is_settled = false};
    for (uint32_t key = 0; key < BRUTE_KEYS; key++) {
        table.rows[key] = history->initial[key];
        history->written[key] = 0;
        if (history->initial[key].exists)
            history->written[key] = table.had[key] = 1u << history->initial[key].etag;
    }
    for (uint32_t i = 0; i < history->count; i++) {
        const struct brute_operation *operation = &history->operations[i];
        for (uint32_t c = 0; operation->kind == BATCH && c < operation->count; c++)
            if (operation->returned_at != UINT32_MAX && operation->status == 0 &&
                operation->changes[c].type != DELETE)
                history->written[operation->changes[c].key] |= 1u << operation->changes[c].etag;
        for (uint32_t key = 0; operation->kind == OBSERVATION && key < BRUTE_KEYS; key++)
            if (operation->seen[key].exists && operation->returned_at != UINT32_MAX)
                seen[key] |= 1u << operation->seen[key].etag;
    }
    for (uint32_t key = 0; key < BRUTE_KEYS; key++)
        history->free[key] = seen[key] & ~history->written[key] & brute_named(history, key);
    return brute_try(history, 0, table);
}

#endif
