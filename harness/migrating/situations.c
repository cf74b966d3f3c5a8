#include "harness/migrating/situations.h"
#include "model/migrating/entity.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

enum { OPERATIONS = OPERATION_DELETE_IF_EXISTS + 1 };

#define ANY (~0u)
#define ONE(value) (1u << (value))
#define NEED_ROW (ONE(OPERATION_REPLACE) | ONE(OPERATION_MERGE) | ONE(OPERATION_DELETE))
#define MEANWHILE_CHANGED \
    (ONE(MEANWHILE_CREATED) | ONE(MEANWHILE_REWRITTEN) | ONE(MEANWHILE_REMOVED))

static const struct coverage_rule rules[] = {
    {COVERAGE_IMPOSSIBLE,
     {ONE(OPERATION_DELETE_IF_EXISTS), ANY, ONE(SENT_TOGETHER_LIMITED), ANY},
     "such tables refuse it"},
    {COVERAGE_IMPOSSIBLE,
     {ANY, ONE(MT_USE_OLD_HIDE_METADATA), ANY, MEANWHILE_CHANGED},
     "a batch is one backend call in the first state"},
    {COVERAGE_RARE,
     {NEED_ROW, ANY, ANY, ONE(MEANWHILE_CREATED)},
     "it is refused where it finds no row, often at its first look"},
    {COVERAGE_RARE,
     {ONE(OPERATION_INSERT), ANY, ANY, ONE(MEANWHILE_REWRITTEN) | ONE(MEANWHILE_REMOVED)},
     "it is refused where it finds a row, often at its first look"},
};

static const char *const sending_names[SENDING_COUNT] = {"alone", "together", "alone-limited",
                                                         "together-limited"};

static const char *const meanwhile_names[MEANWHILE_COUNT] = {"nothing", "created", "rewritten",
                                                             "removed", "fault"};

bool migrating_counts_situations;
static uint64_t counts[OPERATIONS][MT_STATE_COUNT][SENDING_COUNT][MEANWHILE_COUNT];

const struct coverage migrating_situations = {
    .axes = {{"operation", migrating_operation_names, OPERATIONS},
             {"state", migrating_state_names, MT_STATE_COUNT},
             {"sending", sending_names, SENDING_COUNT},
             {"meanwhile", meanwhile_names, MEANWHILE_COUNT}},
    .counts = &counts[0][0][0][0],
    .rules = rules,
    .rule_count = sizeof rules / sizeof rules[0],
};

// What became of the row between the call's first backend call and its linearization point: that is
// what a call can be overtaken by. Rows are immutable, and shared between revisions.
static enum meanwhile change_of(const struct app *app, const struct call_record *call,
                                struct ct_key key) {
    const struct ct_memory_table *reference = app->world->tables.reference;
    if (call->first_revision == call->last_revision)
        return MEANWHILE_NOTHING;
    const struct ct_row *first =
        ct_rows_find(ct_memory_rows_at(reference, call->first_revision), key);
    const struct ct_row *last =
        ct_rows_find(ct_memory_rows_at(reference, call->last_revision), key);
    if (first == last)
        return MEANWHILE_NOTHING;
    if (!first)
        return MEANWHILE_CREATED;
    return last ? MEANWHILE_REWRITTEN : MEANWHILE_REMOVED;
}

static enum meanwhile meanwhile_of(const struct app *app, const struct call_record *call,
                                   struct ct_outcome outcome, struct ct_key key) {
    if (outcome.kind == CT_UNKNOWN || ct_failed_with(outcome, CT_STATUS_SERVER_ERROR))
        return MEANWHILE_FAULT;
    return change_of(app, call, key);
}

void migrating_count_situations(const struct app *app, const struct call_record *call,
                                struct ct_outcome outcome) {
    const struct ct_batch *batch = &call->batch;
    bool is_limited = app->world->tables.options.limits.no_delete_if_exists;
    enum sending sending = (batch->count > 1 ? SENT_TOGETHER : SENT_ALONE) +
                           (is_limited ? SENT_ALONE_LIMITED : SENT_ALONE);
    for (size_t i = 0; i < batch->count && sct_marks_are_counting && migrating_counts_situations;
         i++) {
        const struct ct_operation *operation = &batch->operations[i];
        enum coverage_operation kind = ct_is_delete_if_exists(operation)
                                           ? OPERATION_DELETE_IF_EXISTS
                                           : (enum coverage_operation)operation->type;
        counts[kind][app->view.state][sending]
              [meanwhile_of(app, call, outcome, operation->entity->key)]++;
    }
}

