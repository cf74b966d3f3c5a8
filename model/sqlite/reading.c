#include "model/sqlite/connection.h"

#include "core/base/reserve.h"
#include "model/sqlite/record.h"
#include "model/table/filter.h"
#include "model/table/range.h"
#include "model/table/row.h"

#include <stdlib.h>
#include <string.h>

// ---- Rows --------------------------------------------------------------------------------------

// Whether no byte has another rank than itself; in ASCII none has.
static bool is_ascii(const unsigned char *bytes, size_t size) {
    uint64_t word, all = 0;
    size_t i = 0;
    for (; i + sizeof word <= size; i += sizeof word) {
        memcpy(&word, bytes + i, sizeof word);
        all |= word;
    }
    for (; i < size; i++)
        all |= bytes[i];
    return !(all & UINT64_C(0x8080808080808080));
}

static const char *key_column(sqlite3_stmt *statement, int column, struct arena *arena) {
    const unsigned char *ranks = sqlite3_column_blob(statement, column); // NULL if it is empty
    size_t size = (size_t)sqlite3_column_bytes(statement, column);
    char *key = arena_alloc(arena, size + 1);
    if (size > 0)
        memcpy(key, ranks, size);
    for (size_t i = is_ascii(ranks, size) ? size : 0; i < size; i++)
        key[i] = (char)ct_unit_rank(ranks[i]);
    key[size] = '\0';
    return key;
}

static struct ct_row *row_under(struct ct_sqlite_table *table, sqlite3_stmt *statement,
                                const char *partition, struct arena *arena) {
    struct ct_key key = {partition, key_column(statement, 1, arena)};
    const char *etag = connection_etag(table, arena, (uint64_t)sqlite3_column_int64(statement, 2));
    const void *bytes = sqlite3_column_blob(statement, 4);
    struct ct_row *row =
        record_read(arena, key, etag, bytes, (size_t)sqlite3_column_bytes(statement, 4));
    if (row)
        row->timestamp = sqlite3_column_int64(statement, 3);
    return row;
}

struct ct_row *reading_row(struct ct_sqlite_table *table, sqlite3_stmt *statement,
                           struct arena *arena, const char *before) {
    size_t mark = arena_mark(arena);
    // Rows of one partition share its text: a page of one partition has it once.
    const char *partition = key_column(statement, 0, arena);
    if (before && strcmp(partition, before) == 0) {
        arena_reset(arena, mark);
        partition = before;
    }
    return row_under(table, statement, partition, arena);
}

// ---- Atomic queries ----------------------------------------------------------------------------

enum { ROWS_FIRST = 8 };

// A list in an arena; what it grows out of stays there.
struct list {
    const struct ct_row **rows;
    size_t count, capacity;
};

static void append(struct list *list, struct arena *arena, const struct ct_row *row) {
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? 2 * list->capacity : ROWS_FIRST;
        const struct ct_row **grown = ARENA_ARRAY(arena, const struct ct_row *, list->capacity);
        if (list->count > 0)
            memcpy(grown, list->rows, list->count * sizeof *grown);
        list->rows = grown;
    }
    list->rows[list->count++] = row;
}

static struct ct_outcome collect_rows(struct ct_sqlite_table *table, sqlite3_stmt *statement,
                                      const struct ct_filter *filter, struct arena *arena,
                                      struct list *list) {
    const char *partition = arena_strdup(arena, ct_filter_partition(filter));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        size_t mark = arena_mark(arena);
        const struct ct_row *row = row_under(table, statement, partition, arena);
        if (!row)
            return ct_internal_error("a row in the file is damaged");
        if (ct_filter_matches(filter, row))
            append(list, arena, row);
        else
            arena_reset(arena, mark);
    }
    return code == SQLITE_DONE ? ct_success() : connection_failure(table, code, arena);
}

