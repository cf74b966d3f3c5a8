#define _POSIX_C_SOURCE 200809L
#include "model/posix/file_table.h"
#include "core/base/number.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// The contents of the file while an operation holds the mutex.
struct contents {
    struct arena *arena;
    unsigned long next_number; // of the next ETag
    struct ct_row **rows;      // in key order
    size_t count;
};

// ---- The file ----------------------------------------------------------------------------------

// Fields end with a tab; what could be mistaken is written as %XX.
// strchr finds the NUL at the end of its set, too, so a NUL is escaped.
static void write_bytes(FILE *out, const void *bytes, size_t size) {
    const char *text = bytes;
    for (size_t i = 0; i < size; i++)
        if (strchr("%\t\n", text[i])) // and '\0'
            fprintf(out, "%%%02x", (unsigned char)text[i]);
        else
            fputc(text[i], out);
    fputc('\t', out);
}

static void write_field(FILE *out, const char *text) {
    write_bytes(out, text, strlen(text));
}

// With a NUL behind it.
static char *read_bytes(FILE *in, struct arena *arena, size_t *size) {
    size_t capacity = 64;
    char *buffer = arena_alloc(arena, capacity);
    *size = 0;
    for (int c = fgetc(in); c != '\t'; c = fgetc(in)) {
        ASSERT(c != EOF);
        if (c == '%') {
            char hex[3] = {(char)fgetc(in), (char)fgetc(in), '\0'};
            uint64_t byte = 0;
            size_t digits = number_scan(hex, 16, UINT8_MAX, &byte);
            ASSERT(digits == 2);
            c = (int)byte;
        }
        buffer[(*size)++] = (char)c;
        if (*size == capacity) {
            char *grown = arena_alloc(arena, 2 * capacity);
            buffer = memcpy(grown, buffer, capacity);
            capacity *= 2;
        }
    }
    buffer[*size] = '\0';
    return buffer;
}

static const char *read_field(FILE *in, struct arena *arena) {
    size_t size;
    return read_bytes(in, arena, &size);
}

static uint64_t read_number(FILE *in, struct arena *arena) {
    uint64_t number = 0;
    bool is_number = number_parse(read_field(in, arena), 0, UINT64_MAX, &number);
    ASSERT(is_number);
    return number;
}

// The bytes of a value, as this machine has them.
static const void *value_bytes(const struct ct_property *property, size_t *size) {
    switch (property->type) {
    case CT_BOOL:
        *size = sizeof property->value.boolean;
        return &property->value.boolean;
    case CT_INT32:
        *size = sizeof property->value.int32;
        return &property->value.int32;
    case CT_INT64:
    case CT_DOUBLE:
    case CT_DATETIME:
        *size = sizeof property->value;
        return &property->value;
    case CT_STRING:
        *size = property->size;
        return property->value.string;
    case CT_GUID:
    case CT_BINARY:
        break;
    }
    *size = property->size;
    return property->value.bytes;
}

static void write_property(FILE *out, const struct ct_property *property) {
    char type[2] = {(char)('0' + property->type), '\0'};
    size_t size;
    const void *bytes = value_bytes(property, &size);
    write_field(out, property->name);
    write_field(out, type);
    write_bytes(out, bytes, size);
}

static struct ct_property read_property(FILE *in, struct arena *arena) {
    struct ct_property property = {.name = read_field(in, arena)};
    size_t size;
    property.type = (enum ct_type)(*read_field(in, arena) - '0');
    const char *bytes = read_bytes(in, arena, &size);
    if (property.type == CT_STRING)
        return ct_string_of(property.name, bytes, size);
    if (property.type == CT_GUID || property.type == CT_BINARY) {
        property.size = (uint32_t)size;
        property.value.bytes = (const unsigned char *)bytes;
    } else {
        ASSERT(size <= sizeof property.value);
        memcpy(&property.value, bytes, size);
    }
    return property;
}

static struct ct_row *read_row(FILE *in, struct arena *arena) {
    struct ct_key key = {.partition = read_field(in, arena)};
    key.row = read_field(in, arena);
    const char *etag = read_field(in, arena);
    size_t count = read_number(in, arena);
    struct ct_property *properties = ARENA_ARRAY(arena, struct ct_property, count + 1);
    for (size_t i = 0; i < count; i++)
        properties[i] = read_property(in, arena);
    ASSERT(fgetc(in) == '\n');
    return ct_row_new(arena, key, etag, properties, count);
}

// Reads the file into [arena], with room for [extra] rows more.
static struct contents load(const struct file_table *file, struct arena *arena, size_t extra) {
    struct contents contents = {.arena = arena};
    FILE *in = fopen(file->path, "r");
    ASSERT(in);
    contents.next_number = read_number(in, arena);
    size_t count = read_number(in, arena);
    ASSERT(fgetc(in) == '\n');
    contents.rows = ARENA_ARRAY(arena, struct ct_row *, count + extra + 1);
    for (contents.count = 0; contents.count < count; contents.count++)
        contents.rows[contents.count] = read_row(in, arena);
    fclose(in);
    return contents;
}

