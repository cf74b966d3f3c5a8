#include "model/memory/memory_table.h"

#include "model/table/batch.h"
#include "model/table/check.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

enum { SNAPSHOTS_INITIAL = 8, DECIMAL_DIGITS_MAX = 20 };

// How many ETags a key has used.
struct counter {
    struct ct_key key;
    uint64_t used;
};

// Of all keys that were written, in the order of their first writes.
struct counters {
    struct counter *of;
    size_t count;
};

struct ct_memory_table {
    struct ct_table table; // first, so that the interface is the table
    struct ct_memory_options options;
    size_t prefix_length;
    uint64_t next_number;     // of the next ETag
    struct counters counters; // of ETags, if each key has its own
    struct ct_rows *snapshots;
    size_t revision; // index of the latest snapshot
    size_t capacity; // of [snapshots]
    // The digest of the revision before that with this number; 0: none is known.
    size_t digested;
    struct digest digest;
};

static struct ct_memory_table *memory_table(struct ct_table *table) {
    return (struct ct_memory_table *)table;
}

// ---- Writing -----------------------------------------------------------------------------------

// A batch under way: the private copy of the rows, which becomes the next snapshot if all goes
// well.
struct draft {
    struct ct_memory_table *table;
    const struct ct_row **rows;
    size_t count;
    uint64_t next_number;
    struct counters counters;            // a copy with room, if each key has its own
    const struct ct_op_result *mirrored; // NULL: ETags are the table's own
};

static struct draft begin_draft(struct ct_memory_table *table, const struct ct_batch *batch,
                                const struct ct_op_result *mirrored) {
    // Every revision is kept, and its rows are shared with its neighbours: a batch copies the
    // pointers of the whole table, which is linear in its rows and cheap where those are few.
    struct ct_rows latest = table->snapshots[table->revision];
    const struct ct_row **rows =
        ARENA_ARRAY(table->options.arena, const struct ct_row *, latest.count + batch->count);
    memcpy(rows, latest.rows, latest.count * sizeof *rows);
    struct counters counters = table->counters;
    if (table->options.etags_per_key) {
        counters.of =
            ARENA_ARRAY(table->options.arena, struct counter, counters.count + batch->count);
        for (size_t i = 0; i < counters.count; i++)
            counters.of[i] = table->counters.of[i];
    }
    return (struct draft){.table = table,
                          .rows = rows,
                          .count = latest.count,
                          .next_number = table->next_number,
                          .counters = counters,
                          .mirrored = mirrored};
}

static void put_row(struct draft *draft, size_t at, bool exists, const struct ct_row *row) {
    if (!exists) {
        memmove(&draft->rows[at + 1], &draft->rows[at], (draft->count - at) * sizeof *draft->rows);
        draft->count++;
    }
    draft->rows[at] = row;
}

static void remove_row(struct draft *draft, size_t at) {
    draft->count--;
    memmove(&draft->rows[at], &draft->rows[at + 1], (draft->count - at) * sizeof *draft->rows);
}

// Prefix and number, by hand: this runs for every row written.
static const char *numbered_etag(const struct ct_memory_table *table, uint64_t number) {
    char digits[DECIMAL_DIGITS_MAX];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    char *etag = arena_alloc(table->options.arena, table->prefix_length + count + 1);
    memcpy(etag, table->options.etag_prefix, table->prefix_length);
    char *end = etag + table->prefix_length;
    while (count > 0)
        *end++ = digits[--count];
    *end = '\0';
    return etag;
}

// A key that was deleted keeps its counter, for ETags never come back.
static uint64_t next_of_key(struct counters *counters, struct ct_key key) {
    size_t i = 0;
    while (i < counters->count && !ct_key_equal(counters->of[i].key, key))
        i++;
    if (i == counters->count)
        counters->of[counters->count++] = (struct counter){.key = key};
    return ++counters->of[i].used;
}

static const char *new_etag(struct draft *draft, struct ct_key key, size_t index) {
    if (draft->mirrored)
        return draft->mirrored[index].etag;
    // By key, writes of different rows give the same ETags in either order: so they commute, which
    // a reduced search relies on.
    if (draft->table->options.etags_per_key)
        return numbered_etag(draft->table, next_of_key(&draft->counters, key));
    return numbered_etag(draft->table, draft->next_number++);
}

