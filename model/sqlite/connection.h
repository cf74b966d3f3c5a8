// The connection of a table to its file. Internal to model/sqlite.
//
// The file: `tables` has the names, `entities` the rows of all tables by (table, partition key, row
// key), `file` one row with the file's random name and the number of the last ETag. The version is
// SQLite's user_version, the kind its application_id.
#ifndef MODEL_SQLITE_CONNECTION_H
#define MODEL_SQLITE_CONNECTION_H

#include "model/sqlite/sqlite_table.h"
#include "model/table/check.h"

#include <sqlite3.h>

enum { SQLITE_GROUP = 32 };
enum { TICKS_A_SECOND = 10000000 };

enum ct_statement {
    STATEMENT_BEGIN,
    STATEMENT_BEGIN_READING, // what is read then is as of one instant
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_SAVE, // a part of a transaction begins, and ends so that it stays or so that it
    STATEMENT_KEEP, // has not been; after that it has begun again, and is to be kept
    STATEMENT_FORGET,
    STATEMENT_NUMBERS,     // ?1: how far the last number of ETags goes on
    STATEMENT_LAST_NUMBER, // one row: the last that was
    // ?1 table, ?2 partition key, ?3 row key, ?4 number of the ETag, ?5 time, ?6 properties
    STATEMENT_INSERT,
    // SQLITE_GROUP rows: ?1 table, ?2 number of the first ETag, ?3 time; of each row its partition
    // key, row key and properties, ?4 to ?6 the first row's
    STATEMENT_INSERT_GROUP,
    STATEMENT_PUT,
    STATEMENT_REPLACE,    // if there is a row
    STATEMENT_REPLACE_IF, // if there is a row with the ETag ?7
    STATEMENT_DELETE,     // if there is a row
    STATEMENT_DELETE_IF,  // if there is a row with the ETag ?4
    STATEMENT_GET,        // columns: as a row of the last two
    // Columns: partition key, row key, number of the ETag, time, properties; in key order. Whoever
    // wants less than there is steps no further.
    STATEMENT_FROM,  // ?1 table, ?2 partition key, row keys from ?3 on; the first column is NULL
    STATEMENT_RANGE, // likewise, to ?4
    // ?1 table; partition keys above ?2. (To have (?2, row key) on in it, too, would compare that
    // pair with each row, behind the place that it was looked up for.)
    STATEMENT_BEHIND,
    STATEMENT_BEHIND_TO, // likewise, up to ?3
    STATEMENT_IS_THERE,  // ?1 table: a row if it is
    STATEMENT_FIND,      // ?1 name as it was given: the table
    STATEMENT_FIND_LIKE, // ?1 name, without case
    STATEMENT_NAMES,     // from ?1 on, without case, at most ?2
    STATEMENT_NEXT_ID,   // a number that no table has had and no ETag has
    STATEMENT_ADD_TABLE, // ?1 table, ?2 name
    STATEMENT_DROP_ROWS, // ?1 table
    STATEMENT_DROP_TABLE,
    STATEMENT_COUNT,
};

// The text of an ETag that is a time of the second [second], whose fraction is the last one's: to
// write the date anew for each row would cost more than to read the row.
enum { ETAG_TEXT_SIZE = sizeof "W/\"datetime'2026-11-22T04%3A08%3A15.8122003Z'\"" };

struct etag_text {
    int64_t second; // 0: none yet
    char text[ETAG_TEXT_SIZE];
};

struct ct_sqlite_table {
    struct ct_table table; // first, so that the interface is the table
    sqlite3 *database;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    sqlite3_int64 id; // of the table in the file; 0: none is chosen
    const char *name; // of the one that is written to, which was not looked for yet; or NULL
    char etag_prefix[24];
    struct etag_text etag_text;
    struct ct_rules rules; // of a batch
    double deadline;
    struct ct_sqlite_turn *turn; // or NULL
    unsigned busy_ms;            // of now
    double busy_since;           // when the wait began that is under way
    int log_pages;               // that the log had after the last commit
    int log_pages_due;           // with so many it is to be emptied
    pthread_cond_t news;         // for the caller whose batch waits
    struct sqlite_stream *spare; // a closed one, whose arenas the next one has; or NULL
};

// The statement, ready for its parameters.
sqlite3_stmt *connection_statement(struct ct_sqlite_table *table, enum ct_statement statement);

// Runs a statement that gives no rows; SQLITE_DONE if all is well. It is reset.
int connection_run(sqlite3_stmt *statement);

// The ETag of that number, in [arena]. As the service's it tells when the row was written: older
// official clients take the time of an entity that they have inserted from there. Numbers are
// ticks, each later than all before in the file; those of files that once counted from one are
// written after the file's name.
const char *connection_etag(struct ct_sqlite_table *table, struct arena *arena, uint64_t number);

// The number in [etag]; that of no row if it is not one of this file's.
int64_t connection_number(const struct ct_sqlite_table *table, const char *etag);

// Whether a number is a time. (Of 1970, the clock was not set.)
#define CONNECTION_IS_TIME(number) ((number) >= UINT64_C(1000000000000000))

// Of a key that outlives the statement's run.
void connection_bind_key(sqlite3_stmt *statement, int parameter, const char *key);

// What the failure [code] means to a caller before whose eyes nothing was done.
struct ct_outcome connection_failure(const struct ct_sqlite_table *table, int code,
                                     struct arena *arena);

// The number of the table [name], without regard to case, in catalog.c; 0: there is none.
struct ct_outcome catalog_find(struct ct_sqlite_table *table, const char *name, struct arena *arena,
                               sqlite3_int64 *id);

// A statement without parameters.
int connection_run_plain(struct ct_sqlite_table *table, enum ct_statement statement);

// The end of a transaction, in batches.c. A commit that fails has done nothing, or is CT_UNKNOWN.
struct ct_outcome connection_commit(struct ct_sqlite_table *table, struct arena *arena);
void connection_roll_back(struct ct_sqlite_table *table);

// The members of the interface, in turn.c and reading.c.
struct ct_outcome sqlite_table_execute(struct ct_table *table, const char *where,
                                       struct ct_batch *batch, struct arena *arena,
                                       struct ct_op_result *results);
void sqlite_table_execute_all(struct ct_table *table, const char *where, struct ct_write *writes,
                              size_t count, struct arena *arena);
struct ct_outcome sqlite_table_query(struct ct_table *table, const char *where,
                                     const struct ct_filter *filter, struct arena *arena,
                                     struct ct_rows *rows);
struct ct_outcome sqlite_table_open_stream(struct ct_table *table, const char *where,
                                           const struct ct_filter *filter,
                                           struct ct_stream **stream);

// Frees what the table keeps for its next stream.
void reading_free_spare(struct ct_sqlite_table *table);

// The row that [statement] stands at, in [arena]; NULL if the file is damaged. If its partition key
// is [before], which may be NULL and lives as long, it is that one.
struct ct_row *reading_row(struct ct_sqlite_table *table, sqlite3_stmt *statement,
                           struct arena *arena, const char *before);

#endif
