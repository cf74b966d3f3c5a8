#include "harness/schema/ledger.h"
#include "core/campaign/marks.h"
#include "harness/schema/kinds.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "harness/table/transport.h"
#include "model/table/row.h"

#include <string.h>

enum { TEXT_BYTES = 300 };

const char *const entry_keys[KEYS_MAX] = {"0", "1", "2"};

// ---- Rows --------------------------------------------------------------------------------------

static const char *text_of(const struct ct_property *property) {
    return property && property->type == CT_STRING ? property->value.string : NULL;
}

static int32_t number_of(const struct ct_property *property) {
    return property && property->type == CT_INT32 ? property->value.int32 : INT32_MIN;
}

// By names of its own: the ledger reads rows as the specification has them, not as the model does.
static unsigned version_of(const struct ct_property *property) {
    static const char *const names[] = {"1.0", "1.5", "2.0", "3.0"};
    const char *name = text_of(property);
    for (int i = 0; name && i < SU_VERSION_COUNT; i++)
        if (ct_string_equal(name, names[i]))
            return (unsigned)i;
    return NO_VERSION;
}

static struct truth truth_of(const struct ct_row *row) {
    enum { AREA, SCALE, VERSION, TEMPERATURE, TIME, COUNT };
    static const char *const names[COUNT] = {"SampleArea", "Scale", "SchemaVersion", "Temperature",
                                             "TimeOfCapture"};
    const struct ct_property *found[COUNT];
    ct_row_pick(row, names, COUNT, found);
    return (struct truth){
        .version = version_of(found[VERSION]),
        .time = number_of(found[TIME]),
        .temperature = number_of(found[TEMPERATURE]),
        .scale = text_of(found[SCALE]),
        .area = text_of(found[AREA]),
    };
}

// The same, of an entry that has [record].
static const struct truth *read_row(struct record *record, const struct ct_row *row) {
    if (record->row != row) {
        record->row = row;
        record->truth = truth_of(row);
    }
    return &record->truth;
}

static bool is_chosen(const struct truth *truth) {
    return truth->version == SU_2_0 || truth->version == SU_3_0;
}

static size_t key_index(const char *key) {
    for (size_t i = 0; i < KEYS_MAX; i++)
        if (ct_string_equal(entry_keys[i], key))
            return i;
    fail_at(FAIL_ASSERTION, HERE, "an entry '%s' that nobody has inserted", key);
}

// ---- Writes ------------------------------------------------------------------------------------

_Noreturn static void report(const char *kind, const struct ct_row *before,
                             const struct ct_row *after, const char *what) {
    char old_entry[TEXT_BYTES], new_entry[TEXT_BYTES];
    struct text old_text = text_in(old_entry, sizeof old_entry);
    struct text new_text = text_in(new_entry, sizeof new_entry);
    if (before)
        describe_row(&old_text, before);
    else
        text_add(&old_text, "nothing");
    describe_row(&new_text, after);
    sct_violation(kind, "%s: %s was written over %s", what, new_entry, old_entry);
}

// What [party] was to make of [record], whose entry it has written.
// The record goes ahead of the entry: first what it must be now, then the look at what it is.
static void keep_record(struct record *record, const struct party *party,
                        const struct truth *before) {
    const struct errand *errand = &party->errand;
    switch (errand->operation) {
    case ERRAND_INSERT:
        record->temperature = errand->sample.temperature;
        record->chosen = party->server.release >= SU_R2 ? errand->sample.area : NULL;
        return;
    case ERRAND_UPDATE:
        record->temperature += errand->increment;
        return;
    case ERRAND_CHOOSE:
        record->chosen = errand->area;
        return;
    case ERRAND_UPGRADE:
        if (!is_chosen(before))
            record->chosen = SU_AREA_SURVEYED;
        return;
    case ERRAND_DELETE:
    case ERRAND_READ:
    case ERRAND_SCAN:
    case ERRAND_COUNT:
        return;
    }
}

static bool is_older(const struct truth *after, const struct truth *before) {
    return after->version == NO_VERSION || after->version < before->version;
}