// Whether [operation] may be applied to [existing] (NULL: no row), or why not. Tested in this
// order: existence, a missing If-Match, a mismatch.
static bool check_operation(const struct ct_operation *operation, size_t index,
                            const struct ct_row *existing, struct ct_outcome *refusal) {
    switch (operation->type) {
    case CT_INSERT:
        if (existing)
            *refusal = ct_storage_error(CT_STATUS_CONFLICT, index);
        return !existing;
    case CT_INSERT_OR_REPLACE:
    case CT_INSERT_OR_MERGE:
        return true;
    case CT_REPLACE:
    case CT_MERGE:
    case CT_DELETE:
        break;
    }
    const char *if_match = operation->entity->etag;
    if (ct_is_delete_if_exists(operation))
        return true;
    if (existing && if_match && *if_match &&
        (ct_string_equal(if_match, existing->etag) || ct_string_equal(if_match, CT_ANY_ETAG)))
        return true;
    if (!existing)
        *refusal = ct_storage_error(CT_STATUS_NOT_FOUND, index);
    else if (!if_match || !*if_match)
        *refusal = ct_program_error("a Replace, Merge or Delete without an If-Match");
    else
        *refusal = ct_storage_error(CT_STATUS_PRECONDITION_FAILED, index);
    return false;
}

static const struct ct_row *written_row(struct draft *draft, const struct ct_operation *operation,
                                        const struct ct_row *existing, const char *etag) {
    struct arena *arena = draft->table->options.arena;
    bool merges = operation->type == CT_MERGE || operation->type == CT_INSERT_OR_MERGE;
    struct ct_row *row = merges && existing ? ct_row_merge(arena, existing, operation->entity, etag)
                                            : ct_row_copy(arena, operation->entity);
    row->etag = etag;
    row->timestamp = 0;
    if (draft->table->options.keeps_digests)
        row->digest = ct_row_digest(row);
    return row;
}

// Applies the operation to the draft and fills [result], or says why not; the caller's entity stays
// untouched.
static bool apply_operation(struct draft *draft, const struct ct_operation *operation, size_t index,
                            struct ct_op_result *result, struct ct_outcome *refusal) {
    struct ct_rows rows = {.rows = draft->rows, .count = draft->count};
    bool exists;
    size_t at = ct_rows_search(rows, operation->entity->key, &exists);
    const struct ct_row *existing = exists ? rows.rows[at] : NULL;
    if (!check_operation(operation, index, existing, refusal))
        return false;
    *result = (struct ct_op_result){.status = CT_STATUS_NO_CONTENT, .entity = operation->entity};
    if (operation->type == CT_DELETE) {
        if (exists)
            remove_row(draft, at);
        return true;
    }
    if (operation->type == CT_INSERT)
        result->status = CT_STATUS_CREATED;
    result->etag = new_etag(draft, operation->entity->key, index);
    const struct ct_row *row = written_row(draft, operation, existing, result->etag);
    // At once, so that a later operation of the batch finds it: operations are executed in order.
    put_row(draft, at, exists, row);
    // Other rows were looked at with the batch; a merge may become too large only together with
    // what was there.
    enum ct_error error = draft->table->options.enforce_limits && exists // merged, perhaps
                              ? ct_check_row(&ct_service_rules, row)
                              : CT_ERROR_NONE;
    if (error != CT_ERROR_NONE)
        *refusal = ct_refusal(error, index);
    return error == CT_ERROR_NONE;
}

static void append_snapshot(struct ct_memory_table *table, struct ct_rows rows) {
    if (++table->revision == table->capacity) {
        struct ct_rows *grown =
            ARENA_ARRAY(table->options.arena, struct ct_rows, 2 * table->capacity);
        memcpy(grown, table->snapshots, table->capacity * sizeof *grown);
        table->snapshots = grown;
        table->capacity *= 2;
    }
    table->snapshots[table->revision] = rows;
}

