#include "harness/production/programs.h"

#include "core/engine/inside.h"
#include "core/engine/program.h"
#include "core/engine/monitor.h"
#include "harness/production/network.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "harness/table/log_check.h"
#include "model/config/holder.h"
#include "model/config/member.h"
#include "model/memory/memory_table.h"
#include "model/migrating/migrating.h"
#include "model/migrating/state.h"
#include "model/table/row.h"

enum { STEPS_MAX = 200000, MEMORY_BYTES = 4 * 1024 * 1024, TEXT_BYTES = 800 };

#define MIGRATION "m"

// ---- States ------------------------------------------------------------------------------------

// Digests name every field that a later step may read and no other: one too few would merge states
// that differ, one too many would keep equal ones apart.
static struct digest lease_digest(const struct mt_lease *lease) {
    const uint64_t words[] = {atomic_load(&lease->end), lease->request};
    return digest_of(words, sizeof words);
}

static struct digest member_digest(const struct process *process) {
    const struct app_plan *plan = process->program_data;
    const struct mt_member *member = process->shared;
    struct digest digest = {plan->made, plan->calls};
    if (plan->made < plan->calls) // whoever comes back after a death goes on by it
        digest = digest_fold(digest_fold(digest, plan->wanted[plan->made]), plan->pause);
    if (!member)
        return digest;
    const uint64_t words[] = {member->membership,
                              member->is_in_doubt,
                              member->mirror.is_closed,
                              (uint64_t)member->row.version,
                              (uint64_t)member->row.beat,
                              (uint64_t)member->registrations,
                              member->length,
                              (uint64_t)member->known,
                              member->state,
                              (uint64_t)member->applied,
                              member->is_moving,
                              atomic_load(&member->is_leaving)};
    digest = digest_fold_bytes(digest, words, sizeof words);
    digest = digest_fold_text(digest_fold_text(digest, member->id), member->row.etag);
    struct digest_words all =
        digest_words(digest_fold_digest(digest, lease_digest(&member->lease)));
    mt_config_service_add(&member->mirror, &all);
    return digest_words_end(&all);
}

static struct digest holder_digest(const struct process *process) {
    const struct mt_holder *holder = process->shared;
    if (!holder)
        return (struct digest){0, 0};
    const struct mt_control_config *row = &holder->row;
    const uint64_t words[] = {(uint64_t)row->version,
                              row->state,
                              (uint64_t)row->beat,
                              row->has_ended,
                              (uint64_t)atomic_load(&holder->lease_ms),
                              holder->is_held,
                              holder->must_fence,
                              atomic_load(&holder->is_stopping)};
    struct digest digest = digest_of(words, sizeof words);
    digest = digest_fold_text(digest_fold_text(digest, row->holder), row->etag);
    return digest_fold_digest(digest, lease_digest(&holder->lease));
}

struct digest programs_digest(const struct production *world) {
    struct digest digest = network_digest(world);
    digest = digest_fold_digest(digest, world_time_digest(&world->time));
    digest = digest_fold(digest, world->has_ended);
    for (uint32_t i = 0; i < world->process_count; i++)
        digest = digest_fold_digest(digest, process_digest(world->processes[i]));
    return digest;
}

// ---- Applications ------------------------------------------------------------------------------

// The two tables by the connections [old_table] and [new_table], as long as [lease] lasts.
static struct mt_copier guarded(const struct mt_bounded *old_table,
                                const struct mt_bounded *new_table, struct mt_lease *lease) {
    struct mt_guard *guards = ARENA_ARRAY(sct_arena(), struct mt_guard, 2);
    mt_guard_init(&guards[0], old_table, lease);
    mt_guard_init(&guards[1], new_table, lease);
    return (struct mt_copier){&guards[0].table, &guards[1].table};
}

// What every process's instance has.
static struct mt_options options_of(struct process *process, struct mt_config *config,
                                    struct mt_lease *lease) {
    struct mt_copier own =
        guarded(&process->bounded[STORE_OLD], &process->bounded[STORE_NEW], lease);
    return (struct mt_options){.old_table = own.old_table,
                               .new_table = own.new_table,
                               .config = config,
                               .env = &process->env,
                               .bugs = process->world->bugs};
}

static void rest(struct process *process, uint64_t time) {
    process->env.ops->sleep(&process->env, HERE, time);
}

static void run_member(void *member) {
    mt_member_run(member);
}

static bool has_ended(const struct process *process) {
    bool has_ended = process->world->has_ended;
    process_touch(SCT_ACCESS_READ, PROCESS_WORLD, 0);
    sct_observe(&has_ended, sizeof has_ended);
    return has_ended;
}