static struct ct_outcome collect(struct ct_sqlite_table *table, const struct ct_filter *filter,
                                 struct ct_bounds bounds, struct arena *arena, struct list *list) {
    sqlite3_stmt *statement =
        connection_statement(table, bounds.high ? STATEMENT_RANGE : STATEMENT_FROM);
    sqlite3_bind_int64(statement, 1, table->id);
    connection_bind_key(statement, 2, ct_filter_partition(filter));
    connection_bind_key(statement, 3, bounds.low ? bounds.low : "");
    if (bounds.high)
        connection_bind_key(statement, 4, bounds.high);
    struct ct_outcome outcome = collect_rows(table, statement, filter, arena, list);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return outcome;
}

// One statement sees the file as of one instant, several do in a transaction.
static struct ct_outcome collect_all(struct ct_sqlite_table *table, const struct ct_filter *filter,
                                     struct ct_bounds_list bounds, struct arena *arena,
                                     struct list *list) {
    struct ct_outcome outcome = ct_success();
    if (bounds.count > 1) {
        int code = connection_run(connection_statement(table, STATEMENT_BEGIN_READING));
        if (code != SQLITE_DONE)
            return connection_failure(table, code, arena);
    }
    for (size_t i = 0; i < bounds.count && outcome.kind == CT_SUCCEEDED; i++)
        outcome = collect(table, filter, bounds.bounds[i], arena, list);
    // A transaction that is left open would keep its snapshot, and the log could not be emptied.
    if (!sqlite3_get_autocommit(table->database))
        connection_run(connection_statement(table, STATEMENT_ROLLBACK)); // it has written nothing
    return outcome;
}

struct ct_outcome sqlite_table_query(struct ct_table *interface, const char *where,
                                     const struct ct_filter *filter, struct arena *arena,
                                     struct ct_rows *rows) {
    struct ct_sqlite_table *table = (struct ct_sqlite_table *)interface;
    (void)where;
    if (!ct_filter_partition(filter))
        return ct_program_error("an atomic query must target one partition");
    struct list list = {0};
    struct ct_outcome outcome =
        collect_all(table, filter, ct_filter_row_bounds(arena, filter), arena, &list);
    if (outcome.kind == CT_SUCCEEDED)
        *rows = (struct ct_rows){.rows = list.rows, .count = list.count};
    return outcome;
}

// ---- Streams -----------------------------------------------------------------------------------

enum {
    PAGE_ROWS = 256,
    PAGE_BYTES = 1 << 20, // a page ends after the row that passes it
    PAGE_ADDRESSES = 16 << 20,
    PAGE_BYTES_KEPT = 128 << 10, // of each arena, while no stream uses it
};

// Reads pages of rows; between them nothing is held of the file.
struct sqlite_stream {
    struct ct_stream stream; // first, so that the interface is the stream
    struct ct_sqlite_table *table;
    const struct ct_filter *filter;
    const char *partition;      // the only one that has matches; or NULL
    const char *last_partition; // up to which there may be matches; NULL: to the end
    const char *last_row;       // the same of row keys in [partition]
    struct ct_key from;         // where the next page begins, in the arena of this one
    bool includes_from;
    bool is_last;           // no page comes after this one
    struct arena arenas[2]; // of this page and of the next one, in turn
    int turn;
    const struct ct_row *rows[PAGE_ROWS]; // those of the page that match
    size_t count, next;
};

// From where the stream stands to the end of that partition.
static sqlite3_stmt *begin_partition(const struct sqlite_stream *stream) {
    const char *last = stream->partition ? stream->last_row : NULL;
    sqlite3_stmt *statement =
        connection_statement(stream->table, last ? STATEMENT_RANGE : STATEMENT_FROM);
    sqlite3_bind_int64(statement, 1, stream->table->id);
    connection_bind_key(statement, 2, stream->from.partition);
    connection_bind_key(statement, 3, stream->from.row);
    if (last)
        connection_bind_key(statement, 4, last);
    return statement;
}

// The partitions behind that one.
static sqlite3_stmt *begin_rest(const struct sqlite_stream *stream) {
    const char *last = stream->last_partition;
    sqlite3_stmt *statement =
        connection_statement(stream->table, last ? STATEMENT_BEHIND_TO : STATEMENT_BEHIND);
    sqlite3_bind_int64(statement, 1, stream->table->id);
    connection_bind_key(statement, 2, stream->from.partition);
    if (last)
        connection_bind_key(statement, 3, last);
    return statement;
}