// The only place where a batch takes effect; nothing here can fail.
static void commit_draft(const struct draft *draft, const struct ct_batch *batch,
                         const struct ct_op_result *done, struct ct_op_result *results) {
    draft->table->next_number = draft->next_number;
    draft->table->counters = draft->counters;
    append_snapshot(draft->table, (struct ct_rows){.rows = draft->rows, .count = draft->count});
    for (size_t i = 0; i < batch->count; i++) {
        results[i] = done[i];
        if (batch->operations[i].type != CT_DELETE)
            batch->operations[i].entity->etag = done[i].etag;
    }
}

struct ct_outcome ct_memory_execute_mirror(struct ct_memory_table *table, struct ct_batch *batch,
                                           const struct ct_op_result *mirrored,
                                           struct ct_op_result *results) {
    const char *error = ct_batch_program_error(batch);
    if (error)
        return ct_program_error(error);
    size_t op_index;
    enum ct_error refused = table->options.enforce_limits
                                ? ct_check_batch(&ct_service_rules, batch, &op_index)
                                : CT_ERROR_NONE;
    if (refused == CT_ERROR_NONE)
        refused = ct_limits_check(table->options.limits, batch, &op_index);
    if (refused != CT_ERROR_NONE)
        return ct_refusal(refused, op_index);
    size_t mark = arena_mark(table->options.arena);
    struct draft draft = begin_draft(table, batch, mirrored);
    struct ct_op_result *done =
        ARENA_ARRAY(table->options.arena, struct ct_op_result, batch->count);
    struct ct_outcome refusal;
    for (size_t i = 0; i < batch->count; i++)
        if (!apply_operation(&draft, &batch->operations[i], i, &done[i], &refusal)) {
            // All or nothing: the draft is forgotten, and no revision has seen it.
            arena_reset(table->options.arena, mark);
            return refusal;
        }
    commit_draft(&draft, batch, done, results);
    return ct_success();
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    (void)where;
    (void)arena; // ETags are part of the history
    return ct_memory_execute_mirror(memory_table(table), batch, NULL, results);
}

static struct ct_table_limits limits_of(struct ct_table *table) {
    return memory_table(table)->options.limits;
}

// ---- Atomic queries ----------------------------------------------------------------------------

// What [filter], which targets a partition, asks of its rows beside that; NULL: nothing.
static const struct ct_filter *rest_of(const struct ct_filter *filter) {
    return filter->kind == CT_FILTER_AND ? filter->right : NULL;
}

// Where matches of [filter], which targets [partition], can lie: rows of that partition.
static struct ct_rows query_range(struct ct_rows rows, const struct ct_filter *filter,
                                  const char *partition) {
    const struct ct_filter *target = filter->kind == CT_FILTER_AND ? filter->left : filter;
    if (!target->can_be_key) // it goes on behind a U+0000: no key does
        return (struct ct_rows){.rows = rows.rows, .count = 0};
    size_t at = ct_rows_lower_bound(rows, (struct ct_key){partition, ""});
    size_t end = at;
    while (end < rows.count && ct_string_equal(rows.rows[end]->key.partition, partition))
        end++;
    return (struct ct_rows){.rows = rows.rows + at, .count = end - at};
}

// The one row of [key], if there is.
static struct ct_rows find_point(struct ct_rows rows, struct ct_key key) {
    bool exists;
    size_t at = ct_rows_search(rows, key, &exists);
    return (struct ct_rows){.rows = rows.rows + at, .count = exists};
}

static struct ct_outcome query(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows) {
    (void)where;
    const char *partition = ct_filter_partition(filter), *row = ct_filter_row(filter);
    if (!partition)
        return ct_program_error("an atomic query must target one partition");
    struct ct_rows present = ct_memory_rows(memory_table(table));
    if (row) { // in no table more than it may give
        *rows = find_point(present, (struct ct_key){partition, row});
        return ct_success();
    }
    // Rows are in key order: a partition is found by halving.
    struct ct_rows range = query_range(present, filter, partition);
    const struct ct_filter *rest = rest_of(filter);
    const struct ct_row **found = ARENA_ARRAY(arena, const struct ct_row *, range.count);
    size_t count = 0;
    for (size_t i = 0; i < range.count; i++)
        if (ct_filter_matches(rest, range.rows[i]))
            found[count++] = range.rows[i];
    size_t count_max = limits_of(table).query_rows;
    // What matches counts, and not what was looked at.
    if (count_max > 0 && count > count_max)
        return ct_refusal(CT_ERROR_NOT_ONE_INSTANT, 0);
    *rows = (struct ct_rows){.rows = found, .count = count};
    return ct_success();
}

