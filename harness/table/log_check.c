#include "harness/table/log_check.h"

#include "core/base/grow.h"
#include "harness/table/describe.h"
#include "harness/table/table_spec.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <stdlib.h>
#include <string.h>

struct log_checker {
    struct lin_checker *search;
    struct sct_history history;
};

struct log_checker *log_checker_open(const struct lin_limits *limits) {
    struct log_checker *checker = grow_new(1, sizeof *checker, "a checker of logs");
    checker->search = lin_open(limits);
    sct_history_init(&checker->history);
    return checker;
}

void log_checker_close(struct log_checker *checker) {
    if (!checker)
        return;
    lin_close(checker->search);
    sct_history_deinit(&checker->history);
    free(checker);
}

// A log on its way to a history.
struct translation {
    struct arena *arena;
    const struct table_log *log;
    struct sct_history *history;
    struct table_spec spec;
    uint32_t *calls; // of each logged call: its operation
    uint32_t *reads; // of each logged read: the first of its operations
    bool is_settled; // at the present event
};

// ---- Keys --------------------------------------------------------------------------------------

static void add_keys(struct table_spec *spec, struct ct_rows rows) {
    for (size_t i = 0; i < rows.count; i++)
        table_spec_add_key(spec, rows.rows[i]->key);
}

static void add_event_keys(struct table_spec *spec, const struct log_event *event) {
    switch (event->kind) {
    case LOG_CALL:
        for (size_t i = 0; i < event->as.call->batch.count; i++)
            table_spec_add_key(spec, event->as.call->batch.operations[i].entity->key);
        return;
    case LOG_RETURN:
        add_keys(spec, event->as.call->rows);
        return;
    case LOG_READ:
        if (event->as.read->row)
            table_spec_add_key(spec, event->as.read->row->key);
        return;
    case LOG_OPEN:
    case LOG_PEEK:
    case LOG_SETTLED:
        return;
    }
}

// All of them before the first operation: a key's number is its rank, which every new key may
// change.
static void add_all_keys(struct table_spec *spec, const struct table_log *log) {
    add_keys(spec, log->initial);
    add_keys(spec, log->final);
    for (const struct log_event *event = log->first; event; event = event->next)
        add_event_keys(spec, event);
}

// ETags of the initial rows count as written: they cannot appear a second time.
static void set_initial(struct table_spec *spec, struct ct_rows rows) {
    for (size_t i = 0; i < rows.count; i++) {
        uint32_t key = table_spec_key(spec, rows.rows[i]->key);
        uint32_t etag = table_spec_etag(spec, key, rows.rows[i]->etag);
        spec->etags[etag].is_written = spec->etags[etag].is_seen = true;
        uint64_t value = table_spec_value(spec, key, rows.rows[i]);
        spec->keys[key].initial = value << 32 | etag;
    }
}

// ---- Operations --------------------------------------------------------------------------------

static uint32_t add_operation(struct translation *to, const struct spec_operation *operation) {
    return sct_history_call(to->history, &(struct sct_operation){.data = operation});
}

// Known at the return only: an operation that ends after the settlement may come behind it.
static void add_return(struct translation *to, uint32_t index) {
    to->history->operations[index].function = to->is_settled ? SPEC_OTHER : SPEC_EARLY;
    sct_history_return(to->history, index, 0);
}

static struct spec_operation *new_operation(struct translation *to, enum spec_kind kind,
                                            const struct log_event *origin) {
    struct spec_operation *operation = ARENA_NEW(to->arena, struct spec_operation);
    operation->kind = kind;
    operation->is_possible = true;
    operation->is_late = to->is_settled;
    operation->origin = origin;
    return operation;
}

// What [row], seen by somebody, says of its key. False if no table has such a row.
// A row that does not match the filter it was asked with is an answer that no table gives.
static bool see_row(struct table_spec *spec, const struct ct_row *row,
                    const struct ct_filter *filter, struct spec_cell *cell) {
    cell->key = table_spec_key(spec, row->key);
    cell->value = table_spec_value(spec, cell->key, row);
    cell->etag = table_spec_etag(spec, cell->key, row->etag ? row->etag : "");
    spec->etags[cell->etag].is_seen = true;
    return row->etag && ct_filter_matches(filter, row);
}

// Keys by their numbers, from [low] to [high], exclusive.
struct key_range {
    uint32_t low, high;
};