// Rows and where the next ones begin.
struct page {
    struct arena *arena;   // of the rows and of [last]
    const char *partition; // of all rows; NULL: each has its own
    const struct ct_row **rows;
    size_t count, most; // of those that match
    size_t seen;        // of all
    size_t begin;       // mark of the arena
    struct ct_key last;
    bool includes_last;
    bool is_last; // no page comes after this one
    bool is_damaged;
};

static bool has_room(const struct sqlite_stream *stream, const struct page *page) {
    // The end of the page before comes once more; it may be gone, then there are as many without.
    return page->seen < page->most + !stream->includes_from && page->count < page->most &&
           arena_mark(page->arena) - page->begin < PAGE_BYTES;
}

// Adds to [page] what [statement] gives, rows of [partition], or of several (NULL). SQLITE_ROW: it
// has no more room; else what the statement ended with, SQLITE_DONE if all is well.
static int read_rows(const struct sqlite_stream *stream, sqlite3_stmt *statement,
                     const char *partition, struct page *page) {
    const char *before = NULL; // the partition of the row before
    int code = SQLITE_ROW;
    while (has_room(stream, page) && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        size_t mark = arena_mark(page->arena);
        const struct ct_row *row = partition
                                       ? row_under(stream->table, statement, partition, page->arena)
                                       : reading_row(stream->table, statement, page->arena, before);
        page->is_damaged = !row;
        if (!row)
            break;
        if (page->seen++ == 0 && !stream->includes_from && ct_key_equal(row->key, page->last)) {
            arena_reset(page->arena, mark);
            continue;
        }
        page->last = row->key;
        before = row->key.partition;
        if (ct_filter_matches(stream->filter, row))
            page->rows[page->count++] = row;
    }
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return code;
}

// Reads the next page; the stream stands where it was.
static struct ct_outcome read_page(const struct sqlite_stream *stream, struct page *page) {
    page->begin = arena_mark(page->arena);
    page->last = stream->from;
    const char *partition =
        page->partition ? page->partition : arena_strdup(page->arena, stream->from.partition);
    int code = read_rows(stream, begin_partition(stream), partition, page);
    if (code == SQLITE_DONE && !stream->partition)
        code = read_rows(stream, begin_rest(stream), NULL, page);
    page->is_last = code == SQLITE_DONE;
    page->includes_last = stream->includes_from && page->seen == 0;
    if (page->is_damaged)
        return ct_internal_error("a row in the file is damaged");
    return code == SQLITE_ROW || code == SQLITE_DONE
               ? ct_success()
               : connection_failure(stream->table, code, page->arena);
}

// The stream stands behind [page], whose end is in the other arena.
// The arenas change places: the key where the next page begins lies in the one that is not reset
// next.
static void move_on(struct sqlite_stream *stream, const struct page *page, size_t count) {
    stream->is_last = page->is_last;
    stream->from = page->last;
    stream->includes_from = page->includes_last;
    stream->turn = !stream->turn;
    stream->next = 0;
    stream->count = count;
}

static struct ct_outcome read_own_page(struct sqlite_stream *stream) {
    struct page page = {.arena = &stream->arenas[!stream->turn],
                        .partition = stream->partition,
                        .rows = stream->rows,
                        .most = PAGE_ROWS};
    arena_reset(page.arena, 0);
    struct ct_outcome outcome = read_page(stream, &page);
    if (outcome.kind == CT_SUCCEEDED)
        move_on(stream, &page, page.count);
    return outcome;
}

static struct ct_outcome read_stream(struct ct_stream *interface, const char *where,
                                     const struct ct_row **row) {
    struct sqlite_stream *stream = (struct sqlite_stream *)interface;
    struct ct_outcome outcome = ct_success();
    (void)where;
    while (outcome.kind == CT_SUCCEEDED && stream->next == stream->count && !stream->is_last)
        outcome = read_own_page(stream);
    if (outcome.kind == CT_SUCCEEDED)
        *row = stream->next < stream->count ? stream->rows[stream->next++] : NULL;
    return outcome;
}

