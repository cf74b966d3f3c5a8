#include "harness/table/table_spec.h"

#include "core/base/hash.h"
#include "core/base/rng.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

enum { SLOTS_MIN = 32 };

void table_spec_init(struct table_spec *spec, struct arena *arena, uint32_t size) {
    *spec = (struct table_spec){.arena = arena, .etag_count = 1, .value_count = 1};
    uint32_t slots = SLOTS_MIN;
    // A power of two, so that a slot is a mask away.
    while (slots < size)
        slots *= 2;
    spec->slot_mask = slots - 1;
    spec->etag_slots = arena_zalloc(arena, slots * sizeof *spec->etag_slots);
    spec->value_slots = arena_zalloc(arena, slots * sizeof *spec->value_slots);
    spec->key_capacity = spec->etag_capacity = spec->value_capacity = slots;
    spec->keys = ARENA_ARRAY(arena, struct spec_key, slots);
    spec->etags = ARENA_ARRAY(arena, struct spec_etag, slots);
    spec->values = ARENA_ARRAY(arena, struct spec_value, slots);
}

// Makes room for one more element in [array]; what it leaves stays the arena's.
static void *grown(struct arena *arena, void *array, uint32_t count, uint32_t *capacity,
                   size_t bytes) {
    if (count < *capacity)
        return array;
    *capacity *= 2;
    return memcpy(arena_alloc(arena, *capacity * bytes), array, count * bytes);
}

// ---- Keys --------------------------------------------------------------------------------------