// The properties that concern one entry, as [party] has written it over what [earlier] tells.
static void check_entry(const struct party *party, struct record *record,
                        const struct truth *earlier, const struct ct_row *before,
                        const struct ct_row *after) {
    const struct truth *truth = read_row(record, after);
    if (truth->version == SU_1_5 && !truth->area)
        report(KIND_AREA_MISSING, before, after, "a 1.5 entry has no area");
    if (truth->temperature != record->temperature)
        report(KIND_UPDATE_LOST, before, after, "a temperature update is lost");
    // Once chosen it stays chosen, whoever writes: a release that does not know areas must keep it.
    if (record->chosen && !(is_chosen(truth) && ct_string_equal(truth->area, record->chosen)))
        report(KIND_AREA_LOST, before, after, "a chosen area is lost");
    if (!record->chosen && is_chosen(truth))
        report(KIND_DEFAULT_TRUSTED, before, after,
               "an area that nobody chose is marked as chosen");
    if (before && is_older(truth, earlier))
        report(KIND_VERSION_DOWN, before, after, "the version went down");
    if (truth->version == SU_3_0 && truth->scale)
        report(KIND_UPGRADE_INCOMPLETE, before, after, "a 3.0 entry has the removed property");
    if (truth->version != SU_3_0 && party->server.release == SU_R3)
        report(KIND_UPGRADE_INCOMPLETE, before, after, "what R3 writes is not at 3.0");
}

static void cover_upgrade(const struct party *party) {
    if (party->errand.operation == ERRAND_UPGRADE)
        schema_cover((struct schema_cell){
            .operation = ERRAND_UPGRADE, .release = party->server.release, .version = party->over});
}

// One of [before] and [after] may be NULL.
static void note_change(struct ledger *ledger, struct party *party, const struct ct_row *before,
                        const struct ct_row *after) {
    struct record *record = &ledger->records[key_index((after ? after : before)->key.row)];
    struct truth earlier = {.version = NO_VERSION};
    if (before)
        earlier = *read_row(record, before);
    party->over = earlier.version;
    cover_upgrade(party);
    keep_record(record, party, &earlier);
    if (after)
        check_entry(party, record, &earlier, before, after);
}

static struct party *party_of(struct ledger *ledger, const struct sct_machine *machine) {
    for (size_t i = 0; i < ledger->party_count; i++)
        if (ledger->parties[i].machine == machine)
            return &ledger->parties[i];
    fail_at(FAIL_ASSERTION, HERE, "a write of %s", sct_machine_name(machine));
}

// Rows are immutable and shared: what has not changed is the same row.
void ledger_wrote(void *context, const struct sct_machine *caller) {
    struct ledger *ledger = context;
    struct party *party = party_of(ledger, caller);
    schema_touch(SCT_ACCESS_WRITE, SCHEMA_HISTORY, SCHEMA_HISTORY);
    // Called in the step of the write, so the last revision is that of this write alone.
    const struct ct_memory_table *table = tables_visible(ledger->tables);
    size_t revision = ct_memory_revision(table);
    struct ct_rows before = ct_memory_rows_at(table, revision - 1);
    struct ct_rows after = ct_memory_rows(table);
    party->writes++;
    // One pass over both revisions, which are in key order.
    for (size_t b = 0, a = 0; b < before.count || a < after.count;) {
        bool is_unchanged = b < before.count && a < after.count && before.rows[b] == after.rows[a];
        int order = is_unchanged        ? 0
                    : b == before.count ? 1
                    : a == after.count  ? -1
                                        : ct_key_compare(before.rows[b]->key, after.rows[a]->key);
        const struct ct_row *old_row = order <= 0 ? before.rows[b++] : NULL;
        const struct ct_row *new_row = order >= 0 ? after.rows[a++] : NULL;
        if (old_row != new_row)
            note_change(ledger, party, old_row, new_row);
    }
}

void ledger_open(struct ledger *ledger, const struct tables *tables) {
    struct ct_rows rows = ct_memory_rows(tables_visible(tables));
    ledger->tables = tables;
    for (size_t i = 0; i < rows.count; i++)
        ledger->records[key_index(rows.rows[i]->key.row)] =
            (struct record){.temperature = truth_of(rows.rows[i]).temperature};
}