// Rows of the stream's own page, which [read] has left.
// Cloned: the page's arena is used again.
static size_t take_own_rows(struct sqlite_stream *stream, size_t most, struct arena *arena,
                            const struct ct_row **rows) {
    size_t count = 0;
    while (count < most && stream->next < stream->count)
        rows[count++] = ct_row_clone(arena, stream->rows[stream->next++]);
    return count;
}

static struct ct_outcome read_some(struct ct_stream *interface, const char *where, size_t most,
                                   struct arena *arena, const struct ct_row **rows, size_t *count) {
    struct sqlite_stream *stream = (struct sqlite_stream *)interface;
    struct ct_outcome outcome = ct_success();
    (void)where;
    *count = take_own_rows(stream, most, arena, rows);
    while (outcome.kind == CT_SUCCEEDED && *count == 0 && !stream->is_last) {
        struct page page = {.arena = arena,
                            .partition =
                                stream->partition ? arena_strdup(arena, stream->partition) : NULL,
                            .rows = rows,
                            .most = most};
        outcome = read_page(stream, &page);
        if (outcome.kind != CT_SUCCEEDED)
            break;
        struct arena *own = &stream->arenas[!stream->turn];
        arena_reset(own, 0);
        page.last = (struct ct_key){arena_strdup(own, page.last.partition),
                                    arena_strdup(own, page.last.row)};
        move_on(stream, &page, 0);
        *count = page.count;
    }
    return outcome;
}

static void free_stream(struct sqlite_stream *stream) {
    arena_deinit(&stream->arenas[0]);
    arena_deinit(&stream->arenas[1]);
    free(stream);
}

void reading_free_spare(struct ct_sqlite_table *table) {
    if (table->spare)
        free_stream(table->spare);
    table->spare = NULL;
}

// To give addresses back and take them anew costs as much as it does to read the rows of a page.
static void close_stream(struct ct_stream *interface, const char *where) {
    struct sqlite_stream *stream = (struct sqlite_stream *)interface;
    struct ct_sqlite_table *table = stream->table;
    (void)where;
    reading_free_spare(table);
    for (int i = 0; i < 2; i++) {
        reserve_shrink(stream->arenas[i].base, stream->arenas[i].used, PAGE_BYTES_KEPT);
        arena_reset(&stream->arenas[i], 0);
    }
    table->spare = stream;
}

// With two empty arenas and nothing else.
static struct sqlite_stream *new_stream(struct ct_sqlite_table *table) {
    struct sqlite_stream *stream = table->spare ? table->spare : calloc(1, sizeof *stream);
    if (!stream)
        return NULL;
    struct arena arenas[2] = {stream->arenas[0], stream->arenas[1]};
    if (!table->spare) {
        arena_init(&arenas[0], PAGE_ADDRESSES);
        arena_init(&arenas[1], PAGE_ADDRESSES);
    }
    table->spare = NULL;
    *stream = (struct sqlite_stream){.table = table, .arenas = {arenas[0], arenas[1]}};
    return stream;
}

static const struct ct_stream_ops stream_ops = {.version = CT_STREAM_VERSION,
                                                .read = read_stream,
                                                .close = close_stream,
                                                .read_some = read_some};

struct ct_outcome sqlite_table_open_stream(struct ct_table *interface, const char *where,
                                           const struct ct_filter *filter,
                                           struct ct_stream **stream) {
    struct ct_range range = ct_filter_range(filter);
    (void)where;
    struct sqlite_stream *opened = new_stream((struct ct_sqlite_table *)interface);
    if (!opened)
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    opened->stream.ops = &stream_ops;
    opened->filter = filter;
    opened->from.partition = range.partition.low ? range.partition.low : "";
    opened->from.row = "";
    opened->includes_from = true;
    opened->last_partition = range.partition.high;
    if (range.partition.low && range.partition.high &&
        strcmp(range.partition.low, range.partition.high) == 0) {
        opened->partition = range.partition.low;
        opened->from.row = range.row.low ? range.row.low : "";
        opened->last_row = range.row.high;
    }
    opened->is_last = range.partition.is_empty || range.row.is_empty;
    *stream = &opened->stream;
    return ct_success();
}
