// Memory tables of one partition, spelled in short texts, for the tests of model/memory.
#ifndef TESTS_MODEL_MEMORY_SHORT_TABLE_H
#define TESTS_MODEL_MEMORY_SHORT_TABLE_H

#include "tests/support/arena.h"

#include "core/base/text.h"
#include "model/memory/memory_table.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#include <string.h>

// The answers a stream is given, and the counts it asked with.
static struct { size_t answers[16], counts[16], asked; } choices;

static inline size_t choose_scripted(void *context, size_t count) {
    assert_ptr_equal(context, &choices);
    assert_true(choices.asked < 16);
    choices.counts[choices.asked] = count;
    return choices.answers[choices.asked++];
}

static inline int setup(void **state) {
    memset(&choices, 0, sizeof choices);
    return open_arena(state);
}

static inline struct ct_memory_table *open_table(void) {
    return ct_memory_table_open(&(struct ct_memory_options){.arena = &arena,
                                                            .etag_prefix = "t",
                                                            .choose = choose_scripted,
                                                            .choose_context = &choices});
}

static inline struct ct_key key(const char *partition, const char *row) {
    return (struct ct_key){.partition = partition, .row = row};
}

// An entity of partition "p" with the string properties spelled in [text]: "a=1 b=2".
static inline struct ct_row *entity(const char *row, const char *if_match, const char *text) {
    struct ct_property properties[4];
    size_t count = 0;
    for (const char *at = text; *at; at += at[3] ? 4 : 3) {
        char *spelled = arena_zalloc(&arena, 4);
        spelled[0] = at[0];
        spelled[2] = at[2];
        properties[count++] = ct_string(spelled, spelled + 2);
    }
    return ct_row_new(&arena, key("p", row), if_match, properties, count);
}

static inline struct ct_batch batch_of(size_t count, const struct ct_operation *operations) {
    struct ct_batch batch = ct_batch_new(&arena, count);
    memcpy(batch.operations, operations, count * sizeof *operations);
    batch.count = count;
    return batch;
}

static inline struct ct_outcome execute_one(struct ct_memory_table *table, enum ct_op_type type,
                                            struct ct_row *row, struct ct_op_result *result) {
    struct ct_operation operation = {.type = type, .entity = row};
    struct ct_batch batch = batch_of(1, &operation);
    return ct_execute(ct_memory_table_interface(table), &batch, &arena, result);
}

// Executes one operation that must succeed.
static inline void apply(struct ct_memory_table *table, enum ct_op_type type, struct ct_row *row) {
    struct ct_op_result result;
    assert_int_equal(execute_one(table, type, row, &result).kind, CT_SUCCEEDED);
}

static inline void put(struct ct_memory_table *table, const char *row, const char *properties) {
    apply(table, CT_INSERT_OR_REPLACE, entity(row, NULL, properties));
}

static inline void drop(struct ct_memory_table *table, const char *row) {
    apply(table, CT_DELETE, entity(row, "*", ""));
}

// "0:t1[a=1 b=2]", rows separated by commas; the end of a stream is "end".
static inline const char *describe(const struct ct_row *const *rows, size_t count, bool may_end) {
    char *buffer = arena_alloc(&arena, 1024);
    struct text text = text_in(buffer, 1024);
    for (size_t i = 0; i < count; i++) {
        const struct ct_row *row = rows[i];
        text_add(&text, "%s%s:%s[", i ? "," : "", row->key.row, row->etag ? row->etag : "-");
        for (size_t j = 0; j < row->property_count; j++)
            text_add(&text, "%s%s=%s", j ? " " : "", row->properties[j].name,
                     row->properties[j].value.string);
        text_add(&text, "]");
    }
    if (may_end)
        text_add(&text, "%send", count ? "," : "");
    return buffer;
}

static inline void assert_rows(const struct ct_memory_table *table, const char *expected) {
    struct ct_rows rows = ct_memory_rows(table);
    assert_string_equal(describe(rows.rows, rows.count, false), expected);
}

static inline const struct ct_filter *parse(const char *text) {
    const struct ct_filter *filter;
    struct error error;
    assert_true(ct_filter_parse(&arena, text, &filter, &error));
    return filter;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, close_arena)

#endif
