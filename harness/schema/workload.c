#include "harness/schema/workload.h"
#include "core/campaign/marks.h"
#include "core/engine/monitor.h"
#include "core/strategy/strategy.h"
#include "model/table/row.h"

enum { SERVER_OPERATIONS = ERRAND_UPGRADE }; // those before it are a server's

static bool one_in(uint32_t n, const char *label) {
    return sct_choose(n, label) == n - 1;
}

// ---- The profile -------------------------------------------------------------------------------

// All operations, two of them, or a random set that is not empty. Few meet more often.
static uint32_t draw_operation_set(void) {
    const uint32_t all = (1u << SERVER_OPERATIONS) - 1;
    uint32_t first; // one draw per statement: the order of draws is part of the execution
    switch (sct_choose(3, "subset of operations")) {
    case 0:
        return all;
    case 1:
        first = sct_choose(SERVER_OPERATIONS, "operation in use");
        return 1u << first | 1u << sct_choose(SERVER_OPERATIONS, "operation in use");
    default:
        return 1 + sct_choose(all, "operations in use");
    }
}

// In R2 the worker and servers meet.
static enum su_release draw_focus(void) {
    static const enum su_release weighted[] = {SU_R1_STRICT, SU_R1_TOLERANT, SU_R1_5,
                                               SU_R2,        SU_R2,          SU_R3};
    return weighted[sct_choose(sizeof weighted / sizeof weighted[0], "focus release")];
}

void workload_draw(struct fleet *fleet) {
    struct profile *profile = &fleet->profile;
    profile->key_count =
        sct_choose(3, "several keys") < 2 ? 1 : 2 + sct_choose(KEYS_MAX - 1, "keys");
    profile->operations = draw_operation_set();
    profile->is_focused = !one_in(8, "no focus");
    if (profile->is_focused)
        profile->focus = draw_focus();
    profile->is_apt = sct_choose(4, "apt operations") > 0;
}

struct ct_row *workload_first_entry(size_t key) {
    struct ct_property properties[] = {
        ct_string(SU_SCALE, SU_SCALE_DEFAULT),
        ct_string(SU_VERSION, "1.0"),
        ct_int32(SU_TEMPERATURE, 20),
        ct_int32(SU_TIME, 0),
    };
    return ct_row_new(sct_arena(), (struct ct_key){STATION, entry_keys[key]}, NULL, properties,
                      sizeof properties / sizeof properties[0]);
}

void workload_load(const struct fleet *fleet, struct tables *tables) {
    struct ct_row *rows[KEYS_MAX];
    size_t count = 0;
    for (uint32_t key = 0; key < fleet->profile.key_count; key++)
        if (!one_in(3, "entry absent"))
            rows[count++] = workload_first_entry(key);
    if (count > 0)
        tables_load(tables, rows, count);
    else
        MARK("the table is empty at first");
}

uint32_t workload_draw_operations(const struct fleet *fleet, enum su_release release) {
    const struct profile *profile = &fleet->profile;
    if (!profile->is_focused)
        return sct_choose(2, "operations");
    // In the focus and beside it servers are busy, so that three releases are met with many
    // operations.
    if (release + 1 < profile->focus || release > profile->focus + 1)
        return one_in(4, "an operation out of focus");
    return sct_choose(7, "operations");
}

enum lag workload_draw_lag(void) {
    return (enum lag)sct_choose(LAG_COUNT, "lag");
}

bool workload_draw_wait(void) {
    return one_in(2, "wait for the worker");
}

// ---- Operations --------------------------------------------------------------------------------

// The [index]-th element of a set of bits.
static uint32_t element(uint32_t set, uint32_t index) {
    while (index-- > 0)
        set &= set - 1;
    return (uint32_t)__builtin_ctz(set);
}

// Of the operations in use, those that [release] has; where they are to be apt, those that an entry
// lets succeed that is there or not.
static uint32_t usable_operations(const struct profile *profile, enum su_release release,
                                  bool is_there) {
    const uint32_t need_entry =
        1u << ERRAND_UPDATE | 1u << ERRAND_CHOOSE | 1u << ERRAND_DELETE | 1u << ERRAND_READ;
    uint32_t set = profile->operations;
    if (release < SU_R2)
        set &= ~(1u << ERRAND_CHOOSE);
    uint32_t apt = set & ~(is_there ? 1u << ERRAND_INSERT : need_entry);
    return profile->is_apt && apt ? apt : set;
}

