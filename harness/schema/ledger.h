// The ledger: what every entry must be, by what was done to it; the oracle of the schema upgrade.
//
// It is told of each write in the step in which that takes effect, and compares the entry before
// and after with what its author set out to do. It reads the rows itself and shares no code with
// the model. What servers say they have read is compared with all revisions of the table between
// the start of the operation and its end: each entry is a linearizable register.
#ifndef HARNESS_SCHEMA_LEDGER_H
#define HARNESS_SCHEMA_LEDGER_H

#include "core/engine/inside.h"
#include "harness/schema/coverage.h"
#include "harness/table/tables.h"
#include "model/schema/schema.h"

struct client;

enum { KEYS_MAX = 3, PARTIES_MAX = SU_FLEET_MAX + 1 };

#define STATION "athgr"

// For reduced searches: what steps touch of the fleet and the ledger, beside the rows. Keys: each
// party, the roll-out after them (what others may see of it), and the history of the table, to
// which every write adds and which readings are compared with.
enum {
    SCHEMA_OBJECT = 1 << 20, // more than tables and their locks have
    SCHEMA_ROLL_OUT = PARTIES_MAX,
    SCHEMA_HISTORY,
};

static inline void schema_touch(enum sct_access_mode mode, size_t low, size_t high) {
    if (sct_reducing())
        sct_touch(&(struct sct_access){mode, SCHEMA_OBJECT, low, high});
}

extern const char *const entry_keys[KEYS_MAX];

// An operation under way.
struct errand {
    enum schema_operation operation;
    size_t key;              // index in entry_keys; not of a scan or an upgrade
    struct su_sample sample; // ERRAND_INSERT only
    int32_t increment;       // ERRAND_UPDATE only
    const char *area;        // ERRAND_CHOOSE only
};

// Who works on the table: a server, or the worker.
struct party {
    const struct sct_machine *machine;
    struct client *client; // what its calls go through
    struct su_server server;
    struct errand errand;
    bool is_busy;     // with that
    size_t began;     // the revision of the table when it did
    size_t calls;     // of the client then
    uint32_t writes;  // that took effect since
    unsigned over;    // the version that the last of them was written over
    size_t keys_seen; // of a scan: bit per key
};

// A row as the specification reads it.
struct truth {
    unsigned version; // enum su_version; NO_VERSION: it has none that is known
    int32_t time;
    int32_t temperature;
    const char *scale; // NULL: none, as [area]
    const char *area;
};

struct record { // of an entry that exists
    int32_t temperature;
    const char *chosen; // the area; NULL: nobody has chosen one
    // The row that was read last, mostly the newest, and what it says: rows are immutable.
    const struct ct_row *row;
    struct truth truth;
};

struct ledger {
    const struct tables *tables;
    struct party parties[PARTIES_MAX];
    size_t party_count;
    struct record records[KEYS_MAX];
};

// Whether there is an entry of the [key]-th key now.
bool ledger_has_entry(const struct ledger *ledger, size_t key);

// Enters the rows that the table begins with. All are at 1.0.
void ledger_open(struct ledger *ledger, const struct tables *tables);

// To be told of each write: tables_options.wrote.
void ledger_wrote(void *ledger, const struct sct_machine *caller);

// The beginning of [errand].
void ledger_begin(struct ledger *ledger, struct party *party, const struct errand *errand);

// Its end. [reading] is that of an ERRAND_READ that is done. False: a server error has met it; then
// it has done nothing, or (a pass) not all.
bool ledger_end(struct ledger *ledger, struct party *party, const struct su_outcome *outcome,
                const struct su_reading *reading);

// One entry of a scan.
void ledger_scanned(struct ledger *ledger, struct party *party, const char *key,
                    const struct su_reading *reading);

// What decides on the ledger's future checks, beside the table itself: the records of the entries,
// and of each operation under way what it has seen of the table's history. Not its errand, which
// the party's task has observed.
struct digest ledger_digest(const struct ledger *ledger);

// Every entry has exactly [version], and at 3.0 not the removed property.
void ledger_check_swept(const struct ledger *ledger, enum su_version version);

#endif