// An observation of [keys]: [rows] and no others match.
// Keys and rows are both in key order, so one pass pairs them. A key without a row is an
// observation, too: nothing there matched.
static struct spec_operation *see_rows(struct translation *to, const struct log_event *origin,
                                       struct key_range keys, struct ct_rows rows,
                                       const struct ct_filter *filter) {
    struct spec_operation *operation = new_operation(to, SPEC_ROWS, origin);
    struct spec_cell *cells = ARENA_ARRAY(to->arena, struct spec_cell, keys.high - keys.low + 1);
    size_t next = 0;
    for (uint32_t key = keys.low; key < keys.high; key++) {
        struct spec_cell *cell = &cells[operation->count++];
        *cell = (struct spec_cell){.key = key};
        if (next < rows.count && ct_key_equal(rows.rows[next]->key, to->spec.keys[key].key))
            operation->is_possible &= see_row(&to->spec, rows.rows[next++], filter, cell);
    }
    operation->is_possible &= next == rows.count; // else out of order, or of its partition
    operation->key = keys.high > keys.low ? keys.low : 0;
    operation->of.cells = cells;
    operation->filter = filter;
    return operation;
}

static uint32_t if_match_of(struct table_spec *spec, uint32_t key,
                            const struct ct_operation *operation) {
    const char *text = operation->entity->etag;
    if (ct_is_delete_if_exists(operation))
        return SPEC_MATCH_IF_EXISTS;
    if (!text || ct_string_equal(text, CT_ANY_ETAG))
        return SPEC_MATCH_ANY;
    return table_spec_etag(spec, key, text);
}

// Whether [result] is what a success of [operation] gives, whatever the table contains.
static bool is_proper_result(const struct ct_operation *operation,
                             const struct ct_op_result *result) {
    const struct ct_row *asked = operation->entity, *given = result->entity;
    bool is_delete = operation->type == CT_DELETE;
    if (result->status != (operation->type == CT_INSERT ? CT_STATUS_CREATED : CT_STATUS_NO_CONTENT))
        return false;
    if (is_delete ? result->etag != NULL : !result->etag)
        return false;
    if (!given || !ct_string_equal(given->etag, is_delete ? asked->etag : result->etag) ||
        !ct_key_equal(given->key, asked->key) || given->timestamp != asked->timestamp ||
        given->property_count != asked->property_count)
        return false;
    for (size_t i = 0; i < asked->property_count; i++)
        if (!ct_property_equal(&asked->properties[i], &given->properties[i]))
            return false;
    return true;
}

// The ETag that a write returned comes with that write alone.
// If another write has given it out before no order of the calls helps: ETags do not come back.
static bool take_result(struct table_spec *spec, struct spec_change *change,
                        const struct ct_operation *operation, const struct ct_op_result *result) {
    if (!is_proper_result(operation, result))
        return false;
    if (operation->type == CT_DELETE)
        return true;
    change->etag = table_spec_etag(spec, change->key, result->etag);
    struct spec_etag *etag = &spec->etags[change->etag];
    bool is_new = !etag->is_written;
    etag->is_written = etag->is_seen = true;
    return is_new;
}

static struct spec_operation *batch_operation(struct translation *to,
                                              const struct log_event *origin) {
    const struct logged_call *call = origin->as.call;
    bool succeeded = call->has_returned && call->outcome.kind == CT_SUCCEEDED;
    struct spec_operation *operation = new_operation(to, SPEC_BATCH, origin);
    uint32_t count = (uint32_t)call->batch.count;
    struct spec_change *changes = ARENA_ARRAY(to->arena, struct spec_change, count);
    for (uint32_t i = 0; i < count; i++) {
        const struct ct_operation *part = &call->batch.operations[i];
        uint32_t key = table_spec_key(&to->spec, part->entity->key);
        changes[i] = (struct spec_change){
            .type = part->type,
            .key = key,
            .if_match = if_match_of(&to->spec, key, part),
            .value = table_spec_value(&to->spec, key, part->entity),
        };
        if (succeeded)
            operation->is_possible &= take_result(&to->spec, &changes[i], part, &call->results[i]);
        // A batch takes effect at one instant, so its keys are searched together.
        table_spec_tie(&to->spec, changes[0].key, key);
    }
    operation->count = operation->failed_at = count;
    operation->key = changes[0].key;
    operation->of.changes = changes;
    return operation;
}

static const struct spec_operation *translate_batch(struct translation *to,
                                                    const struct log_event *origin) {
    const struct logged_call *call = origin->as.call;
    struct spec_operation *operation = batch_operation(to, origin);
    if (!call->has_returned || call->outcome.kind == CT_SUCCEEDED)
        return operation;
    operation->is_unknown = call->outcome.kind == CT_UNKNOWN;
    if (operation->is_unknown)
        return operation;
    operation->is_possible =
        call->outcome.kind == CT_STORAGE_ERROR && call->outcome.op_index < operation->count;
    if (operation->is_possible)
        operation->failed_at = (uint32_t)call->outcome.op_index;
    operation->status = call->outcome.status;
    return operation;
}