static enum schema_operation draw_operation(const struct profile *profile, enum su_release release,
                                            bool is_there) {
    uint32_t set = usable_operations(profile, release, is_there);
    if (set == 0)
        return ERRAND_UPDATE;
    return (enum schema_operation)element(set, sct_choose(sct_count_bits(set), "operation"));
}

// Each server chooses areas of its own.
// So an area tells who has chosen it, and a lost one shows.
static const char *draw_area(size_t server) {
    static const char *const areas[][2] = {
        {"Athens", "Patras"}, {"Chios", "Volos"}, {"Corfu", "Rhodes"}};
    ASSERT(server < sizeof areas / sizeof areas[0]);
    return areas[server][sct_choose(2, "area")];
}

static struct errand draw_errand(struct fleet *fleet, size_t server) {
    enum su_release release = fleet->state.releases[server];
    uint32_t key = sct_choose(fleet->profile.key_count, "key");
    bool is_there = ledger_has_entry(&fleet->ledger, key);
    struct errand errand = {.operation = draw_operation(&fleet->profile, release, is_there)};
    if (errand.operation != ERRAND_SCAN)
        errand.key = key;
    if (errand.operation == ERRAND_UPDATE)
        errand.increment = 1;
    if (errand.operation == ERRAND_CHOOSE)
        errand.area = draw_area(server);
    if (errand.operation == ERRAND_INSERT) {
        int32_t number = (int32_t)++fleet->samples;
        // Different in each insert, and increments are of 1: a temperature tells which entry it
        // belongs to.
        errand.sample = (struct su_sample){.time = number, .temperature = 20 + 10 * number};
        if (release >= SU_R2)
            errand.sample.area = draw_area(server);
    }
    return errand;
}

struct visit {
    struct fleet *fleet;
    struct party *party;
};

static void visit(void *context, const char *key, const struct su_reading *reading) {
    const struct visit *self = context;
    if (sct_narrating())
        sct_note("its scan gives '%s' at version %s", key, su_version_name(reading->version));
    ledger_scanned(&self->fleet->ledger, self->party, key, reading);
}

static struct su_outcome perform(struct fleet *fleet, struct party *party,
                                 const struct errand *errand, struct su_reading *reading) {
    struct su_server *server = &party->server;
    const char *key = entry_keys[errand->key];
    switch (errand->operation) {
    case ERRAND_INSERT:
        return su_insert(server, key, &errand->sample);
    case ERRAND_UPDATE:
        return su_update_temperature(server, key, errand->increment);
    case ERRAND_CHOOSE:
        return su_choose_area(server, key, errand->area);
    case ERRAND_DELETE:
        return su_delete(server, key);
    case ERRAND_READ:
        return su_read(server, key, reading);
    case ERRAND_SCAN:
        return su_scan(server, visit, &(struct visit){fleet, party});
    case ERRAND_UPGRADE:
    case ERRAND_COUNT:
        break;
    }
    fail_at(FAIL_ASSERTION, HERE, "operation %d is not a server's", (int)errand->operation);
}

static void note_end(const struct su_outcome *outcome) {
    static const char *const words[] = {
        [SU_DONE] = "done",
        [SU_NOT_FOUND] = "no such entry",
        [SU_CONFLICT] = "there is such an entry",
        [SU_UNREADABLE] = "cannot read the entry",
        [SU_FAILED] = "failed",
    };
    sct_note_as(SCT_NOTE_RETURN, "its operation ends: %s, %u retries", words[outcome->result],
                outcome->retries);
}

void workload_perform(struct fleet *fleet, size_t index, const struct errand *errand) {
    struct party *party = &fleet->ledger.parties[index];
    struct su_reading reading;
    sct_count_operation();
    if (sct_narrating())
        sct_note_as(SCT_NOTE_CALL, "as %s: %s %s", su_release_name(party->server.release),
                    schema_operation_names[errand->operation],
                    errand->operation == ERRAND_SCAN ? "" : entry_keys[errand->key]);
    ledger_begin(&fleet->ledger, party, errand);
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "an operation to end");
    struct su_outcome outcome = perform(fleet, party, errand, &reading);
    sct_monitor_cold(&monitor);
    if (sct_narrating())
        note_end(&outcome);
    bool has_reading = errand->operation == ERRAND_READ && outcome.result == SU_DONE;
    ledger_end(&fleet->ledger, party, &outcome, has_reading ? &reading : NULL);
}

void workload_operate(struct fleet *fleet, size_t index) {
    struct errand errand = draw_errand(fleet, index);
    workload_perform(fleet, index, &errand);
}