bool ledger_has_entry(const struct ledger *ledger, size_t key) {
    ASSERT(key < KEYS_MAX);
    return ct_rows_find(ct_memory_rows(tables_visible(ledger->tables)),
                        (struct ct_key){STATION, entry_keys[key]});
}

// ---- Readings ----------------------------------------------------------------------------------

static const struct ct_row *entry_at(const struct ledger *ledger, size_t revision, size_t key) {
    return ct_rows_find(ct_memory_rows_at(tables_visible(ledger->tables), revision),
                        (struct ct_key){STATION, entry_keys[key]});
}

// What a reader of that release makes of this row; another release would make something else.
static bool explains(struct record *record, const struct ct_row *row, const struct party *party,
                     const struct su_reading *reading) {
    if (!row || !reading)
        return !row && !reading;
    const struct truth *truth = read_row(record, row);
    bool sees_area = party->server.release >= SU_R2 && is_chosen(truth);
    return truth->version == reading->version && truth->time == reading->time &&
           truth->temperature == reading->temperature &&
           ct_string_equal(truth->scale ? truth->scale : "C", reading->scale) &&
           ct_string_equal(sees_area ? truth->area : NULL, reading->area);
}

_Noreturn static void report_reading(size_t key, const struct su_reading *reading) {
    if (!reading)
        sct_violation(KIND_READING_INVALID,
                      "an entry '%s' was not found, though it was there all the time",
                      entry_keys[key]);
    bool is_default = reading->area && strcmp(reading->area, SU_AREA_DEFAULT) == 0;
    sct_violation(
        is_default ? KIND_DEFAULT_TRUSTED : KIND_READING_INVALID,
        "entry '%s' was read as version %s, temperature %d%s, area %s, which it was at no "
        "instant of the operation",
        entry_keys[key], su_version_name(reading->version), (int)reading->temperature,
        reading->scale, reading->area ? reading->area : "not chosen");
}

// [reading] NULL: there was no such entry. The newest revision first: mostly it is that.
static void check_reading(struct ledger *ledger, const struct party *party, size_t key,
                          const struct su_reading *reading) {
    size_t now = ct_memory_revision(tables_visible(ledger->tables));
    // Any instant of the operation will do: a reading is a linearizable read of one entry.
    for (size_t revision = now + 1; revision-- > party->began;)
        if (explains(&ledger->records[key], entry_at(ledger, revision, key), party, reading))
            return;
    report_reading(key, reading);
}

// In how many of the revisions since the operation began there was an entry.
// A scan may miss an entry that was absent at one instant at least.
static size_t times_present(const struct ledger *ledger, const struct party *party, size_t key) {
    size_t count = 0;
    size_t now = ct_memory_revision(tables_visible(ledger->tables));
    for (size_t revision = party->began; revision <= now; revision++)
        count += entry_at(ledger, revision, key) != NULL;
    return count;
}

void ledger_scanned(struct ledger *ledger, struct party *party, const char *key,
                    const struct su_reading *reading) {
    size_t index = key_index(key);
    schema_touch(SCT_ACCESS_READ, SCHEMA_HISTORY, SCHEMA_HISTORY);
    // Keys come in order, so no bit at or above this one is set yet.
    sct_check(party->keys_seen >> index == 0, KIND_READING_INVALID,
              "a scan returned entry '%s' after a later one", key);
    party->keys_seen |= (size_t)1 << index;
    check_reading(ledger, party, index, reading);
    schema_cover((struct schema_cell){
        .operation = ERRAND_SCAN, .release = party->server.release, .version = reading->version});
}

static void check_scan(const struct ledger *ledger, const struct party *party) {
    size_t revisions = ct_memory_revision(tables_visible(ledger->tables)) - party->began + 1;
    for (size_t key = 0; key < KEYS_MAX; key++)
        sct_check(party->keys_seen >> key & 1 || times_present(ledger, party, key) < revisions,
                  KIND_READING_INVALID,
                  "a scan missed entry '%s', though it was there all the time", entry_keys[key]);
}