// A call waits until the process has seen the state that was drawn for it, so that calls meet late
// states, too, however fast the migration is. The mirror's state is read, which costs no request.
static void make_calls(struct process *process, const struct mt_member *member,
                       struct application *application) {
    struct app_plan *plan = process->program_data;
    while (plan->made < plan->calls) {
        enum mt_state wanted = plan->wanted[plan->made];
        struct digest mark = sct_observed();
        while (member->mirror.current < wanted && !has_ended(process)) {
            ct_forget(&process->env, mark, "waits for a state", 0);
            rest(process, process->world->lease / 5);
        }
        if (plan->pause > 0)
            rest(process, plan->pause);
        plan->made++; // also if the process dies in it
        plan->make(application);
    }
}

static void run_application(struct process *process) {
    const struct app_plan *plan = process->program_data;
    struct mt_member *member = ARENA_NEW(sct_arena(), struct mt_member);
    mt_member_init(member, &(struct mt_member_options){.env = &process->env,
                                                       .control = &process->bounded[STORE_CONTROL],
                                                       .migration = MIGRATION,
                                                       .id = process_id(process),
                                                       .about = process->name,
                                                       .bugs = process->world->bugs});
    process->shared = member;
    struct mt_options options =
        options_of(process, mt_member_config(member), mt_member_lease(member));
    struct mt_table *instance = mt_open(&options);
    // Until it is in, as a real program would: after an expulsion the member joins anew by itself.
    while (mt_member_join(member).kind != CT_SUCCEEDED)
        rest(process, process->world->lease / 4);
    process_task(process, "lease", run_member, member);
    struct application application = {
        .process = process, .table = mt_interface(instance), .keys = plan->keys};
    make_calls(process, member, &application);
    mt_member_leave(member);
}

// ---- Migrators ---------------------------------------------------------------------------------

static void run_holder(void *holder) {
    mt_holder_run(holder);
}

// A server error is what mt_migrate promises where a table fails: the migrator is called again. Any
// other end is a fault of the protocol.
static void check_migration(struct ct_outcome outcome) {
    if (outcome.kind == CT_SUCCEEDED || ct_failed_with(outcome, CT_STATUS_SERVER_ERROR))
        return;
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_outcome(&text, outcome, NULL, 0);
    sct_violation(outcome.kind == CT_PROGRAM_ERROR ? SCT_KIND_PROGRAM_ERROR : KIND_CALL_FAILED,
                  "the migration ended with %s", buffer);
}

// Begins a migration and gives it up.
static struct ct_outcome migrate_and_undo(struct process *process, struct mt_holder *holder,
                                          struct mt_table *instance) {
    struct mt_config *config = mt_holder_config(holder);
    if (holder->row.state == MT_USE_OLD_HIDE_METADATA &&
        config->ops->push(config, HERE, MT_PREFER_OLD).kind == CT_SUCCEEDED)
        rest(process, process->world->lease / 2);
    struct ct_outcome outcome = mt_undo(instance);
    if (ct_failed_with(outcome, CT_STATUS_CONFLICT))
        outcome = ct_success(); // another has gone further
    return outcome;
}

// One try: true when the migration is over.
// 409 of the row: another has ended the migration meanwhile.
static bool migrate_once(struct process *process, struct mt_holder *holder,
                         struct mt_table *instance) {
    const struct migrator_plan *plan = process->program_data;
    struct ct_outcome outcome = mt_holder_take(holder);
    if (ct_failed_with(outcome, CT_STATUS_CONFLICT))
        return true;
    if (outcome.kind == CT_SUCCEEDED)
        outcome = plan->undoes ? migrate_and_undo(process, holder, instance) : mt_migrate(instance);
    check_migration(outcome);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = mt_holder_release(holder, !plan->undoes);
    if (outcome.kind != CT_SUCCEEDED)
        rest(process, process->world->lease / 4);
    return outcome.kind == CT_SUCCEEDED;
}

static void end_migration(struct process *process) {
    struct production *world = process->world;
    process_touch(SCT_ACCESS_READ, PROCESS_WORLD, 0);
    if (world->has_ended)
        return;
    world->has_ended = true;
    process_touch(SCT_ACCESS_WRITE, PROCESS_WORLD, 0);
    // Clean-up has ended: from now on nobody copies or rewrites rows, and the checker may say so.
    table_log_settle(process_log(process));
}

static struct mt_table *open_migrator(struct process *process, struct mt_holder *holder) {
    const struct migrator_plan *plan = process->program_data;
    struct mt_lease *lease = mt_holder_lease(holder);
    struct mt_options options = options_of(process, mt_holder_config(holder), lease);
    struct mt_copier *copiers = ARENA_ARRAY(sct_arena(), struct mt_copier, plan->copiers + 1);
    for (size_t i = 0; i < plan->copiers; i++) {
        struct mt_bounded old_table = network_connect(process, STORE_OLD);
        struct mt_bounded new_table = network_connect(process, STORE_NEW);
        copiers[i] = guarded(&old_table, &new_table, lease);
    }
    options.copy_rows = plan->copy_rows;
    options.copiers = copiers;
    options.copier_count = plan->copiers;
    return mt_open(&options);
}