static void write_row(FILE *out, const struct ct_row *row) {
    char count[32];
    write_field(out, row->key.partition);
    write_field(out, row->key.row);
    write_field(out, row->etag);
    snprintf(count, sizeof count, "%zu", row->property_count);
    write_field(out, count);
    for (size_t i = 0; i < row->property_count; i++)
        write_property(out, &row->properties[i]);
    fputc('\n', out);
}

static void store(const struct file_table *file, const struct contents *contents) {
    char temporary[300];
    // A rename is atomic: whoever opens the file finds the old contents or the new ones, whole.
    snprintf(temporary, sizeof temporary, "%s.tmp", file->path);
    FILE *out = fopen(temporary, "w");
    ASSERT(out);
    fprintf(out, "%lu\t%zu\t\n", contents->next_number, contents->count);
    for (size_t i = 0; i < contents->count; i++)
        write_row(out, contents->rows[i]);
    ASSERT(fclose(out) == 0);
    ASSERT(rename(temporary, file->path) == 0);
}

// ---- Batches -----------------------------------------------------------------------------------

// The place of the first row whose key is not below [key].
static size_t find_place(const struct contents *contents, struct ct_key key) {
    size_t at = 0;
    while (at < contents->count && ct_key_compare(contents->rows[at]->key, key) < 0)
        at++;
    return at;
}

static void remove_at(struct contents *contents, size_t at) {
    for (size_t i = at + 1; i < contents->count; i++)
        contents->rows[i - 1] = contents->rows[i];
    contents->count--;
}

static void insert_at(struct contents *contents, size_t at, struct ct_row *row) {
    for (size_t i = contents->count++; i > at; i--)
        contents->rows[i] = contents->rows[i - 1];
    contents->rows[at] = row;
}

// CT_STATUS_NONE if [operation] may be done to [existing].
static enum ct_status refusal_of(const struct ct_operation *operation,
                                 const struct ct_row *existing) {
    const char *if_match = operation->entity->etag;
    bool is_conditional = operation->type == CT_REPLACE || operation->type == CT_MERGE ||
                          operation->type == CT_DELETE;
    if (operation->type == CT_INSERT)
        return existing ? CT_STATUS_CONFLICT : CT_STATUS_NONE;
    if (!is_conditional || ct_is_delete_if_exists(operation))
        return CT_STATUS_NONE;
    if (!existing)
        return CT_STATUS_NOT_FOUND;
    bool matches = strcmp(if_match, CT_ANY_ETAG) == 0 || strcmp(if_match, existing->etag) == 0;
    return matches ? CT_STATUS_NONE : CT_STATUS_PRECONDITION_FAILED;
}

static enum ct_status apply(const struct file_table *file, struct contents *contents,
                            const struct ct_operation *operation, struct ct_op_result *result) {
    const struct ct_row *entity = operation->entity;
    size_t at = find_place(contents, entity->key);
    bool exists = at < contents->count && ct_key_equal(contents->rows[at]->key, entity->key);
    const struct ct_row *existing = exists ? contents->rows[at] : NULL;
    enum ct_status refusal = refusal_of(operation, existing);
    if (refusal != CT_STATUS_NONE)
        return refusal;
    *result = (struct ct_op_result){.status = CT_STATUS_NO_CONTENT, .entity = operation->entity};
    // A written row takes the place of the one before; a delete leaves it empty.
    if (exists)
        remove_at(contents, at);
    if (operation->type == CT_DELETE)
        return CT_STATUS_NONE;
    if (operation->type == CT_INSERT)
        result->status = CT_STATUS_CREATED;
    result->etag =
        arena_printf(contents->arena, "%s%lu", file->etag_prefix, contents->next_number++);
    bool merges = operation->type == CT_MERGE || operation->type == CT_INSERT_OR_MERGE;
    struct ct_row *row = merges && existing
                             ? ct_row_merge(contents->arena, existing, entity, result->etag)
                             : ct_row_copy(contents->arena, entity);
    row->etag = result->etag;
    insert_at(contents, at, row);
    return CT_STATUS_NONE;
}

// A Delete does not write an ETag into its entity; everything else does.
static void publish(const struct ct_batch *batch, const struct ct_op_result *done,
                    struct ct_op_result *results) {
    for (size_t i = 0; i < batch->count; i++) {
        results[i] = done[i];
        if (batch->operations[i].type != CT_DELETE)
            batch->operations[i].entity->etag = done[i].etag;
    }
}

static struct ct_outcome execute_locked(const struct file_table *file, struct ct_batch *batch,
                                        struct arena *arena, struct ct_op_result *results) {
    // The whole file for each batch: this is the shortest table that is whole, not the quickest.
    struct contents contents = load(file, arena, batch->count);
    struct ct_op_result *done = ARENA_ARRAY(arena, struct ct_op_result, batch->count);
    for (size_t i = 0; i < batch->count; i++) {
        enum ct_status refusal = apply(file, &contents, &batch->operations[i], &done[i]);
        if (refusal != CT_STATUS_NONE)
            // Nothing was stored: the changes so far were made to the copy in memory.
            return ct_storage_error(refusal, i);
    }
    store(file, &contents);
    publish(batch, done, results);
    return ct_success();
}