// ---- Operations --------------------------------------------------------------------------------

void ledger_begin(struct ledger *ledger, struct party *party, const struct errand *errand) {
    schema_touch(SCT_ACCESS_READ, SCHEMA_HISTORY, SCHEMA_HISTORY);
    party->errand = *errand;
    party->is_busy = true;
    party->calls = party->client->faults.calls;
    party->began = ct_memory_revision(tables_visible(ledger->tables));
    party->writes = 0;
    party->keys_seen = 0;
}

_Noreturn static void report_failure(const struct party *party, const struct su_outcome *outcome) {
    char buffer[TEXT_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_outcome(&text, outcome->cause, NULL, 0);
    sct_violation(KIND_CALL_FAILED, "%s ended with %s",
                  schema_operation_names[party->errand.operation], buffer);
}

static void check_failure(const struct party *party, const struct su_outcome *outcome) {
    sct_check(outcome->result != SU_UNREADABLE, KIND_PROPERTY_ERROR,
              "%s fails on an entry in which property %s is unknown to it or missing",
              su_release_name(party->server.release), outcome->property);
    if (outcome->result == SU_FAILED)
        report_failure(party, outcome);
}

static bool is_write(enum schema_operation operation) {
    return operation < ERRAND_READ;
}

// An operation has changed the table once if it says so, else not at all.
static void check_writes(const struct party *party, const struct su_outcome *outcome) {
    enum schema_operation operation = party->errand.operation;
    if (operation == ERRAND_UPGRADE)
        return;
    // Twice would be an update that was counted once and done again.
    uint32_t expected = is_write(operation) && outcome->result == SU_DONE;
    sct_check(party->writes == expected, KIND_OUTCOME_MISMATCH,
              "an operation (%s) that should have written %u times has done so %u times",
              schema_operation_names[operation], expected, party->writes);
}

static void cover(struct ledger *ledger, const struct party *party,
                  const struct su_outcome *outcome, const struct su_reading *reading) {
    struct schema_cell cell = {
        .operation = party->errand.operation,
        .release = party->server.release,
        .version = NO_VERSION,
    };
    if (outcome->result == SU_NOT_FOUND) {
        cell.outcome = ENDED_NOT_FOUND;
    } else if (outcome->result == SU_CONFLICT) {
        size_t now = ct_memory_revision(tables_visible(ledger->tables));
        const struct ct_row *row = entry_at(ledger, now, party->errand.key);
        cell.outcome = ENDED_CONFLICT;
        cell.version =
            row ? read_row(&ledger->records[party->errand.key], row)->version : NO_VERSION;
    } else {
        cell.outcome = outcome->retries ? ENDED_RETRIED : ENDED_DONE;
        cell.version = reading ? reading->version : party->over;
    }
    schema_cover(cell);
}

// Whether a server error has met the operation. Over a plain table it must say so; what stands
// between it and another one may have met the error in something else than its calls.
static bool has_failed(const struct ledger *ledger, const struct party *party,
                       const struct su_outcome *outcome) {
    const struct client_faults *faults = &party->client->faults;
    client_take_server_error(party->client); // a read of a stream may have left it
    if (faults->server_error_at <= party->calls || faults->server_error_at > faults->calls)
        return false;
    bool says_so =
        outcome->result == SU_FAILED && ct_failed_with(outcome->cause, CT_STATUS_SERVER_ERROR);
    sct_check(says_so || !ledger->tables->options.is_plain, KIND_FAULT_HIDDEN,
              "a call of the table failed with a server error; %s did not",
              schema_operation_names[party->errand.operation]);
    return says_so;
}

bool ledger_end(struct ledger *ledger, struct party *party, const struct su_outcome *outcome,
                const struct su_reading *reading) {
    size_t key = party->errand.key;
    schema_touch(SCT_ACCESS_READ, SCHEMA_HISTORY, SCHEMA_HISTORY);
    party->is_busy = false;
    if (has_failed(ledger, party, outcome)) {
        check_writes(party, outcome);
        MARK("an operation meets a server error");
        return false;
    }
    check_failure(party, outcome);
    check_writes(party, outcome);
    if (outcome->result == SU_NOT_FOUND)
        check_reading(ledger, party, key, NULL);
    if (outcome->result == SU_CONFLICT)
        sct_check(times_present(ledger, party, key) > 0, KIND_OUTCOME_MISMATCH,
                  "an insert conflicts with entry '%s', which is not there", entry_keys[key]);
    if (reading)
        check_reading(ledger, party, key, reading);
    if (party->errand.operation == ERRAND_UPGRADE)
        sct_check(outcome->result == SU_DONE, KIND_UPGRADE_INCOMPLETE,
                  "the worker's pass ends before the last entry");
    if (party->errand.operation == ERRAND_SCAN)
        check_scan(ledger, party);
    else if (party->errand.operation != ERRAND_UPGRADE)
        cover(ledger, party, outcome, reading);
    return true;
}

// ---- The state ---------------------------------------------------------------------------------

// Which versions of the entry there have been since the operation of [party] began, in whatever
// order; of one that reads none only whether there were any, and a moment without.
static struct digest history_digest(const struct ledger *ledger, const struct party *party,
                                    size_t key) {
    size_t now = ct_memory_revision(tables_visible(ledger->tables));
    bool tells_versions = !is_write(party->errand.operation);
    bool was_absent = false, was_present = false;
    struct digest versions = {0, 0};
    const struct ct_row *last = NULL;
    for (size_t revision = party->began; revision <= now; revision++) {
        const struct ct_row *row = entry_at(ledger, revision, key);
        *(row ? &was_present : &was_absent) = true;
        if (tells_versions && row && row != last) // none comes back: each has an ETag of its own
            digest_add(&versions, ct_row_digest(row));
        last = row;
    }
    return digest_fold(versions, (uint64_t)was_absent << 1 | was_present);
}

static struct digest party_digest(const struct ledger *ledger, const struct party *party) {
    if (!party->is_busy || party->errand.operation == ERRAND_UPGRADE) // nothing will be compared
        return (struct digest){0, 0};
    uint64_t words[] = {party->writes, party->keys_seen};
    struct digest digest = digest_of(words, sizeof words);
    for (size_t key = 0; key < KEYS_MAX; key++)
        if (party->errand.operation == ERRAND_SCAN || party->errand.key == key)
            digest = digest_fold_digest(digest, history_digest(ledger, party, key));
    return digest;
}

struct digest ledger_digest(const struct ledger *ledger) {
    struct digest digest = {0, 0};
    size_t now = ct_memory_revision(tables_visible(ledger->tables));
    for (size_t key = 0; key < KEYS_MAX; key++) {
        const struct record *record = &ledger->records[key];
        if (!entry_at(ledger, now, key)) // an insert will begin another
            continue;
        digest = digest_fold_text(digest, record->chosen);
        digest = digest_fold(digest, (uint64_t)key << 32 | (uint32_t)record->temperature);
    }
    for (size_t i = 0; i < ledger->party_count; i++)
        digest = digest_fold_digest(digest, party_digest(ledger, &ledger->parties[i]));
    return digest;
}

// ---- The ends ----------------------------------------------------------------------------------

void ledger_check_swept(const struct ledger *ledger, enum su_version version) {
    schema_touch(SCT_ACCESS_READ, SCHEMA_HISTORY, SCHEMA_HISTORY);
    struct ct_rows rows = ct_memory_rows(tables_visible(ledger->tables));
    for (size_t i = 0; i < rows.count; i++) {
        struct truth truth = truth_of(rows.rows[i]);
        if (truth.version == version && !(version == SU_3_0 && truth.scale))
            continue;
        char buffer[TEXT_BYTES];
        struct text text = text_in(buffer, sizeof buffer);
        describe_row(&text, rows.rows[i]);
        sct_violation(KIND_UPGRADE_INCOMPLETE, "the worker is done with %s, but there is %s",
                      su_version_name(version), buffer);
    }
}
