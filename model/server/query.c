// Queries: filter, selection, pages.
#include "model/server/call.h"

#include "model/server/token.h"
#include "model/table/filter.h"
#include "model/table/range.h"

#include <string.h>

enum { SELECTED_MAX = 255 };

// ---- Parameters --------------------------------------------------------------------------------

enum wire_error call_read_select(struct call *call, struct wire_form *form) {
    const char *text = target_query(&call->target, "$select");
    if (!text)
        return WIRE_OK;
    const char **names = ARENA_ARRAY(call->arena, const char *, SELECTED_MAX);
    form->select = names;
    while (*text) {
        text += strspn(text, " ,");
        size_t size = strcspn(text, " ,");
        if (size == 0)
            break;
        if (form->select_count == SELECTED_MAX)
            return WIRE_QUERY_PARAMETER;
        names[form->select_count++] = arena_printf(call->arena, "%.*s", (int)size, text);
        text += size;
        if (strcmp(names[form->select_count - 1], "*") == 0) {
            form->select_count = 0; // everything
            return WIRE_OK;
        }
    }
    return WIRE_OK;
}

struct query {
    const struct ct_filter *filter;
    struct ct_key from; // where the page begins; a null partition: at the first row
    uint64_t top;
    struct wire_form form;
    // The page so far.
    struct wire_out body;
    uint64_t count;
    bool is_full; // the rest is for the next page, which begins at [from]
};

static enum wire_error read_query(struct call *call, struct query *query) {
    const struct target *target = &call->target;
    const char *filter = target_query(target, "$filter");
    const char *partition = target_query(target, "NextPartitionKey");
    const char *row = target_query(target, "NextRowKey");
    struct error ignored;
    *query = (struct query){.form = call_form(call, target->table), .body.arena = call->arena};
    if (filter && !ct_filter_parse(call->arena, filter, &query->filter, &ignored))
        return WIRE_INVALID_INPUT;
    if (partition && !(query->from.partition = token_read(call->arena, partition)))
        return WIRE_QUERY_PARAMETER;
    // Without a row key: from the partition's first row.
    if (partition && !(query->from.row = row ? token_read(call->arena, row) : ""))
        return WIRE_QUERY_PARAMETER;
    enum wire_error error = token_read_top(target, &query->top);
    return error == WIRE_OK ? call_read_select(call, &query->form) : error;
}

// ---- Rows --------------------------------------------------------------------------------------

static void add_row(struct query *query, const struct ct_row *row) {
    wire_add(&query->body, query->count++ ? ",{" : "{");
    wire_entity_add(&query->body, row, &query->form);
    wire_add(&query->body, "}");
}

// Takes rows of a stream into the page, up to its end or the page's.
static struct ct_outcome fill(struct query *query, struct ct_stream *stream) {
    for (;;) {
        const struct ct_row *row = NULL;
        struct ct_outcome outcome = ct_stream_read(stream, &row);
        if (outcome.kind != CT_SUCCEEDED || !row)
            return outcome;
        // The row that does not fit any more is where the next page begins: it is read once in
        // vain, and no page is empty at the end.
        if (query->count == query->top || query->body.size >= SERVER_PAGE_BYTES) {
            query->is_full = true;
            query->from.partition = arena_strdup(query->body.arena, row->key.partition);
            query->from.row = arena_strdup(query->body.arena, row->key.row);
            return outcome;
        }
        add_row(query, row);
    }
}

static struct ct_outcome fill_from(struct query *query, struct ct_table *table,
                                   const struct ct_filter *filter) {
    struct ct_stream *stream;
    struct ct_outcome outcome = ct_open_stream(table, filter, &stream);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    outcome = fill(query, stream);
    ct_stream_close(stream);
    return outcome;
}

static bool is_one(struct ct_bounds bounds) {
    return !bounds.is_empty && bounds.low && bounds.high && strcmp(bounds.low, bounds.high) == 0;
}

// Whether [filter] can match one row only: that of [key].
static bool is_of_one(const struct ct_filter *filter, struct ct_key *key) {
    struct ct_range range = ct_filter_range(filter);
    *key = (struct ct_key){range.partition.low, range.row.low};
    return is_one(range.partition) && is_one(range.row);
}

// An atomic query of a point costs less than a stream.
static struct ct_outcome fill_one(struct query *query, struct ct_table *table, struct ct_key key) {
    struct arena *arena = query->body.arena;
    struct ct_rows rows = {0};
    // The partition first, as an atomic query wants it.
    const struct ct_filter *filter =
        ct_filter_and(arena, ct_filter_in_partition(arena, key.partition), query->filter);
    struct ct_outcome outcome = ct_query(table, filter, arena, &rows);
    for (size_t i = 0; outcome.kind == CT_SUCCEEDED && i < rows.count; i++)
        add_row(query, rows.rows[i]);
    return outcome;
}

// A page that is not the first is read in two streams, each of a range of keys that a table finds
// without looking at what lies before: the rest of the partition, and those behind it.
static struct ct_outcome fill_page(struct query *query, struct ct_table *table) {
    struct arena *arena = query->body.arena;
    const struct ct_filter *filter = query->filter;
    struct ct_key key;
    // A page of no rows goes the other way: it needs to know whether there is one.
    if (!query->from.partition && query->top > 0 && is_of_one(filter, &key))
        return fill_one(query, table, key);
    if (!query->from.partition)
        return fill_from(query, table, filter);
    const char *partition = query->from.partition;
    const struct ct_filter *rest =
        ct_filter_and(arena, ct_filter_in_partition(arena, partition),
                      ct_filter_compare_string(arena, CT_ROW_KEY, CT_GE, query->from.row));
    const struct ct_filter *behind =
        ct_filter_compare_string(arena, CT_PARTITION_KEY, CT_GT, partition);
    struct ct_outcome outcome = fill_from(query, table, ct_filter_and(arena, rest, filter));
    if (outcome.kind == CT_SUCCEEDED && !query->is_full)
        outcome = fill_from(query, table, ct_filter_and(arena, behind, filter));
    return outcome;
}

void call_query(struct call *call) {
    struct query query;
    enum wire_error error = access_permits(&call->access, &call->target, "r");
    if (error == WIRE_OK)
        error = read_query(call, &query);
    if (error != WIRE_OK) {
        answer_error(call, error);
        return;
    }
    struct ct_table *table = call_table(call, call->target.table);
    if (!table)
        return;
    wire_add(&query.body, "{");
    if (call->metadata != WIRE_METADATA_NONE)
        WIRE_ADD(&query.body, "\"odata.metadata\":\"", call->base, "/$metadata#",
                 call->target.table, "\",");
    wire_add(&query.body, "\"value\":[");
    // Nothing is sent before the page is whole: a failure in its midst is an error, and no shorter
    // page.
    struct ct_outcome outcome = fill_page(&query, table);
    if (outcome.kind != CT_SUCCEEDED) {
        answer_error(call, call_error_of(outcome));
        return;
    }
    wire_add(&query.body, "]}");
    // The token is the next row's key: the page is found again even if the row is gone by then.
    if (query.is_full) {
        answer_header(call, "x-ms-continuation-NextPartitionKey",
                      token_write(call->arena, query.from.partition));
        answer_header(call, "x-ms-continuation-NextRowKey",
                      token_write(call->arena, query.from.row));
    }
    answer_json(call, 200, &query.body);
}