// ---- Streams -----------------------------------------------------------------------------------

struct ct_valid_rows ct_memory_valid_rows(const struct ct_memory_window *window,
                                          struct arena *arena) {
    const struct ct_memory_table *table = window->table;
    ASSERT(window->start <= table->revision);
    struct ct_revisions revisions = {.of = &table->snapshots[window->start],
                                     .count = table->revision - window->start + 1};
    return ct_valid_rows(revisions, window->filter, window->from, arena);
}

bool ct_memory_is_valid_row(const struct ct_memory_window *window, const struct ct_row *row,
                            struct arena *scratch) {
    size_t mark = arena_mark(scratch);
    struct ct_valid_rows valid = ct_memory_valid_rows(window, scratch);
    bool is_valid = ct_is_valid_row(&valid, row);
    arena_reset(scratch, mark);
    return is_valid;
}

struct memory_stream {
    struct ct_stream stream;        // first, so that the interface is the stream
    struct ct_memory_window window; // since it was opened, from the next row's least key on
    bool ended;
    bool closed;
};

// NULL: the end.
// The freedom that the interface gives to streams is a choice of the tester's: any row that the
// rule allows, or the end if it does. Without [choose] the first.
static const struct ct_row *choose_row(const struct memory_stream *stream) {
    struct ct_memory_table *table = stream->window.table;
    struct ct_valid_rows valid = ct_memory_valid_rows(&stream->window, table->options.arena);
    size_t answers = valid.count + (valid.may_end ? 1 : 0);
    ASSERT(answers >= 1);
    size_t index =
        table->options.choose ? table->options.choose(table->options.choose_context, answers) : 0;
    ASSERT(index < answers);
    return index < valid.count ? valid.rows[index] : NULL;
}

static struct ct_outcome read_stream(struct ct_stream *interface, const char *where,
                                     const struct ct_row **row) {
    (void)where;
    struct memory_stream *stream = (struct memory_stream *)interface;
    if (stream->closed)
        return ct_program_error("read of a closed stream");
    *row = stream->ended ? NULL : choose_row(stream);
    // The window begins behind the row from now on.
    stream->window.digested = 0;
    if (*row)
        stream->window.from = ct_key_next((*row)->key, stream->window.table->options.arena);
    else
        stream->ended = true;
    return ct_success();
}

struct ct_key ct_memory_stream_from(const struct ct_stream *stream) {
    return ((const struct memory_stream *)stream)->window.from;
}

static void close_stream(struct ct_stream *interface, const char *where) {
    (void)where;
    struct memory_stream *stream = (struct memory_stream *)interface;
    // A table whose streams have memory of their own would free it again.
    ASSERT(!stream->closed);
    stream->closed = true;
}

static const struct ct_stream_ops stream_ops = {
    .version = CT_STREAM_VERSION, .read = read_stream, .close = close_stream};

static struct ct_outcome open_stream(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    (void)where;
    struct ct_memory_table *memory = memory_table(table);
    struct memory_stream *opened = ARENA_NEW(memory->options.arena, struct memory_stream);
    opened->stream.ops = &stream_ops;
    opened->window = (struct ct_memory_window){
        .table = memory, .start = memory->revision, .filter = filter, .from = ct_key_first()};
    *stream = &opened->stream;
    return ct_success();
}

// ---- The table ---------------------------------------------------------------------------------

// Everything is the arena's.
static void close_table(struct ct_table *table) {
    (void)table;
}

static const struct ct_table_ops table_ops = {
    .version = CT_TABLE_VERSION,
    .execute = execute,
    .query = query,
    .open_stream = open_stream,
    .close = close_table,
    .limits = limits_of,
};