// ---- Others ------------------------------------------------------------------------------------

enum { CALLS = OPERATION_QUERY + 1, LIMITS = 2 };

static const char *const limit_names[LIMITS] = {"unlimited", "limited"};
static const char *const passing_names[PASSING_COUNT] = {
    "marked",      "switched-by-client", "switched-by-migrator", "written-old",
    "written-new", "copied-by-client",   "copied-by-migrator",   "cleaned"};
static const char *const others_names[OTHERS_COUNT] = {"others-same", "others-behind",
                                                       "others-ahead"};
static const char *const partition_names[] = {"POPULATED", "SWITCHED", "none"};
static const char *const lost_names[LOST_COUNT] = {
    "mark",  "switch-from-none", "switch-from-populated", "copy", "own-old", "own-new", "clean",
    "remove"};
static const char *const sender_names[] = {"client", "migrator"};
static const char *const done_names[] = {"not-done", "done"};
static const char *const overtaken_names[] = {"undisturbed", "overtaken"};

static uint64_t passing_counts[CALLS][MT_STATE_COUNT][PASSING_COUNT][LIMITS];
static uint64_t standing_counts[CALLS][MT_STATE_COUNT][PARTITION_STATE_COUNT][OTHERS_COUNT];
static uint64_t loss_counts[LOST_COUNT][2][2][2];

#define STATE_AXIS \
    { "state", migrating_state_names, MT_STATE_COUNT }

#define QUERY ONE(OPERATION_QUERY)
#define BY_MIGRATOR (ONE(PASSING_SWITCHED_BY_MIGRATOR) | ONE(PASSING_COPIED_BY_MIGRATOR))
#define TO_OLD (ONE(PASSING_MARKED) | ONE(PASSING_WRITTEN_OLD))
#define STATES_OF_NEW (ONE(MT_USE_NEW_WITH_TOMBSTONES) | ONE(MT_USE_NEW_HIDE_METADATA))

static const struct coverage_rule passing_rules[] = {
    {COVERAGE_RARE,
     {ANY, ONE(MT_USE_OLD_HIDE_METADATA), TO_OLD, ANY},
     "a batch is one backend call in the first state, unless its answer is lost"},
    {COVERAGE_IMPOSSIBLE, {ANY, ONE(MT_USE_OLD_HIDE_METADATA), ANY, ANY}, "as above"},
    {COVERAGE_IMPOSSIBLE,
     {QUERY, ANY, TO_OLD | ONE(PASSING_SWITCHED_BY_CLIENT) | ONE(PASSING_SWITCHED_BY_MIGRATOR),
      ANY},
     "a query that goes on has seen that the partition is SWITCHED"},
    {COVERAGE_IMPOSSIBLE, {QUERY, STATES_OF_NEW, ANY, ANY}, "a query is one backend call there"},
    {COVERAGE_IMPOSSIBLE,
     {ANY, ONE(MT_PREFER_OLD), BY_MIGRATOR, ANY},
     "the copy pass waits until all have left this state"},
    {COVERAGE_RARE,
     {ANY, ONE(MT_PREFER_OLD), ONE(PASSING_MARKED), ANY},
     "it marks the partition itself, unless its answer is lost"},
    {COVERAGE_IMPOSSIBLE,
     {ANY, ~ONE(MT_USE_NEW_HIDE_METADATA), ONE(PASSING_CLEANED), ANY},
     "the clean-up waits until all have left the states before"},
    {COVERAGE_IMPOSSIBLE,
     {ANY, STATES_OF_NEW, TO_OLD | BY_MIGRATOR | ONE(PASSING_COPIED_BY_CLIENT), ANY},
     "nobody writes to the old table any more, and every row is copied"},
    {COVERAGE_RARE,
     {ANY, STATES_OF_NEW, ONE(PASSING_SWITCHED_BY_CLIENT), ANY},
     "of a partition that the copy pass found empty"},
};