// The number of the first key that is not below [key].
static uint32_t lower_bound(const struct table_spec *spec, struct ct_key key) {
    uint32_t low = 0, high = spec->key_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (ct_key_compare(spec->keys[middle].key, key) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Insertion into a sorted array: quadratic in the number of keys, of which a log has a few. Each is
// its own group until something ties it.
void table_spec_add_key(struct table_spec *spec, struct ct_key key) {
    uint32_t at = lower_bound(spec, key);
    if (at < spec->key_count && ct_key_equal(spec->keys[at].key, key))
        return;
    spec->keys =
        grown(spec->arena, spec->keys, spec->key_count, &spec->key_capacity, sizeof *spec->keys);
    memmove(&spec->keys[at + 1], &spec->keys[at], (spec->key_count - at) * sizeof *spec->keys);
    spec->keys[at] = (struct spec_key){.key = key};
    spec->key_count++;
    for (uint32_t i = at; i < spec->key_count; i++)
        spec->keys[i].group = i;
}

uint32_t table_spec_key(const struct table_spec *spec, struct ct_key key) {
    uint32_t at = lower_bound(spec, key);
    ASSERT(at < spec->key_count && ct_key_equal(spec->keys[at].key, key));
    return at;
}

uint32_t table_spec_bound(const struct table_spec *spec, const char *partition, bool is_end) {
    uint32_t at = lower_bound(spec, (struct ct_key){partition, ""});
    while (is_end && at < spec->key_count && strcmp(spec->keys[at].key.partition, partition) == 0)
        at++;
    return at;
}

// A forest without compression: the lesser number is always the root, so a group's number is that
// of its first key, and paths are as short as groups are small.
uint32_t table_spec_group(const struct table_spec *spec, uint32_t key) {
    while (spec->keys[key].group != key)
        key = spec->keys[key].group;
    return key;
}

void table_spec_tie(struct table_spec *spec, uint32_t a, uint32_t b) {
    a = table_spec_group(spec, a);
    b = table_spec_group(spec, b);
    spec->keys[a > b ? a : b].group = a < b ? a : b;
}

// Only ETags that may appear by themselves need bits. All other facts of a key are in its first
// word.
void table_spec_lay_out(struct table_spec *spec) {
    uint32_t *words = arena_zalloc(spec->arena, (spec->key_count + 1) * sizeof *words);
    uint32_t bits = spec->has_settlement ? 2 : 1;
    for (uint32_t i = 1; i < spec->etag_count; i++) {
        struct spec_etag *etag = &spec->etags[i];
        if (!etag->is_written && etag->is_seen)
            etag->bit = (spec->keys[etag->key].etag_bits += bits) - bits;
    }
    spec->state_words = 1;
    for (uint32_t i = 0; i < spec->key_count; i++) {
        struct spec_key *key = &spec->keys[i];
        key->group = table_spec_group(spec, i);
        // Of a group's state the first word says whether the settlement has been, if there is one.
        if (words[key->group] == 0)
            words[key->group] = spec->has_settlement;
        key->offset = words[key->group];
        words[key->group] += 1 + (key->etag_bits + 63) / 64;
        if (words[key->group] > spec->state_words)
            spec->state_words = words[key->group];
    }
}

// ---- Values and ETags --------------------------------------------------------------------------

static uint64_t hash_text(uint64_t seed, const char *text) {
    return rng_mix(seed ^ hash_bytes(text, strlen(text)));
}

// By key, too: a filter is asked about a value's row, whose key it may name.
static uint64_t hash_row(uint32_t key, const struct ct_row *row) {
    uint64_t hash = rng_mix(key ^ (uint64_t)row->timestamp << 32);
    for (size_t i = 0; i < row->property_count; i++) {
        struct digest before = {hash, i};
        hash = ct_property_fold(before, &row->properties[i]).low;
    }
    return hash;
}

static bool has_same_contents(const struct ct_row *a, const struct ct_row *b) {
    if (a->timestamp != b->timestamp || a->property_count != b->property_count)
        return false;
    for (size_t i = 0; i < a->property_count; i++)
        if (!ct_property_equal(&a->properties[i], &b->properties[i]))
            return false;
    return true;
}

uint32_t table_spec_value(struct table_spec *spec, uint32_t key, const struct ct_row *row) {
    uint32_t *slot = &spec->value_slots[hash_row(key, row) & spec->slot_mask];
    for (uint32_t i = *slot; i != 0; i = spec->values[i].next)
        if (spec->values[i].key == key && has_same_contents(spec->values[i].row, row))
            return i;
    spec->values = grown(spec->arena, spec->values, spec->value_count, &spec->value_capacity,
                         sizeof *spec->values);
    spec->values[spec->value_count] = (struct spec_value){row, key, *slot};
    return *slot = spec->value_count++;
}

uint32_t table_spec_etag(struct table_spec *spec, uint32_t key, const char *text) {
    uint32_t *slot = &spec->etag_slots[hash_text(key, text) & spec->slot_mask];
    for (uint32_t i = *slot; i != 0; i = spec->etags[i].next)
        if (spec->etags[i].key == key && ct_string_equal(spec->etags[i].text, text))
            return i;
    spec->etags = grown(spec->arena, spec->etags, spec->etag_count, &spec->etag_capacity,
                        sizeof *spec->etags);
    spec->etags[spec->etag_count] = (struct spec_etag){.text = text, .key = key, .next = *slot};
    return *slot = spec->etag_count++;
}

// ---- Steps -------------------------------------------------------------------------------------

// Of the word's lower half, whose other bits are the ETag's number.
#define CERTAIN (UINT64_C(1) << 31)

// The row that a key has in a state.
struct cell {
    uint32_t value, etag;
    bool is_certain; // the ETag: it is the present one, and does not change by itself
};

static struct cell load(const struct table_spec *spec, const uint64_t *state, uint32_t key) {
    // Relative to the initial word, so that a state of zeros is the initial one of whatever key.
    uint64_t word = state[spec->keys[key].offset] ^ spec->keys[key].initial;
    return (struct cell){(uint32_t)(word >> 32), word & (CERTAIN - 1), word & CERTAIN};
}

static void store(const struct table_spec *spec, uint64_t *state, uint32_t key, struct cell cell) {
    uint64_t word = (uint64_t)cell.value << 32 | (cell.is_certain ? CERTAIN : 0) | cell.etag;
    state[spec->keys[key].offset] = word ^ spec->keys[key].initial;
}

static bool is_settled(const struct table_spec *spec, const uint64_t *state) {
    return spec->has_settlement && state[0] != 0;
}

// Whether finding that [etag] is the present one may be news.
static bool may_appear(const struct table_spec *spec, uint32_t etag) {
    return !spec->etags[etag].is_written && spec->etags[etag].is_seen;
}

// The first of each pair of bits: the row has had that ETag, which does not come back. The second:
// the present ETag, though unknown, is not that one.
#define HAD_BITS UINT64_C(0x5555555555555555)

static uint64_t *word_of(const struct table_spec *spec, uint64_t *state, uint32_t etag) {
    const struct spec_etag *info = &spec->etags[etag];
    return &state[spec->keys[info->key].offset + 1 + info->bit / 64];
}

// Of the two bits of an ETag.
static uint64_t had_bit(const struct table_spec *spec, uint32_t etag) {
    return UINT64_C(1) << (spec->etags[etag].bit % 64);
}

// Without a settlement there is none, and no second bit.
static uint64_t excluded_bit(const struct table_spec *spec, uint32_t etag) {
    return spec->has_settlement ? had_bit(spec, etag) << 1 : 0;
}

// Whether the row of [key], which exists, can have that ETag now. Then it has.
// An ETag that is another one than the last known has appeared since, if it may, and if the row
// never had it before: then that is noted, for it does not come back.
static bool has_etag(const struct table_spec *spec, uint64_t *state, uint32_t key, uint32_t etag) {
    struct cell cell = load(spec, state, key);
    if (cell.etag != etag) {
        if (cell.is_certain || !may_appear(spec, etag))
            return false;
        uint64_t *word = word_of(spec, state, etag);
        if (*word & (had_bit(spec, etag) | excluded_bit(spec, etag)))
            return false;
        *word |= had_bit(spec, etag);
    }
    cell.etag = etag;
    cell.is_certain = is_settled(spec, state);
    store(spec, state, key, cell);
    return true;
}

// Whether the row of [key], which exists, can have another ETag than that now. Then it has.
// Before the settlement it may always have changed to one that nobody knows. Behind it the present
// ETag is fixed though unknown: what it is not is all that a refusal tells.
static bool has_other_etag(const struct table_spec *spec, uint64_t *state, uint32_t key,
                           uint32_t etag) {
    struct cell cell = load(spec, state, key);
    if (cell.is_certain)
        return cell.etag != etag;
    if (cell.etag == etag) {
        cell.etag = SPEC_FRESH_ETAG;
        store(spec, state, key, cell);
    } else if (may_appear(spec, etag) && is_settled(spec, state)) {
        *word_of(spec, state, etag) |= excluded_bit(spec, etag);
    }
    return true;
}

static bool is_conditional(enum ct_op_type type) {
    return type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE;
}

// Whether the conditions of [change] can hold.
static bool can_succeed(const struct table_spec *spec, uint64_t *state,
                        const struct spec_change *change) {
    bool exists = load(spec, state, change->key).value != SPEC_ABSENT;
    if (change->type == CT_INSERT)
        return !exists;
    if (!is_conditional(change->type) || change->if_match == SPEC_MATCH_IF_EXISTS)
        return true;
    return exists && (change->if_match == SPEC_MATCH_ANY ||
                      has_etag(spec, state, change->key, change->if_match));
}

// Whether [change] can be refused with [status]. A 412 proves that the ETag is another one by now.
// The order is the table's: absence is found before a wrong ETag.
static bool can_fail(const struct table_spec *spec, uint64_t *state,
                     const struct spec_change *change, enum ct_status status) {
    bool exists = load(spec, state, change->key).value != SPEC_ABSENT;
    if (change->type == CT_INSERT)
        return exists && status == CT_STATUS_CONFLICT;
    if (!is_conditional(change->type) || change->if_match == SPEC_MATCH_IF_EXISTS)
        return false;
    if (!exists)
        return status == CT_STATUS_NOT_FOUND;
    return status == CT_STATUS_PRECONDITION_FAILED && change->if_match != SPEC_MATCH_ANY &&
           has_other_etag(spec, state, change->key, change->if_match);
}

static uint32_t merged(struct table_spec *spec, uint32_t key, uint32_t base, uint32_t changes) {
    // A search merges the same rows again and again: only a value that is new stays in the arena.
    size_t mark = arena_mark(spec->arena);
    uint32_t count = spec->value_count;
    const struct ct_row *row =
        ct_row_merge(spec->arena, spec->values[base].row, spec->values[changes].row, NULL);
    uint32_t value = table_spec_value(spec, key, row);
    if (spec->value_count == count)
        arena_reset(spec->arena, mark); // it was known
    return value;
}

// Another ETag, another chance.
static void forget_exclusions(const struct table_spec *spec, uint64_t *state, uint32_t key) {
    for (uint32_t i = 0; i < (spec->keys[key].etag_bits + 63) / 64; i++)
        state[spec->keys[key].offset + 1 + i] &= HAD_BITS;
}

static void apply(struct table_spec *spec, uint64_t *state, const struct spec_change *change,
                  uint32_t etag) {
    struct cell cell = {SPEC_ABSENT, SPEC_FRESH_ETAG, false};
    uint32_t before = load(spec, state, change->key).value;
    bool merges = change->type == CT_MERGE || change->type == CT_INSERT_OR_MERGE;
    if (change->type != CT_DELETE) {
        cell.value = merges && before != SPEC_ABSENT
                         ? merged(spec, change->key, before, change->value)
                         : change->value;
        cell.etag = etag;
        cell.is_certain = etag != SPEC_FRESH_ETAG && is_settled(spec, state);
    }
    store(spec, state, change->key, cell);
    if (is_settled(spec, state))
        forget_exclusions(spec, state, change->key);
}

// Without an output it is one that succeeds, with ETags that nobody knows, or never happens.
// First all conditions, then all changes: no batch names a key twice, so none depends on another.
// Of a refusal the operations before must be able to succeed, and no row changes.
static bool step_batch(struct table_spec *spec, uint64_t *state,
                       const struct spec_operation *operation, bool has_output) {
    uint32_t end = has_output ? operation->failed_at : operation->count;
    for (uint32_t i = 0; i < end; i++)
        if (!can_succeed(spec, state, &operation->of.changes[i]))
            return false;
    if (end < operation->count)
        return can_fail(spec, state, &operation->of.changes[end], operation->status);
    for (uint32_t i = 0; i < end; i++)
        apply(spec, state, &operation->of.changes[i],
              has_output ? operation->of.changes[i].etag : SPEC_FRESH_ETAG);
    return true;
}

// The first way is that it did not happen, the second that it succeeded.
static uint32_t step_unknown(struct table_spec *spec, const uint64_t *state,
                             const struct spec_operation *operation, uint32_t way, uint64_t *next) {
    if (way > 1)
        return 2;
    // [next] is the state after it; the first way puts the one before in its place.
    bool can_happen = step_batch(spec, next, operation, false);
    if (way == 0) {
        memcpy(next, state, spec->state_words * sizeof *next);
        if (operation->is_late)
            next[0] = 1;
    }
    return can_happen ? 2 : 1;
}

static bool step_cell(const struct table_spec *spec, uint64_t *state, const struct spec_cell *seen,
                      const struct ct_filter *filter) {
    uint32_t value = load(spec, state, seen->key).value;
    if (seen->value == SPEC_ABSENT)
        return value == SPEC_ABSENT || !ct_filter_matches(filter, spec->values[value].row);
    return value == seen->value && has_etag(spec, state, seen->key, seen->etag);
}

static uint32_t step(void *context, const uint64_t *state, const struct sct_operation *operation,
                     uint32_t way, uint64_t *next) {
    struct table_spec *spec = context;
    const struct spec_operation *what = operation->data;
    // Every operation but an unknown one has one way: there is nothing to guess.
    if (way > 0 && !what->is_unknown)
        return 1;
    memcpy(next, state, spec->state_words * sizeof *next);
    if (what->is_late)
        next[0] = 1;
    if (what->is_unknown)
        return step_unknown(spec, state, what, way, next);
    if (what->kind == SPEC_BATCH && !operation->has_output)
        return step_batch(spec, next, what, false);
    if (what->kind == SPEC_NOTHING || !operation->has_output)
        return 1;
    if (!what->is_possible)
        return 0;
    if (what->kind == SPEC_BATCH)
        return step_batch(spec, next, what, true);
    for (uint32_t i = 0; i < what->count; i++)
        if (!step_cell(spec, next, &what->of.cells[i], what->filter))
            return 0;
    return 1;
}

// ---- The specification -------------------------------------------------------------------------

static void init(void *context, uint64_t *state) {
    memset(state, 0, ((const struct table_spec *)context)->state_words * sizeof *state);
}

// Parts are searched one by one: linearizability is local (Herlihy and Wing 1990), and no operation
// is of two groups.
static uint64_t part(void *context, const struct sct_operation *operation) {
    const struct table_spec *spec = context;
    const struct spec_operation *what = operation->data;
    return spec->key_count > 0 ? spec->keys[what->key].group : 0;
}

// A refused batch changes what is known if it proves that an ETag came or went.
// Conservative: false costs a search some branches, true where something changes would lose
// answers.
static bool batch_observes(const struct table_spec *spec, const struct spec_operation *what) {
    if (what->failed_at == what->count)
        return false;
    for (uint32_t i = 0; i <= what->failed_at; i++) {
        const struct spec_change *change = &what->of.changes[i];
        if (!is_conditional(change->type) || change->if_match >= SPEC_MATCH_IF_EXISTS)
            continue;
        if (may_appear(spec, change->if_match))
            return false;
        if (i == what->failed_at && spec->etags[change->if_match].is_written)
            return false;
    }
    return true;
}

static bool rows_observe(const struct table_spec *spec, const struct spec_operation *what) {
    for (uint32_t i = 0; i < what->count; i++)
        if (what->of.cells[i].value != SPEC_ABSENT && may_appear(spec, what->of.cells[i].etag))
            return false;
    return true;
}

static bool observes(void *context, const struct sct_operation *operation) {
    const struct table_spec *spec = context;
    const struct spec_operation *what = operation->data;
    if (what->is_unknown || (what->kind == SPEC_BATCH && !operation->has_output))
        return false;
    if (what->kind == SPEC_NOTHING || !operation->has_output || !what->is_possible)
        return true;
    if (operation->function != SPEC_EARLY)
        return false; // that it is behind the settlement may be news
    return what->kind == SPEC_BATCH ? batch_observes(spec, what) : rows_observe(spec, what);
}

struct lin_spec table_spec_lin(struct table_spec *spec) {
    return (struct lin_spec){
        .context = spec,
        .state_words = spec->state_words,
        .init = init,
        .step = step,
        .part = part,
        .observes = observes,
    };
}