struct ct_memory_table *ct_memory_table_open(const struct ct_memory_options *options) {
    struct ct_memory_table *table = ARENA_NEW(options->arena, struct ct_memory_table);
    table->table.ops = &table_ops;
    table->options = *options;
    table->prefix_length = strlen(options->etag_prefix);
    table->next_number = 1;
    table->capacity = SNAPSHOTS_INITIAL;
    table->snapshots = ARENA_ARRAY(options->arena, struct ct_rows, SNAPSHOTS_INITIAL);
    // Not a null list: the first batch copies it.
    table->snapshots[0] =
        (struct ct_rows){.rows = ARENA_ARRAY(options->arena, const struct ct_row *, 1), .count = 0};
    return table;
}

struct ct_table *ct_memory_table_interface(struct ct_memory_table *table) {
    return &table->table;
}

size_t ct_memory_revision(const struct ct_memory_table *table) {
    return table->revision;
}

struct ct_rows ct_memory_rows_at(const struct ct_memory_table *table, size_t revision) {
    ASSERT(revision <= table->revision);
    return table->snapshots[revision];
}

struct ct_rows ct_memory_rows(const struct ct_memory_table *table) {
    return table->snapshots[table->revision];
}

// ---- Digests -----------------------------------------------------------------------------------

static struct digest latest_digest(const struct ct_memory_table *table) {
    // The counters of ETags are contents, too: the next write's ETag depends on them.
    struct digest digest = ct_rows_digest(ct_memory_rows(table));
    if (!table->options.etags_per_key)
        return digest_fold(digest, table->next_number);
    struct digest counters = {0, 0}; // in whatever order the keys came
    for (size_t i = 0; i < table->counters.count; i++) {
        const struct counter *counter = &table->counters.of[i];
        struct digest_words words = digest_words((struct digest){counter->used, 0});
        digest_words_add_text(&words, counter->key.partition);
        digest_words_add_text(&words, counter->key.row);
        digest_add(&counters, digest_words_end(&words));
    }
    return digest_fold_digest(digest, counters);
}

struct digest ct_memory_digest(struct ct_memory_table *table) {
    if (table->digested != table->revision + 1) {
        table->digest = latest_digest(table);
        table->digested = table->revision + 1;
    }
    return table->digest;
}

// What of [rows] the window shows.
static struct digest part_digest(const struct ct_memory_window *window, struct ct_rows rows) {
    struct digest digest = {0, 1};
    for (size_t i = ct_rows_lower_bound(rows, window->from); i < rows.count; i++)
        if (ct_filter_matches(window->filter, rows.rows[i]))
            digest = digest_fold_digest(digest, ct_row_digest(rows.rows[i]));
    return digest;
}

// Whether an earlier revision of the window has the same part.
// Two revisions that show the same are one: a write and its undoing behind the stream's place must
// not make states differ. Quadratic in the revisions of the window.
static bool is_repeated(const struct ct_memory_window *window, size_t revision,
                        struct digest part) {
    for (size_t j = window->start; j < revision; j++)
        if (digest_equal(part_digest(window, window->table->snapshots[j]), part))
            return true;
    return false;
}

static struct digest whole_digest(const struct ct_memory_window *window) {
    struct digest parts = {0, 0};
    for (size_t j = window->start; j <= window->table->revision; j++) {
        struct digest part = part_digest(window, window->table->snapshots[j]);
        if (!is_repeated(window, j, part))
            digest_add(&parts, part);
    }
    parts = digest_fold_text(parts, window->from.partition);
    return digest_fold_text(parts, window->from.row);
}

struct digest ct_memory_window_digest(struct ct_memory_window *window) {
    if (window->digested != window->table->revision + 1) {
        window->digest = whole_digest(window);
        window->digested = window->table->revision + 1;
    }
    return window->digest;
}

struct digest ct_memory_stream_digest(struct ct_stream *interface) {
    struct memory_stream *stream = (struct memory_stream *)interface;
    if (stream->ended || stream->closed)
        return (struct digest){stream->ended, stream->closed};
    return ct_memory_window_digest(&stream->window);
}