const struct coverage migrating_passings = {
    .axes = {{"call", migrating_operation_names, CALLS},
             STATE_AXIS,
             {"passing", passing_names, PASSING_COUNT},
             {"tables", limit_names, LIMITS}},
    .counts = &passing_counts[0][0][0][0],
    .rules = passing_rules,
    .rule_count = sizeof passing_rules / sizeof passing_rules[0],
};

static const struct coverage_rule standing_rules[] = {
    {COVERAGE_IMPOSSIBLE,
     {ANY, ONE(MT_USE_OLD_HIDE_METADATA), ONE(MT_PARTITION_SWITCHED), ANY},
     "partitions are switched in PREFER_NEW at the earliest, two states later"},
    {COVERAGE_IMPOSSIBLE,
     {ANY, ONE(MT_USE_OLD_HIDE_METADATA), ANY, ONE(OTHERS_BEHIND)},
     "nothing is before the first state"},
    {COVERAGE_IMPOSSIBLE,
     {ANY, ONE(MT_USE_NEW_HIDE_METADATA), ANY, ONE(OTHERS_AHEAD)},
     "nothing is behind the last state"},
    {COVERAGE_RARE,
     {ANY, ONE(MT_USE_OLD_HIDE_METADATA), ONE(MT_PARTITION_POPULATED), ONE(OTHERS_SAME)},
     "who has marked it has died, or is a third one"},
    {COVERAGE_IMPOSSIBLE,
     {ANY, ONE(MT_PREFER_OLD), ONE(MT_PARTITION_SWITCHED), ONE(OTHERS_BEHIND)},
     "who has switched it is two states ahead of those behind"},
    {COVERAGE_RARE,
     {ANY, ONE(MT_PREFER_OLD), ONE(MT_PARTITION_SWITCHED), ONE(OTHERS_SAME)},
     "who has switched it has died"},
    {COVERAGE_RARE,
     {ANY, ONE(MT_PREFER_NEW), ONE(MT_PARTITION_POPULATED), ONE(OTHERS_AHEAD)},
     "the copy pass, over by then, switches all in which it finds a row"},
    {COVERAGE_RARE, {ANY, STATES_OF_NEW, ONE(MT_PARTITION_POPULATED), ANY}, "as above"},
};

const struct coverage migrating_standings = {
    .axes = {{"call", migrating_operation_names, CALLS},
             STATE_AXIS,
             {"partition", partition_names, PARTITION_STATE_COUNT},
             {"others", others_names, OTHERS_COUNT}},
    .counts = &standing_counts[0][0][0][0],
    .rules = standing_rules,
    .rule_count = sizeof standing_rules / sizeof standing_rules[0],
};

static const struct coverage_rule loss_rules[] = {
    {COVERAGE_IMPOSSIBLE, {ONE(LOST_MARK), ONE(1), ANY, ANY}, "the migrator only switches"},
    {COVERAGE_IMPOSSIBLE,
     {ONE(LOST_OWN_OLD) | ONE(LOST_OWN_NEW), ONE(1), ANY, ANY},
     "the migrator has no operations of its own"},
    {COVERAGE_IMPOSSIBLE,
     {ONE(LOST_CLEAN) | ONE(LOST_REMOVE), ONE(0), ANY, ANY},
     "the clean-up is the migrator's"},
    {COVERAGE_IMPOSSIBLE,
     {ONE(LOST_SWITCH_FROM_NONE) | ONE(LOST_SWITCH_FROM_POPULATED), ANY, ONE(1), ONE(1)},
     "nothing comes behind SWITCHED"},
    {COVERAGE_IMPOSSIBLE, {ONE(LOST_REMOVE), ANY, ANY, ONE(1)}, "nobody else writes there"},
};

