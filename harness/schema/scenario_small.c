// Tests that are small enough to be searched to their end: one or two entries, two or three
// servers with one or two requests each, while the whole roll-out goes through all releases and the
// worker makes both its passes; every call of the table one step, ETags counted per key. Which
// server is upgraded next is a choice; a request falls in whatever release its server runs when it
// comes, and is one of the six operations (to choose an area from R2 on) on one of the entries. A
// server inserts and chooses values of its own, for each request others. The table holds no entry,
// one, or both at first: a choice, or fixed in small-1-0, small-5-2 and the like. In the end the
// checks of the default test hold.
//
// small-1: one entry, two servers with one request each.
//
// small-2: one entry, two servers with two requests each.
//
// small-3: one entry, three servers with one request each.
//
// small-4: as small-2, and the worker dies once, anywhere, and is started again.
//
// small-5: two entries, two servers, of which the first has two requests, the second one; the
// worker dies as in small-4.
#include "core/engine/inside.h"
#include "harness/subject/subject.h"
#include "harness/schema/plain_world.h"
#include "harness/schema/show.h"
#include "harness/schema/workload.h"

enum { SERVERS_MAX = 3, REQUESTS_MAX = 2, ANY_ENTRIES = KEYS_MAX + 1 };

struct size {
    uint32_t keys;
    uint32_t requests[SERVERS_MAX]; // of each server; 0: there is none
    bool has_death;                 // of the worker
};

static const struct size *size_of(const struct fleet *fleet) {
    return fleet->inputs;
}

// ---- Requests ----------------------------------------------------------------------------------

static struct errand draw_errand(const struct fleet *fleet, size_t server, uint32_t left) {
    static const enum schema_operation operations[] = {ERRAND_INSERT, ERRAND_UPDATE, ERRAND_DELETE,
                                                       ERRAND_READ,   ERRAND_SCAN,   ERRAND_CHOOSE};
    static const char *const areas[SERVERS_MAX][REQUESTS_MAX] = {
        {"Athens", "Patras"}, {"Chios", "Volos"}, {"Corfu", "Rhodes"}};
    const uint32_t count = sizeof operations / sizeof operations[0];
    bool may_choose = fleet->state.releases[server] >= SU_R2;
    struct errand errand = {
        .operation = operations[sct_choose(may_choose ? count : count - 1, "operation")]};
    if (errand.operation != ERRAND_SCAN)
        errand.key = sct_choose(size_of(fleet)->keys, "key");
    const char *area = areas[server][left - 1];
    int32_t number = (int32_t)(server * REQUESTS_MAX + left);
    if (errand.operation == ERRAND_UPDATE)
        errand.increment = 1;
    if (errand.operation == ERRAND_CHOOSE)
        errand.area = area;
    if (errand.operation == ERRAND_INSERT)
        errand.sample =
            (struct su_sample){.time = number, .temperature = 20 + 10 * number, .area = area};
    return errand;
}

static void serve_request(struct fleet *fleet, size_t server, uint32_t left) {
    struct errand errand = draw_errand(fleet, server, left);
    workload_perform(fleet, server, &errand);
}

static void serve(struct fleet *fleet, size_t server) {
    fleet_serve_requests(fleet, server, size_of(fleet)->requests[server], serve_request);
}

// ---- The world ---------------------------------------------------------------------------------

static void load(struct plain_world *world, uint32_t count) {
    struct ct_row *rows[KEYS_MAX];
    for (uint32_t i = 0; i < count; i++)
        rows[i] = workload_first_entry(i);
    if (count > 0)
        tables_load(&world->tables, rows, count);
    ledger_open(&world->fleet.ledger, &world->tables);
}

static void set_up(void *bugs, uint32_t entries, const struct size *size) {
    struct plain_world *world = plain_world_new();
    sct_touch_after_waits(&sct_access_none);
    size_t servers = 0;
    while (servers < SERVERS_MAX && size->requests[servers] > 0)
        servers++;
    fleet_init(&world->fleet, servers, bugs);
    world->fleet.inputs = size;
    fleet_offer_upgrades(&world->fleet);
    plain_world_open(world, true);
    load(world, entries < ANY_ENTRIES ? entries : sct_choose(size->keys + 1, "entries"));
    plain_world_start(world, serve);
    if (size->has_death)
        fleet_kill_worker(&world->fleet);
}

static void finish(void *context) {
    const struct plain_world *world = context;
    fleet_check_end(&world->fleet);
}

static void add_digest(void *context, struct digest *state) {
    const struct plain_world *world = context;
    digest_add(state,
               digest_fold_digest(tables_digest(&world->tables), fleet_digest(&world->fleet)));
}

static const struct size size_1 = {.keys = 1, .requests = {1, 1}};
static const struct size size_2 = {.keys = 1, .requests = {2, 2}};
static const struct size size_3 = {.keys = 1, .requests = {1, 1, 1}};
static const struct size size_4 = {.keys = 1, .requests = {2, 2}, .has_death = true};
static const struct size size_5 = {.keys = 2, .requests = {2, 1}, .has_death = true};

#define SMALL(symbol, test, entries, size, text)        \
    static void setup_##symbol(void *bugs) {            \
        set_up(bugs, entries, &(size));                 \
    }                                                   \
    extern const struct subject_test scenario_##symbol; \
    const struct subject_test scenario_##symbol = {     \
        .name = test,                                   \
        .summary = "for dfs: " text,                    \
        .program = {.setup = setup_##symbol,            \
                    .finish = finish,                   \
                    .digest = add_digest,               \
                    .tasks_observe = true,              \
                    .is_copyable = true},               \
        .is_reducible = true,                           \
        .view = &schema_view,                           \
    };

// With every number of entries at first.
#define SMALL_ONE_ENTRY(symbol, test, size, text)                                 \
    SMALL(symbol, test, ANY_ENTRIES, size, text ", the one entry present or not") \
    SMALL(symbol##_0, test "-0", 0, size, text ", the one entry not present")     \
    SMALL(symbol##_1, test "-1", 1, size, text ", the one entry present")

#define SMALL_TWO_ENTRIES(symbol, test, size, text)                                           \
    SMALL(symbol, test, ANY_ENTRIES, size, text ", none, one or both of two entries present") \
    SMALL(symbol##_0, test "-0", 0, size, text ", none of two entries present")               \
    SMALL(symbol##_1, test "-1", 1, size, text ", one of two entries present")                \
    SMALL(symbol##_2, test "-2", 2, size, text ", both entries present")

SMALL_ONE_ENTRY(schema_small_1, "small-1", size_1, "two servers with one request each")
SMALL_ONE_ENTRY(schema_small_2, "small-2", size_2, "two servers with two requests each")
SMALL_ONE_ENTRY(schema_small_3, "small-3", size_3, "three servers with one request each")
SMALL_ONE_ENTRY(schema_small_4, "small-4", size_4,
                "two servers with two requests each, and the worker dies")
SMALL_TWO_ENTRIES(schema_small_5, "small-5", size_5,
                  "two servers with two requests and one, and the worker dies")
