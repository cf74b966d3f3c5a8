// Queries and streams: pages of a GET.
#include "model/azure/request.h"

#include "core/base/grow.h"
#include "model/table/error.h"
#include "model/table/filter.h"
#include "model/table/range.h"
#include "model/wire/entity.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// Of a filter in a URL, before it is encoded: servers take some 32 KiB.
enum { FILTER_BYTES = 8 << 10, STREAM_BYTES = 512 << 20 };

// ---- The filter that is sent -------------------------------------------------------------------

// Whether every service understands a comparison alike: those of keys, and eq of what compares to
// nothing but its like. The rest is done here alone.
static bool is_portable(const struct ct_filter *filter) {
    const struct ct_property *operand = &filter->operand;
    bool is_text = operand->type == CT_STRING && !memchr(operand->value.string, 0, operand->size);
    switch (filter->kind) {
    case CT_FILTER_AND:
    case CT_FILTER_OR:
        return is_portable(filter->left) && is_portable(filter->right);
    case CT_FILTER_NOT:
        return false;
    case CT_FILTER_COMPARE:
        break;
    }
    if (strcmp(operand->name, CT_PARTITION_KEY) == 0 || strcmp(operand->name, CT_ROW_KEY) == 0)
        return is_text;
    return filter->compare == CT_EQ && (is_text || operand->type == CT_BOOL) &&
           strcmp(operand->name, CT_TIMESTAMP) != 0;
}

static const struct ct_filter *within(struct arena *arena, const char *name,
                                      struct ct_bounds bounds) {
    const struct ct_filter *low = NULL, *high = NULL;
    if (bounds.low && bounds.high && strcmp(bounds.low, bounds.high) == 0)
        return ct_filter_compare_string(arena, name, CT_EQ, bounds.low);
    if (bounds.low)
        low = ct_filter_compare_string(arena, name, CT_GE, bounds.low);
    if (bounds.high)
        high = ct_filter_compare_string(arena, name, CT_LE, bounds.high);
    return ct_filter_and(arena, low, high);
}

// The text of [filter], or NULL if it is too long for a URL.
static const char *text_of(const struct ct_filter *filter, struct arena *arena) {
    struct text text = text_in(arena_alloc(arena, FILTER_BYTES), FILTER_BYTES);
    ct_filter_format(filter, &text);
    return text.length + 4 < FILTER_BYTES ? text.data : NULL;
}

// "$filter=..." for what [filter] can match, or NULL for everything.
static const char *query_of(const struct ct_filter *filter, struct arena *arena) {
    struct ct_range range = ct_filter_range(filter);
    struct wire_out out = {.arena = arena};
    // Else the bounds of its keys: rows that do not match are left out here.
    const char *text = filter && is_portable(filter) ? text_of(filter, arena) : NULL;
    if (!text) {
        filter = ct_filter_and(arena, within(arena, CT_PARTITION_KEY, range.partition),
                               within(arena, CT_ROW_KEY, range.row));
        text = filter ? text_of(filter, arena) : NULL;
    }
    if (!text)
        return NULL;
    wire_add(&out, "$filter=");
    wire_add_percent(&out, text);
    return wire_text(&out);
}

// ---- A page ------------------------------------------------------------------------------------

// Rows of a page that match, in its arena.
struct page {
    const struct ct_row **rows;
    size_t count;
};

static struct ct_outcome read_rows(const struct json_t *value, const struct ct_filter *filter,
                                   struct arena *arena, struct page *page) {
    size_t count = json_array_size(value);
    page->rows = ARENA_ARRAY(arena, const struct ct_row *, count);
    page->count = 0;
    if (!json_is_array(value))
        return ct_internal_error("an answer that is no list of rows");
    for (size_t i = 0; i < count; i++) {
        struct ct_row *row;
        if (wire_entity_of(arena, json_array_get(value, i), &row) != WIRE_OK ||
            !row->key.partition || !row->key.row || !row->etag)
            return ct_internal_error("an answer with a row that is none");
        // Always, since services differ in what they make of a comparison of types.
        if (ct_filter_matches(filter, row))
            page->rows[page->count++] = row;
    }
    return ct_success();
}

static struct ct_outcome get_page(struct ct_azure_table *table, const char *query,
                                  const struct ct_filter *filter, struct arena *arena,
                                  struct page *page) {
    struct azure_answer answer = {0};
    json_error_t ignored;
    const struct azure_request request = {
        .method = "GET",
        .resource = arena_printf(arena, "%s()", table->name),
        .query = query,
    };
    struct ct_outcome outcome = azure_send(table, &request, arena, &answer);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    if (answer.status != 200)
        return azure_refusal(table, answer.status, answer.code, 0, arena);
    json_t *body =
        json_loadb(table->body ? table->body : "", table->size, JSON_ALLOW_NUL, &ignored);
    outcome = read_rows(json_object_get(body, "value"), filter, arena, page);
    json_decref(body);
    return outcome;
}