const struct coverage migrating_losses = {
    .axes = {{"write", lost_names, LOST_COUNT},
             {"sender", sender_names, 2},
             {"fate", done_names, 2},
             {"meanwhile", overtaken_names, 2}},
    .counts = &loss_counts[0][0][0][0],
    .rules = loss_rules,
    .rule_count = sizeof loss_rules / sizeof loss_rules[0],
};

static enum coverage_operation kind_of(const struct ct_operation *operation) {
    return ct_is_delete_if_exists(operation) ? OPERATION_DELETE_IF_EXISTS
                                             : (enum coverage_operation)operation->type;
}

static bool is_counting(void) {
    return sct_marks_are_counting && migrating_counts_situations;
}

static enum others others_of(const struct app *app) {
    const struct world *world = app->world;
    enum others others = OTHERS_SAME;
    for (size_t i = 0; i < world->app_count; i++) {
        const struct app *other = world->apps[i];
        if (other == app || other->is_dead || other->program == app_migrate)
            continue;
        if (other->mirror.current < app->view.state)
            return OTHERS_BEHIND;
        if (other->mirror.current > app->view.state)
            others = OTHERS_AHEAD;
    }
    return others;
}

// NULL: of a query that is to be refused.
static const char *partition_of(const struct call_record *call) {
    return call->kind == CALL_BATCH ? call->batch.operations[0].entity->key.partition
                                    : ct_filter_partition(call->filter);
}

static void count_standing(const struct app *app, enum coverage_operation kind,
                           enum mt_partition_state partition) {
    standing_counts[kind][app->view.state][partition][others_of(app)]++;
}

void migrating_begin_situations(struct app *app) {
    if (!is_counting())
        return;
    app->noticed.passed = 0;
    const struct call_record *call = app->client.calls;
    const char *name = partition_of(call);
    if (!name)
        return;
    enum mt_partition_state partition =
        mt_partition_state_of(ct_rows_find(app->view.old_rows, mt_meta_key(name)));
    if (call->kind == CALL_QUERY)
        count_standing(app, OPERATION_QUERY, partition);
    for (size_t i = 0; call->kind == CALL_BATCH && i < call->batch.count; i++)
        count_standing(app, kind_of(&call->batch.operations[i]), partition);
}

static bool is_meta(struct ct_key key) {
    return ct_string_equal(key.row, MT_META_ROW);
}

static struct app *app_of_machine(struct world *world, const struct sct_machine *machine) {
    for (size_t i = 0; i < world->app_count; i++)
        if (world->apps[i]->client.machine == machine)
            return world->apps[i];
    return NULL;
}

static bool names(const struct ct_batch *batch, struct ct_key key) {
    for (size_t i = 0; i < batch->count; i++)
        if (ct_key_equal(batch->operations[i].entity->key, key))
            return true;
    return false;
}

// What [operation] of a batch of [sender] is to others.
static enum passing passing_of(const struct app *sender, const struct request *request,
                               const struct ct_operation *operation) {
    bool migrates = sender->program == app_migrate;
    struct ct_key key = operation->entity->key;
    if (request->table == TABLE_OLD && is_meta(key)) {
        if (operation->type == CT_DELETE)
            return PASSING_COUNT;
        if (mt_partition_state_of(operation->entity) == MT_PARTITION_POPULATED)
            return PASSING_MARKED;
        return migrates ? PASSING_SWITCHED_BY_MIGRATOR : PASSING_SWITCHED_BY_CLIENT;
    }
    if (mt_is_internal(key) || (request->table == TABLE_OLD && migrates))
        return PASSING_COUNT;
    if (request->table == TABLE_OLD)
        return PASSING_WRITTEN_OLD;
    if (migrates)
        return operation->type == CT_INSERT ? PASSING_COPIED_BY_MIGRATOR : PASSING_CLEANED;
    // What the virtual table has and the new one had not is copied before anything is done to it.
    const struct ct_memory_table *reference = sender->world->tables.reference;
    bool is_there = ct_rows_find(ct_memory_rows(reference), key) != NULL;
    return operation->type == CT_INSERT && is_there ? PASSING_COPIED_BY_CLIENT
                                                    : PASSING_WRITTEN_NEW;
}

