#include "harness/migrating/workload.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

enum { KEY_COUNT = 6, CALLS_MAX = 2, OPERATIONS_MAX = 2, SERVICES_MAX = 2 };

static const char *const row_keys[KEY_COUNT] = {"0", "1", "2", "3", "4", "5"};

// A property of each operation names who wrote it.
static const char *const writer_names[SERVICES_MAX][CALLS_MAX][OPERATIONS_MAX] = {
    {{"service-0_c0_o0", "service-0_c0_o1"}, {"service-0_c1_o0", "service-0_c1_o1"}},
    {{"service-1_c0_o0", "service-1_c0_o1"}, {"service-1_c1_o0", "service-1_c1_o1"}},
};

size_t published_choice(void *context, size_t count) {
    (void)context;
    ASSERT(count >= 1);
    size_t value = 0, range = 1;
    while (range < count) {
        value = value << 1 | sct_choose(2, "bit");
        range <<= 1;
    }
    // The published choice, bit by bit, with its bias: where [count] is no power of two the first
    // values come twice as often. Detection rates are compared with published ones, so it stays.
    return value < count ? value : value - count;
}

size_t uniform_choice(void *context, size_t count) {
    (void)context;
    return sct_choose((uint32_t)count, "valid row");
}

static bool fair_bit(const char *label) {
    return sct_choose(2, label) == 1;
}

struct ct_property is_happy(bool value) {
    return ct_bool(IS_HAPPY, value);
}

void load_published_rows(struct world *world) {
    static const struct {
        const char *row;
        bool is_happy;
    } data[] = {{"0", true}, {"1", false}, {"3", false}, {"4", true}};
    enum { COUNT = sizeof data / sizeof data[0] };
    struct ct_row *rows[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        struct ct_property property = is_happy(data[i].is_happy);
        struct ct_key key = {THE_PARTITION, data[i].row};
        rows[i] = ct_row_new(sct_arena(), key, NULL, &property, 1);
    }
    tables_load(&world->tables, rows, COUNT);
}

// ---- The random machine ------------------------------------------------------------------------

static const struct ct_filter *choose_filter(void) {
    size_t choice = published_choice(NULL, 3);
    if (choice == 0)
        return NULL;
    return ct_filter_compare_bool(sct_arena(), IS_HAPPY, CT_EQ, choice == 2);
}

// One call being drawn.
struct draft {
    struct app *app;
    size_t call;
    struct ct_rows dump; // the reference's rows as the call saw them
    const char *keys[KEY_COUNT];
    size_t key_count;
};

// Without putting it back: a batch that names a key twice is refused.
static const char *draw_key(struct draft *draft) {
    size_t index = published_choice(NULL, draft->key_count);
    const char *key = draft->keys[index];
    draft->key_count--;
    for (size_t i = index; i < draft->key_count; i++)
        draft->keys[i] = draft->keys[i + 1];
    return key;
}

static const char *draw_if_match(const struct draft *draft, struct ct_key key) {
    const struct ct_row *row = ct_rows_find(draft->dump, key);
    size_t choice = published_choice(NULL, row ? 3 : 2);
    if (choice == 0)
        return CT_ANY_ETAG;
    return choice == 1 ? "wrong" : row->etag;
}

static void draw_operation(struct draft *draft, size_t number, struct ct_batch *batch) {
    enum { DELETE_IF_EXISTS = 6, TYPE_COUNT = 7 };
    size_t type = published_choice(NULL, TYPE_COUNT);
    struct ct_key key = {THE_PARTITION, draw_key(draft)};
    const char *if_match = NULL;
    if (type == DELETE_IF_EXISTS)
        if_match = CT_IF_EXISTS_ETAG;
    else if (type == CT_REPLACE || type == CT_MERGE || type == CT_DELETE)
        if_match = draw_if_match(draft, key);
    struct ct_property properties[] = {
        is_happy(fair_bit("isHappy")),
        ct_bool(writer_names[draft->app->index][draft->call][number], true),
    };
    ct_batch_add(batch, type == DELETE_IF_EXISTS ? CT_DELETE : (enum ct_op_type)type,
                 ct_row_new(sct_arena(), key, if_match, properties, 2));
}

static void random_batch(struct draft *draft) {
    size_t count = fair_bit("two operations") ? 2 : 1;
    struct ct_batch batch = ct_batch_new(sct_arena(), count);
    for (size_t i = 0; i < count; i++)
        draw_operation(draft, i, &batch);
    app_execute(draft->app, &batch);
}

static void random_atomic_call(struct app *app, size_t number) {
    struct draft draft = {.app = app, .call = number, .key_count = KEY_COUNT};
    memcpy(draft.keys, row_keys, sizeof row_keys);
    draft.dump = client_peek_rows(&app->client, HERE);
    if (!fair_bit("query")) {
        random_batch(&draft);
        return;
    }
    struct arena *arena = sct_arena();
    const struct ct_filter *partition = ct_filter_in_partition(arena, THE_PARTITION);
    app_query(app, ct_filter_and(arena, partition, choose_filter()));
}

void random_program(struct app *app) {
    ASSERT(app->index < SERVICES_MAX);
    if (fair_bit("stream")) {
        app_stream(app, choose_filter());
        return;
    }
    for (size_t i = 0; i < CALLS_MAX; i++)
        random_atomic_call(app, i);
}