struct ct_outcome azure_table_query(struct ct_table *interface, const char *where,
                                    const struct ct_filter *filter, struct arena *arena,
                                    struct ct_rows *rows) {
    struct ct_azure_table *table = (struct ct_azure_table *)interface;
    struct page page = {0};
    (void)where;
    if (!ct_filter_partition(filter))
        return ct_program_error("an atomic query must target one partition");
    struct ct_outcome outcome = get_page(table, query_of(filter, arena), filter, arena, &page);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome;
    // More pages: the next one would be of another instant. So it is also where a page ends early,
    // with fewer rows than a page may have.
    if (azure_header(table, "x-ms-continuation-NextPartitionKey"))
        return ct_refusal(CT_ERROR_NOT_ONE_INSTANT, 0);
    *rows = (struct ct_rows){.rows = page.rows, .count = page.count};
    return outcome;
}

// ---- Streams -----------------------------------------------------------------------------------

struct azure_stream {
    struct ct_stream stream; // first, so that the interface is the stream
    struct ct_azure_table *table;
    const struct ct_filter *filter;
    char *query; // of the next page, or NULL; "" if it has none
    struct arena arena;
    struct page page;
    size_t next;
};

static void add_token(struct wire_out *out, const char *name, const char *token) {
    if (!token)
        return;
    wire_add_format(out, "%s%s=", out->size ? "&" : "", name);
    wire_add_percent(out, token);
}

// The query of the page behind the one that was just read; NULL if that was the last.
static char *next_query(const struct azure_stream *stream, struct arena *arena) {
    const char *partition = azure_header(stream->table, "x-ms-continuation-NextPartitionKey");
    const char *row = azure_header(stream->table, "x-ms-continuation-NextRowKey");
    const char *filter = query_of(stream->filter, arena);
    struct wire_out out = {.arena = arena};
    if (!partition)
        return NULL;
    if (filter)
        wire_add(&out, filter);
    add_token(&out, "NextPartitionKey", partition);
    add_token(&out, "NextRowKey", row);
    return grow_text(wire_text(&out), "a stream");
}

static struct ct_outcome read_page(struct azure_stream *stream) {
    struct page page = {0};
    arena_reset(&stream->arena, 0);
    stream->page.count = stream->next = 0;
    struct ct_outcome outcome = get_page(stream->table, *stream->query ? stream->query : NULL,
                                         stream->filter, &stream->arena, &page);
    if (outcome.kind != CT_SUCCEEDED)
        return outcome; // the same page comes again
    char *query = next_query(stream, &stream->arena);
    free(stream->query);
    stream->query = query;
    stream->page = page;
    return outcome;
}

static struct ct_outcome read_stream(struct ct_stream *interface, const char *where,
                                     const struct ct_row **row) {
    struct azure_stream *stream = (struct azure_stream *)interface;
    struct ct_outcome outcome = ct_success();
    (void)where;
    // A page may be empty and not the last.
    while (outcome.kind == CT_SUCCEEDED && stream->next == stream->page.count && stream->query)
        outcome = read_page(stream);
    if (outcome.kind == CT_SUCCEEDED)
        *row = stream->next < stream->page.count ? stream->page.rows[stream->next++] : NULL;
    return outcome;
}

static void close_stream(struct ct_stream *interface, const char *where) {
    struct azure_stream *stream = (struct azure_stream *)interface;
    (void)where;
    free(stream->query);
    arena_deinit(&stream->arena);
    free(stream);
}

static const struct ct_stream_ops stream_ops = {
    .version = CT_STREAM_VERSION, .read = read_stream, .close = close_stream};

struct ct_outcome azure_table_open_stream(struct ct_table *interface, const char *where,
                                          const struct ct_filter *filter,
                                          struct ct_stream **stream) {
    struct ct_range range = ct_filter_range(filter);
    (void)where;
    struct azure_stream *opened = grow_new(1, sizeof *opened, "a stream");
    opened->stream.ops = &stream_ops;
    opened->table = (struct ct_azure_table *)interface;
    opened->filter = filter;
    arena_init(&opened->arena, STREAM_BYTES);
    // Nothing can match: no page is asked for.
    if (!range.partition.is_empty && !range.row.is_empty) {
        const char *query = query_of(filter, &opened->arena);
        opened->query = grow_text(query ? query : "", "a stream");
    }
    *stream = &opened->stream;
    return ct_success();
}