static void run_migrator(struct process *process) {
    const struct migrator_plan *plan = process->program_data;
    struct production *world = process->world;
    // Who comes back after a death goes on at once: its delay was that of the first start.
    if (process->incarnation == 1)
        rest(process, plan->delay);
    struct mt_holder *holder = ARENA_NEW(sct_arena(), struct mt_holder);
    struct mt_holder_options options = {.env = &process->env,
                                        .control = &process->bounded[STORE_CONTROL],
                                        .migration = MIGRATION,
                                        .id = process_id(process),
                                        .fenced_count = STORE_COUNT,
                                        .bugs = world->bugs};
    // The control table, too: who was counted out may have a write of its row under way there.
    for (int i = 0; i < STORE_COUNT; i++)
        options.fenced[i] = &process->bounded[i];
    mt_holder_init(holder, &options);
    process->shared = holder;
    struct mt_table *instance = open_migrator(process, holder);
    process_task(process, "lease", run_holder, holder);
    struct sct_monitor monitor = {0};
    // A promise: an execution that ends with it open, or goes on for ever, is a livelock.
    sct_monitor_hot(&monitor, "the migration to end");
    while (!migrate_once(process, holder, instance))
        continue;
    sct_monitor_cold(&monitor);
    if (!plan->undoes)
        end_migration(process);
    mt_holder_stop(holder);
}

// ---- The world ---------------------------------------------------------------------------------

struct process *programs_add_application(struct production *world, const char *name, uint32_t rate,
                                         struct app_plan *plan) {
    struct process *process = network_add(world, name, rate, run_application, plan);
    process->digest = member_digest;
    return process;
}

struct process *programs_add_migrator(struct production *world, const char *name, uint32_t rate,
                                      struct migrator_plan *plan) {
    struct process *process = network_add(world, name, rate, run_migrator, plan);
    process->digest = holder_digest;
    return process;
}

void programs_write_config(struct production *world, enum mt_state state) {
    struct process *operator= network_add(world, "operator", 100, NULL, NULL);
    struct mt_control control;
    struct mt_control_config config = {.version = 1,
                                       .state = state,
                                       .holder = "",
                                       .lease_ms = (int32_t)(world->lease / 1000000),
                                       .progress = ""};
    mt_control_init(&control, &operator->env, &operator->bounded[STORE_CONTROL], MIGRATION, NULL);
    // As late as times can be that are multiplied by parts of a hundred on their way to the true
    // clock.
    mt_control_until(&control, UINT64_MAX / 1000, UINT64_MAX / 2000);
    struct ct_outcome outcome = mt_control_write_config(&control, sct_arena(), &config);
    ASSERT(outcome.kind == CT_SUCCEEDED);
}

// ---- The end -----------------------------------------------------------------------------------

// It grows to the longest history once; an execution asks the heap for nothing.
static struct log_checker *checker; // one for all executions of this process

// A verdict that was not reached within the limits counts as unknown and is no violation: the
// report has their number.
static void check_history(struct production *world) {
    char buffer[TEXT_BYTES];
    struct text blocked = text_in(buffer, sizeof buffer);
    if (!checker)
        checker = log_checker_open(
            &(struct lin_limits){.steps_max = STEPS_MAX, .memory_bytes = MEMORY_BYTES});
    enum lin_verdict verdict = log_check(checker, &world->log, &blocked);
    if (verdict == LIN_UNKNOWN)
        sct_check_gave_up();
    sct_check(verdict != LIN_NOT_LINEARIZABLE, KIND_NOT_LINEARIZABLE,
              "no order of the calls explains %s", buffer);
}

// The new table's rows were compared with the calls by the history, so here only what no
// application may have written is looked for.
static void check_tables(const struct production *world) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    struct ct_rows old_rows = ct_memory_rows(world->stores[STORE_OLD].table);
    struct ct_rows new_rows = ct_memory_rows(world->stores[STORE_NEW].table);
    describe_rows(&text, old_rows);
    sct_check(old_rows.count == 0, KIND_FINAL_STATE, "the old table keeps %s", buffer);
    for (size_t i = 0; i < new_rows.count; i++) {
        text = text_in(buffer, sizeof buffer);
        describe_row(&text, new_rows.rows[i]);
        sct_check(!ct_row_property(new_rows.rows[i], MT_DELETED_PROPERTY), KIND_FINAL_STATE,
                  "the new table keeps metadata: %s", buffer);
    }
}

void programs_check_end(struct production *world) {
    sct_check(world->has_ended, KIND_FINAL_STATE, "the migration has not ended");
    table_log_final(&world->log, ct_memory_rows(world->stores[STORE_NEW].table));
    check_history(world);
    check_tables(world);
}