// A query sees its whole partition at one instant, rows that do not match included: all its keys
// are tied, so in practice a part of the search is a partition.
static const struct spec_operation *translate_query(struct translation *to,
                                                    const struct log_event *origin) {
    const struct logged_call *call = origin->as.call;
    const char *partition = ct_filter_partition(call->filter);
    ASSERT(partition);
    uint32_t low = table_spec_bound(&to->spec, partition, false);
    uint32_t high = table_spec_bound(&to->spec, partition, true);
    for (uint32_t key = low; key < high; key++)
        table_spec_tie(&to->spec, low, key);
    struct spec_operation *operation =
        see_rows(to, origin, (struct key_range){low, high}, call->rows, call->filter);
    operation->is_possible &= !call->has_returned || call->outcome.kind == CT_SUCCEEDED;
    return operation;
}

// A server error says that nothing was done. That is believed here: a write that was done all the
// same shows in what others read, which nothing then explains.
static const struct spec_operation *translate_call(struct translation *to,
                                                   const struct log_event *origin) {
    const struct logged_call *call = origin->as.call;
    if (call->has_returned && ct_failed_with(call->outcome, CT_STATUS_SERVER_ERROR))
        return new_operation(to, SPEC_NOTHING, origin);
    return call->kind == LOGGED_BATCH ? translate_batch(to, origin) : translate_query(to, origin);
}

// ---- Streams -----------------------------------------------------------------------------------

// The keys that a read of a stream which stands at [*low] speaks about: from there to the result,
// exclusive. A row behind which the stream stood already is an observation of its own, which fails.
static uint32_t end_of_read(const struct translation *to, const struct logged_read *read,
                            uint32_t *low) {
    if (!read->row)
        return to->spec.key_count;
    uint32_t end = table_spec_key(&to->spec, read->row->key) + 1;
    if (end <= *low)
        *low = end;
    return end;
}

// All observations of the stream begin when it is opened.
// One operation for each key and read, alone: a stream ties no keys together, which is what makes
// it cheap to check, and is all that it promises.
static void translate_stream(struct translation *to, const struct log_event *origin) {
    const struct logged_stream *stream = origin->as.stream;
    uint32_t low = 0;
    for (const struct logged_read *read = stream->first; read; read = read->next) {
        const struct ct_row *row = read->row;
        uint32_t end = end_of_read(to, read, &low);
        bool is_behind = row && end == low; // the stream goes back
        to->reads[read->number] = to->history->operation_count;
        for (uint32_t key = is_behind ? end - 1 : low; key < end; key++) {
            bool is_row = row && key == end - 1;
            struct ct_rows rows = {.rows = &row, .count = is_row};
            struct key_range alone = {key, key + 1};
            struct spec_operation *operation = see_rows(to, origin, alone, rows, stream->filter);
            operation->is_possible &= !is_behind;
            add_operation(to, operation);
        }
        low = end;
    }
}

// The calls of a stream's operations stand together, read by read.
static void return_read(struct translation *to, const struct logged_read *read) {
    // The last read's end is where an operation of another origin begins.
    uint32_t end = read->next ? to->reads[read->next->number] : UINT32_MAX;
    for (uint32_t i = to->reads[read->number]; i < end && i < to->history->operation_count; i++) {
        const struct spec_operation *operation = to->history->operations[i].data;
        if (!operation->origin || operation->origin->kind != LOG_OPEN ||
            operation->origin->as.stream != read->stream)
            return;
        add_return(to, i);
    }
}

// ---- Histories ---------------------------------------------------------------------------------

static void translate_event(struct translation *to, const struct log_event *event) {
    switch (event->kind) {
    case LOG_CALL:
        to->calls[event->as.call->number] = add_operation(to, translate_call(to, event));
        return;
    case LOG_RETURN:
        add_return(to, to->calls[event->as.call->number]);
        return;
    case LOG_OPEN:
        translate_stream(to, event);
        return;
    case LOG_READ:
        return_read(to, event->as.read);
        return;
    case LOG_PEEK:
        return;
    case LOG_SETTLED:
        to->is_settled = event == to->log->settled;
        return;
    }
}