static void count_passing(struct app *app, const struct ct_operation *operation,
                          enum passing passing) {
    const struct call_record *call = app->client.calls;
    if (passing == PASSING_COUNT || !call || !call->has_begun || call->is_linearized ||
        app->noticed.passed & 1u << passing)
        return;
    struct ct_key key = operation->entity->key;
    const char *name = partition_of(call);
    if (!name || !ct_string_equal(name, key.partition))
        return;
    size_t limits = app->world->tables.options.limits.no_delete_if_exists;
    if (call->kind == CALL_QUERY) {
        app->noticed.passed |= 1u << passing;
        passing_counts[OPERATION_QUERY][app->view.state][passing][limits]++;
    }
    for (size_t i = 0; call->kind == CALL_BATCH && i < call->batch.count; i++) {
        const struct ct_operation *own = &call->batch.operations[i];
        if (!is_meta(key) && !ct_key_equal(own->entity->key, key))
            continue;
        app->noticed.passed |= 1u << passing;
        passing_counts[kind_of(own)][app->view.state][passing][limits]++;
    }
}

// ---- Losses ------------------------------------------------------------------------------------

static enum lost_write lost_write_of(const struct app *sender, const struct request *request) {
    const struct ct_operation *first = &request->as.execute.batch->operations[0];
    bool migrates = sender->program == app_migrate;
    if (request->table == TABLE_OLD && is_meta(first->entity->key) && first->type != CT_DELETE) {
        if (mt_partition_state_of(first->entity) == MT_PARTITION_POPULATED)
            return LOST_MARK;
        return first->type == CT_INSERT ? LOST_SWITCH_FROM_NONE : LOST_SWITCH_FROM_POPULATED;
    }
    if (request->table == TABLE_OLD)
        return migrates ? LOST_REMOVE : LOST_OWN_OLD;
    if (migrates)
        return first->type == CT_INSERT ? LOST_COPY : LOST_CLEAN;
    return passing_of(sender, request, first) == PASSING_COPIED_BY_CLIENT ? LOST_COPY
                                                                          : LOST_OWN_NEW;
}

static void notice_loss(struct app *sender, const struct request *request, enum fate fate) {
    struct noticed *noticed = &sender->noticed;
    noticed->lost = lost_write_of(sender, request);
    noticed->fate = fate;
    noticed->requests = sender->client.requests;
    noticed->table = request->table;
    noticed->batch = ct_batch_copy(sct_arena(), request->as.execute.batch);
    noticed->is_overtaken = false;
    bool migrates = sender->program == app_migrate;
    loss_counts[noticed->lost][migrates][fate == FATE_DONE_UNANSWERED][0]++;
}

// [app] has made no request since, but for the annotation.
static void count_overtaking(struct app *app, enum table_id table,
                             const struct ct_operation *operation) {
    struct noticed *noticed = &app->noticed;
    bool looks_back = noticed->requests > 0 && app->client.requests <= noticed->requests + 2;
    if (!looks_back || noticed->is_overtaken || noticed->table != table ||
        !names(&noticed->batch, operation->entity->key))
        return;
    noticed->is_overtaken = true;
    uint64_t *losses = loss_counts[noticed->lost][app->program == app_migrate]
                                  [noticed->fate == FATE_DONE_UNANSWERED];
    losses[0]--;
    losses[1]++;
}

void migrating_notice_batch(void *context, const struct request *request, enum fate fate) {
    struct world *world = context;
    if (!is_counting())
        return;
    struct app *sender = app_of_machine(world, request->caller);
    const struct ct_batch *batch = request->as.execute.batch;
    for (size_t i = 0; i < batch->count && fate != FATE_NOT_DONE_UNANSWERED; i++) {
        enum passing passing = passing_of(sender, request, &batch->operations[i]);
        for (size_t a = 0; a < world->app_count; a++) {
            if (world->apps[a] == sender || world->apps[a]->is_dead)
                continue;
            count_passing(world->apps[a], &batch->operations[i], passing);
            count_overtaking(world->apps[a], request->table, &batch->operations[i]);
        }
    }
    if (fate != FATE_DONE)
        notice_loss(sender, request, fate);
}