static struct ct_outcome execute(struct ct_table *table, const char *where, struct ct_batch *batch,
                                 struct arena *arena, struct ct_op_result *results) {
    struct file_table *file = (struct file_table *)table;
    (void)where;
    const char *error = ct_batch_program_error(batch);
    if (error)
        return ct_program_error(error);
    pthread_mutex_lock(&file->mutex);
    struct ct_outcome outcome = execute_locked(file, batch, arena, results);
    pthread_mutex_unlock(&file->mutex);
    return outcome;
}

// ---- Queries -----------------------------------------------------------------------------------

struct ct_rows file_table_rows(struct file_table *file, struct arena *arena) {
    pthread_mutex_lock(&file->mutex);
    struct contents contents = load(file, arena, 0);
    pthread_mutex_unlock(&file->mutex);
    return (struct ct_rows){.rows = (const struct ct_row *const *)contents.rows,
                            .count = contents.count};
}

static struct ct_outcome query(struct ct_table *table, const char *where,
                               const struct ct_filter *filter, struct arena *arena,
                               struct ct_rows *rows) {
    (void)where;
    if (!ct_filter_partition(filter))
        return ct_program_error("an atomic query must target one partition");
    struct ct_rows all = file_table_rows((struct file_table *)table, arena);
    const struct ct_row **found = ARENA_ARRAY(arena, const struct ct_row *, all.count + 1);
    *rows = (struct ct_rows){.rows = found, .count = 0};
    for (size_t i = 0; i < all.count; i++)
        if (ct_filter_matches(filter, all.rows[i]))
            found[rows->count++] = all.rows[i];
    return ct_success();
}

// ---- Streams -----------------------------------------------------------------------------------

enum { STREAM_BYTES = 1 << 24 };

struct file_stream {
    struct ct_stream stream; // first member
    struct file_table *file;
    const struct ct_filter *filter;
    struct ct_key from;     // in the arena of the last read
    struct arena arenas[2]; // of the last read, and of the next one; in turn
    int turn;
    bool ended;
};

// Every row is as of the instant of its read.
static struct ct_outcome read_stream(struct ct_stream *base, const char *where,
                                     const struct ct_row **row) {
    struct file_stream *stream = (struct file_stream *)base;
    (void)where;
    *row = NULL;
    if (stream->ended)
        return ct_success();
    // [from] lies in the arena of the read before, which is not emptied before the next one.
    stream->turn = !stream->turn;
    struct arena *arena = &stream->arenas[stream->turn];
    arena_reset(arena, 0);
    struct ct_rows all = file_table_rows(stream->file, arena);
    for (size_t i = ct_rows_lower_bound(all, stream->from); i < all.count && !*row; i++)
        if (ct_filter_matches(stream->filter, all.rows[i]))
            *row = all.rows[i];
    stream->ended = !*row;
    if (*row)
        stream->from = ct_key_next((*row)->key, arena);
    return ct_success();
}

static void close_stream(struct ct_stream *base, const char *where) {
    struct file_stream *stream = (struct file_stream *)base;
    (void)where;
    arena_deinit(&stream->arenas[0]);
    arena_deinit(&stream->arenas[1]);
    free(stream);
}

static struct ct_outcome open_stream(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct ct_stream **stream) {
    static const struct ct_stream_ops ops = {
        .version = CT_STREAM_VERSION, .read = read_stream, .close = close_stream};
    (void)where;
    struct file_stream *opened = (struct file_stream *)malloc(sizeof *opened);
    if (!opened)
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    *opened = (struct file_stream){.stream = {&ops},
                                   .file = (struct file_table *)table,
                                   .filter = filter,
                                   .from = ct_key_first()};
    arena_init(&opened->arenas[0], STREAM_BYTES);
    arena_init(&opened->arenas[1], STREAM_BYTES);
    *stream = &opened->stream;
    return ct_success();
}

// ---- The table ---------------------------------------------------------------------------------

static void close_table(struct ct_table *table) {
    pthread_mutex_destroy(&((struct file_table *)table)->mutex);
}

void file_table_create(struct file_table *file, const char *path, const char *etag_prefix) {
    static const struct ct_table_ops ops = {.version = CT_TABLE_VERSION,
                                            .execute = execute,
                                            .query = query,
                                            .open_stream = open_stream,
                                            .close = close_table};
    file->table.ops = &ops;
    snprintf(file->path, sizeof file->path, "%s", path);
    file->etag_prefix = etag_prefix;
    pthread_mutex_init(&file->mutex, NULL);
    store(file, &(struct contents){.next_number = 1});
}

void file_table_remove(const struct file_table *file) {
    unlink(file->path);
}