// The end is one observation of each group.
// Called and returned behind everything, so it comes last in each part.
static void translate_final(struct translation *to) {
    struct table_spec *spec = &to->spec;
    struct ct_rows rows = to->log->final;
    for (uint32_t group = 0; group < spec->key_count; group++) {
        if (table_spec_group(spec, group) != group)
            continue;
        struct spec_operation *operation = new_operation(to, SPEC_ROWS, NULL);
        struct spec_cell *cells = ARENA_ARRAY(to->arena, struct spec_cell, spec->key_count);
        for (uint32_t key = group; key < spec->key_count; key++) {
            if (table_spec_group(spec, key) != group)
                continue;
            struct spec_cell *cell = &cells[operation->count++];
            *cell = (struct spec_cell){.key = key};
            const struct ct_row *row = ct_rows_find(rows, spec->keys[key].key);
            if (row)
                operation->is_possible &= see_row(spec, row, NULL, cell);
        }
        operation->key = group;
        operation->of.cells = cells;
        add_return(to, add_operation(to, operation));
    }
}

// Of the ETags that no call returned, those that somebody peeked at may match; the rest never.
// Each ETag against each event, in the worst case: logs are short, and most ETags were returned.
static void see_peeked_etags(struct translation *to) {
    for (uint32_t i = 1; i < to->spec.etag_count; i++) {
        struct spec_etag *etag = &to->spec.etags[i];
        struct ct_key key = to->spec.keys[etag->key].key;
        for (const struct log_event *event = to->log->first; event && !etag->is_seen;
             event = event->next) {
            const struct ct_row *row =
                event->kind == LOG_PEEK ? ct_rows_find(event->as.rows, key) : NULL;
            etag->is_seen = row && ct_string_equal(row->etag, etag->text);
        }
    }
}

// In this order: the layout of a state needs all keys, ETags and ties, and the operations, which
// refer to them by number, do not change any more.
static void translate(struct translation *to) {
    const struct table_log *log = to->log;
    sct_history_clear(to->history);
    table_spec_init(&to->spec, to->arena, log->row_count);
    to->spec.has_settlement = log->settled != NULL;
    to->calls = ARENA_ARRAY(to->arena, uint32_t, log->call_count);
    to->reads = ARENA_ARRAY(to->arena, uint32_t, log->read_count);
    add_all_keys(&to->spec, log);
    set_initial(&to->spec, log->initial);
    for (const struct log_event *event = log->first; event; event = event->next)
        translate_event(to, event);
    if (log->has_final)
        translate_final(to);
    see_peeked_etags(to);
    table_spec_lay_out(&to->spec);
}

// ---- Check -------------------------------------------------------------------------------------

static void describe_answered_call(struct text *text, const struct logged_call *call) {
    if (call->kind == LOGGED_BATCH) {
        text_add(text, "a batch ");
        describe_batch(text, &call->batch);
    } else {
        text_add(text, "a query ");
        describe_filter(text, call->filter);
    }
    text_add(text, " that returned ");
    if (call->kind == LOGGED_QUERY && call->outcome.kind == CT_SUCCEEDED)
        describe_rows(text, call->rows);
    else
        describe_outcome(text, call->outcome, call->results, call->batch.count);
}

static void describe_blocked(struct text *text, const struct translation *from,
                             const struct spec_operation *operation) {
    const struct log_event *origin = operation->origin;
    if (!origin) {
        text_add(text, "the final contents ");
        describe_rows(text, from->log->final);
    } else if (origin->kind == LOG_CALL) {
        describe_answered_call(text, origin->as.call);
    } else {
        struct ct_key key = from->spec.keys[operation->key].key;
        const struct spec_cell *cell = &operation->of.cells[0];
        text_add(text, "a stream's read that for key '%s' '%s' gave ", key.partition, key.row);
        if (cell->value == SPEC_ABSENT) {
            text_add(text, "nothing");
            return;
        }
        // Values are without ETags: the row that stands for one may have had another.
        struct ct_row *row = ct_row_copy(from->arena, from->spec.values[cell->value].row);
        row->etag = from->spec.etags[cell->etag].text;
        describe_row(text, row);
    }
}

enum lin_verdict log_check(struct log_checker *checker, const struct table_log *log,
                           struct text *blocked) {
    // The log's arena is that of the execution, which a check in the midst of it must leave as it
    // was.
    size_t mark = arena_mark(log->arena);
    struct translation translation = {
        .arena = log->arena, .log = log, .history = &checker->history};
    translate(&translation);
    struct lin_spec spec = table_spec_lin(&translation.spec);
    struct lin_result result;
    lin_check(checker->search, &spec, &checker->history, &result);
    if (result.verdict == LIN_NOT_LINEARIZABLE && blocked)
        describe_blocked(blocked, &translation, checker->history.operations[result.blocked].data);
    arena_reset(log->arena, mark);
    return result.verdict;
}
