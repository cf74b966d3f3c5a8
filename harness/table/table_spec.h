// The specification of a table whose ETags may change by themselves, for core/history/linearize.h.
//
// A state has a few words for every key of a group of keys that operations tie together; groups
// are independent (core/history/linearize.h: parts). The first word of a key is the number of its
// row's contents and that of its ETag, relative to the initial ones, so that all zeros is the
// initial state of every group.
//
// The ETag of a state is the last one known. Before any operation it may have changed to one that
// never was the row's before; nothing is guessed: a change is assumed where an operation proves
// one. An ETag that a write returned comes with that write and never otherwise. Of the other ones
// that were ever seen the further words of a key say which it has had: those do not come back.
// So every operation takes effect in one way at most.
//
// At one moment of a history, the settlement, that may come to an end. Then the first word of a
// state says whether it is past: operations called later make it so, and one that overlaps it is
// before it until such a one has taken effect. What an ETag has become by then is guessed as late
// as before: the first observation behind the settlement decides, for good; refusals exclude.
#ifndef HARNESS_TABLE_TABLE_SPEC_H
#define HARNESS_TABLE_TABLE_SPEC_H

#include "core/history/linearize.h"
#include "model/table/table.h"

// Numbers of values: what a row contains, without its ETag. Numbers of ETags.
enum { SPEC_ABSENT = 0, SPEC_FRESH_ETAG = 0 }; // an ETag that nobody knows

#define SPEC_MATCH_ANY UINT32_MAX // If-Match: instead of a number of an ETag
#define SPEC_MATCH_IF_EXISTS (UINT32_MAX - 1)

struct spec_key {
    struct ct_key key;
    uint32_t group;     // as the number of one of its keys
    uint32_t offset;    // of its words in a state of its group
    uint32_t etag_bits; // of those that may appear by themselves
    uint64_t initial;   // its first word, absolutely
};

struct spec_etag {
    const char *text;
    uint32_t key;
    uint32_t next;   // in its slot of the index
    uint32_t bit;    // appears by itself: its place in the words of its key: the row had it; the
                     //   next one, with a settlement: the row does not have it
    bool is_written; // the result of a write, or initial
    bool is_seen;    // somebody got it
};

struct spec_value {
    const struct ct_row *row; // ETag without meaning
    uint32_t key;
    uint32_t next; // in its slot of the index
};

// What an operation of a batch does.
struct spec_change {
    enum ct_op_type type;
    uint32_t key;
    uint32_t if_match;
    uint32_t value; // of its entity
    uint32_t etag;  // its result, if the batch succeeded and it wrote
};

// What was seen of a key: the row of that value and ETag, or (SPEC_ABSENT) none that matches.
struct spec_cell {
    uint32_t key, value, etag;
};

// sct_operation's function: an operation that returned before the settlement (or there is none).
enum { SPEC_OTHER, SPEC_EARLY };

// One operation, as sct_operation's data.
struct spec_operation {
    enum spec_kind { SPEC_NOTHING, SPEC_BATCH, SPEC_ROWS } kind; // NOTHING: it did not happen
    bool is_possible;                                            // false: no table answers so
    bool is_late;                                                // called behind the settlement
    bool is_unknown; // a batch that succeeded, nobody knows with which ETags, or did not happen
    uint32_t key;    // any of its keys; 0 if it has none
    uint32_t count;  // of changes or cells
    union {
        const struct spec_change *changes;
        const struct spec_cell *cells;
    } of;
    uint32_t failed_at;             // BATCH: of a refusal, the operation it is about; else count
    enum ct_status status;          // and the status
    const struct ct_filter *filter; // ROWS
    const struct log_event *origin; // what it comes from in the log; NULL: the final contents
};

struct table_spec {
    struct arena *arena;
    struct spec_key *keys; // in key order
    uint32_t key_count, key_capacity;
    struct spec_etag *etags; // by number
    uint32_t etag_count, etag_capacity;
    struct spec_value *values; // by number
    uint32_t value_count, value_capacity;
    uint32_t *etag_slots, *value_slots; // the indices: number of the first
    uint32_t slot_mask;
    uint32_t state_words;
    bool has_settlement; // false: ETags may always change by themselves
};

// An empty specification in [arena], for about [size] rows and results.
void table_spec_init(struct table_spec *spec, struct arena *arena, uint32_t size);

// Makes [key] known. All keys first: then they have numbers.
void table_spec_add_key(struct table_spec *spec, struct ct_key key);

// The number of a known key.
uint32_t table_spec_key(const struct table_spec *spec, struct ct_key key);

// The number of the first key of [partition] or, is_end, of the first behind it.
uint32_t table_spec_bound(const struct table_spec *spec, const char *partition, bool is_end);

// The number of what [row], under that key, contains.
uint32_t table_spec_value(struct table_spec *spec, uint32_t key, const struct ct_row *row);

// The number of that ETag (not NULL) of that key.
uint32_t table_spec_etag(struct table_spec *spec, uint32_t key, const char *text);

// Has the two keys in one group from now on.
void table_spec_tie(struct table_spec *spec, uint32_t a, uint32_t b);

// The group of a key.
uint32_t table_spec_group(const struct table_spec *spec, uint32_t key);

// When all keys, ETags and ties and [has_settlement] are known: lays out the states.
void table_spec_lay_out(struct table_spec *spec);

// The specification as the search wants it, after table_spec_lay_out. It refers to [spec].
struct lin_spec table_spec_lin(struct table_spec *spec);

#endif
