#define _POSIX_C_SOURCE 200809L
#include "model/sqlite/connection.h"
#include "core/base/clock.h"
#include "core/base/number.h"
#include "model/sqlite/catalog.h"
#include "model/sqlite/log_file.h"
#include "model/table/row.h"
#include "model/table/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES_MAX = 255, OPEN_MS = 10000, LOG_PAGES = 1000 };
#define LOG_PAGES_BULK 4000

// What application_id says of our files: "ctbl".
#define KIND 1668571756
#define VERSION 2
#define TEXT_(number) #number
#define TEXT(number) TEXT_(number)

// WITHOUT ROWID the rows stand in the index of their keys: a page is read without jumps.
static const char schema[] =
    "CREATE TABLE file (name TEXT NOT NULL, last_number INTEGER NOT NULL);"
    "INSERT INTO file VALUES (lower(hex(randomblob(6))), 0);"
    "CREATE TABLE tables (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
    "CREATE TABLE entities (table_id INTEGER NOT NULL, partition_key BLOB NOT NULL,"
    " row_key BLOB NOT NULL, number INTEGER NOT NULL, time INTEGER NOT NULL,"
    " properties BLOB NOT NULL, PRIMARY KEY (table_id, partition_key, row_key)) WITHOUT ROWID;"
    "PRAGMA application_id = " TEXT(KIND) ";"
                                          "PRAGMA user_version = " TEXT(VERSION) ";";

#define KEY_IS "table_id = ?1 AND partition_key = ?2 AND row_key = ?3"
#define COLUMNS "partition_key, row_key, number, time, properties"

// An upper end that may be missing is a statement of its own: only an end that is always there
// keeps the search of the index from going on behind it.
#define ROWS_FROM                                                                      \
    "SELECT NULL, row_key, number, time, properties FROM entities WHERE table_id = ?1" \
    " AND partition_key = ?2 AND row_key >= ?3"
#define PAGE_BEHIND "SELECT " COLUMNS " FROM entities WHERE table_id = ?1 AND partition_key > ?2"

// A group's rows go into one statement: what it opens it opens once, and a row that comes behind
// the one before is found to do so without a search.
#define ROW(index) "(?1, ?2 + " #index ", ?3, ?, ?, ?)"
#define ROWS(a, b, c, d, e, f, g, h) \
    ROW(a) "," ROW(b) "," ROW(c) "," ROW(d) "," ROW(e) "," ROW(f) "," ROW(g) "," ROW(h)
#define GROUP_ROWS                                                              \
    ROWS(0, 1, 2, 3, 4, 5, 6, 7)                                                \
    "," ROWS(8, 9, 10, 11, 12, 13, 14, 15) "," ROWS(16, 17, 18, 19, 20, 21, 22, \
                                                    23) "," ROWS(24, 25, 26, 27, 28, 29, 30, 31)

static const char *const texts[STATEMENT_COUNT] = {
    // With the lock for writing: who begins by reading may be refused when he comes to write
    // (SQLITE_BUSY_SNAPSHOT), and would have to begin anew.
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_BEGIN_READING] = "BEGIN",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_SAVE] = "SAVEPOINT one",
    [STATEMENT_KEEP] = "RELEASE one",
    [STATEMENT_FORGET] = "ROLLBACK TO one",
    [STATEMENT_NUMBERS] = "UPDATE file SET last_number = last_number + ?1",
    [STATEMENT_LAST_NUMBER] = "SELECT last_number FROM file",
    [STATEMENT_INSERT] = "INSERT INTO entities VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
                         " ON CONFLICT DO NOTHING",
    // What could fail for a row by itself would have each page that it writes copied first, to take
    // the statement back: this cannot, as ON CONFLICT DO NOTHING could for a column that is NULL.
    [STATEMENT_INSERT_GROUP] = "INSERT OR IGNORE INTO entities (table_id, number, time,"
                               " partition_key, row_key, properties) VALUES " GROUP_ROWS,
    [STATEMENT_PUT] = "REPLACE INTO entities VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [STATEMENT_REPLACE] = "UPDATE entities SET number = ?4, time = ?5, properties = ?6"
                          " WHERE " KEY_IS,
    [STATEMENT_REPLACE_IF] = "UPDATE entities SET number = ?4, time = ?5, properties = ?6"
                             " WHERE " KEY_IS " AND number = ?7",
    [STATEMENT_DELETE] = "DELETE FROM entities WHERE " KEY_IS,
    [STATEMENT_DELETE_IF] = "DELETE FROM entities WHERE " KEY_IS " AND number = ?4",
    [STATEMENT_GET] = "SELECT " COLUMNS " FROM entities WHERE " KEY_IS,
    [STATEMENT_FROM] = ROWS_FROM " ORDER BY row_key",
    [STATEMENT_RANGE] = ROWS_FROM " AND row_key <= ?4 ORDER BY row_key",
    [STATEMENT_BEHIND] = PAGE_BEHIND " ORDER BY partition_key, row_key",
    [STATEMENT_BEHIND_TO] = PAGE_BEHIND " AND partition_key <= ?3 ORDER BY partition_key, row_key",
    [STATEMENT_IS_THERE] = "SELECT 1 FROM tables WHERE id = ?1",
    [STATEMENT_FIND] = "SELECT id FROM tables WHERE name = ?1",
    [STATEMENT_FIND_LIKE] = "SELECT id FROM tables WHERE name = ?1 COLLATE NOCASE",
    [STATEMENT_NAMES] = "SELECT name FROM tables WHERE name >= ?1 COLLATE NOCASE"
                        " ORDER BY name COLLATE NOCASE LIMIT ?2",
    [STATEMENT_NEXT_ID] = "UPDATE file SET last_number = 1 + max(last_number,"
                          " (SELECT ifnull(max(id), 0) FROM tables)) RETURNING last_number",
    [STATEMENT_ADD_TABLE] = "INSERT INTO tables VALUES (?1, ?2)",
    [STATEMENT_DROP_ROWS] = "DELETE FROM entities WHERE table_id = ?1",
    [STATEMENT_DROP_TABLE] = "DELETE FROM tables WHERE id = ?1",
};

// ---- Statements --------------------------------------------------------------------------------

sqlite3_stmt *connection_statement(struct ct_sqlite_table *table, enum ct_statement statement) {
    sqlite3_stmt *prepared = table->statements[statement];
    // A statement that was not reset would hold the file's snapshot, and the log could not be
    // emptied.
    ASSERT(prepared && !sqlite3_stmt_busy(prepared));
    return prepared;
}

int connection_run(sqlite3_stmt *statement) {
    int code = sqlite3_step(statement);
    ASSERT(code != SQLITE_ROW);
    sqlite3_reset(statement);
    return code;
}

// By hand: each row that is written or read has one.
static const char *counted_etag(const struct ct_sqlite_table *table, struct arena *arena,
                                uint64_t number) {
    enum { DIGITS_MAX = 20 };
    char digits[DIGITS_MAX];
    size_t count = 0, prefix = strlen(table->etag_prefix);
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    char *etag = arena_alloc(arena, prefix + count + 2);
    memcpy(etag, table->etag_prefix, prefix);
    char *end = etag + prefix;
    while (count > 0)
        *end++ = digits[--count];
    *end++ = '"';
    *end = '\0';
    return etag;
}

#define ETAG_BEGIN "W/\"datetime'"
#define ETAG_END "'\""
enum { TIME_TEXT = sizeof "2026-11-22T04%3A08%3A15.8122003Z" - 1 };
enum { FRACTION_DIGITS = 7 };
_Static_assert(ETAG_TEXT_SIZE == sizeof ETAG_BEGIN - 1 + TIME_TEXT + sizeof ETAG_END, "its parts");

// Writes the time with all of its digits, and colons as they stand in an address.
static void write_time(int64_t ticks, char text[TIME_TEXT + 1]) {
    char plain[CT_TICKS_TEXT];
    ct_ticks_format(ticks, plain);
    if (plain[19] == 'Z') // behind the seconds: it has no fraction
        memcpy(plain + 19, ".0000000Z", sizeof ".0000000Z");
    memcpy(text, plain, 13);
    memcpy(text + 13, "%3A", 3);
    memcpy(text + 16, plain + 14, 2);
    memcpy(text + 18, "%3A", 3);
    memcpy(text + 21, plain + 17, CT_TICKS_TEXT - 17);
}

// Has [cached] the text of a second; its fraction is written by the caller.
static void cache_second(struct etag_text *cached, int64_t second) {
    memcpy(cached->text, ETAG_BEGIN, sizeof ETAG_BEGIN);
    write_time(second * TICKS_A_SECOND, cached->text + sizeof ETAG_BEGIN - 1);
    memcpy(cached->text + sizeof ETAG_BEGIN - 1 + TIME_TEXT, ETAG_END, sizeof ETAG_END);
    cached->second = second;
}

const char *connection_etag(struct ct_sqlite_table *table, struct arena *arena, uint64_t number) {
    if (!CONNECTION_IS_TIME(number))
        return counted_etag(table, arena, number);
    uint32_t fraction = (uint32_t)(number % TICKS_A_SECOND);
    int64_t second = (int64_t)(number / TICKS_A_SECOND);
    if (second != table->etag_text.second)
        cache_second(&table->etag_text, second);
    char *etag = arena_alloc(arena, ETAG_TEXT_SIZE);
    memcpy(etag, table->etag_text.text, ETAG_TEXT_SIZE);
    char *digit = etag + ETAG_TEXT_SIZE - sizeof "0Z'\"";
    for (int i = 0; i < FRACTION_DIGITS; i++, fraction /= 10)
        *digit-- = (char)('0' + fraction % 10);
    return etag;
}

// Only what would be written for a time is read as it.
// One number has one text: else two ETags that differ could mean the same version.
static int64_t number_of_time(const char *text) {
    char plain[TIME_TEXT + 1], again[TIME_TEXT + 1];
    size_t count = 0;
    int64_t ticks;
    if (strlen(text) != TIME_TEXT + sizeof ETAG_END - 1 || strcmp(text + TIME_TEXT, ETAG_END) != 0)
        return -1;
    for (size_t i = 0; i < TIME_TEXT; i++) {
        bool is_colon = strncmp(text + i, "%3A", 3) == 0;
        plain[count++] = is_colon ? ':' : text[i];
        i += is_colon ? 2 : 0;
    }
    if (!ct_ticks_parse(plain, count, &ticks) || ticks < 0 || !CONNECTION_IS_TIME((uint64_t)ticks))
        return -1;
    write_time(ticks, again);
    return strncmp(again, text, TIME_TEXT) == 0 ? ticks : -1;
}

int64_t connection_number(const struct ct_sqlite_table *table, const char *etag) {
    size_t prefix = strlen(table->etag_prefix);
    uint64_t number = 0;
    if (strncmp(etag, ETAG_BEGIN, sizeof ETAG_BEGIN - 1) == 0)
        return number_of_time(etag + sizeof ETAG_BEGIN - 1);
    if (strncmp(etag, table->etag_prefix, prefix) != 0)
        return -1;
    size_t digits = number_scan(etag + prefix, 10, INT64_MAX, &number);
    bool is_whole = digits > 0 && strcmp(etag + prefix + digits, "\"") == 0;
    return is_whole && number > 0 && !CONNECTION_IS_TIME(number) ? (int64_t)number : -1;
}

// Not as text: BLOBs are in the order of their bytes. In the file, too, bytes have their rank, so
// that this is the order of keys; few have another rank than themselves.
void connection_bind_key(sqlite3_stmt *statement, int parameter, const char *key) {
    size_t size = strlen(key);
    if (!strpbrk(key, "\xEE\xEF\xFE\xFF")) {
        sqlite3_bind_blob(statement, parameter, key, (int)size, SQLITE_STATIC);
        return;
    }
    unsigned char *ranks = sqlite3_malloc64(size);
    ASSERT(ranks);
    for (size_t i = 0; i < size; i++)
        ranks[i] = (unsigned char)ct_unit_rank((unsigned char)key[i]);
    sqlite3_bind_blob(statement, parameter, ranks, (int)size, sqlite3_free);
}

struct ct_outcome connection_failure(const struct ct_sqlite_table *table, int code,
                                     struct arena *arena) {
    // What is the matter with the file, and may pass, is a server error: nothing was done, and the
    // caller may come again. The rest is damage or a mistake.
    switch (code & 0xff) {
    case SQLITE_BUSY:   // others held the lock for too long
    case SQLITE_LOCKED: // the same, within a process
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_READONLY: // of a folder, too: there is no place for the log
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
    case SQLITE_INTERRUPT:
        return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    default:
        return ct_internal_error(
            arena_printf(arena, "SQLite: %s", sqlite3_errmsg(table->database)));
    }
}

// Looks again every millisecond. SQLite's own handler waits longer and longer: who has waited long
// is then overtaken by all who come.
static int on_busy(void *context, int times) {
    struct ct_sqlite_table *table = context;
    if (times == 0)
        table->busy_since = clock_seconds();
    if ((clock_seconds() - table->busy_since) * 1000 >= table->busy_ms)
        return 0;
    sqlite3_sleep(1);
    return 1;
}

// ---- Opening -----------------------------------------------------------------------------------

// Runs [sql] and stores the number that its first row has, if [number] is asked for.
static bool run(sqlite3 *database, const char *path, const char *sql, sqlite3_int64 *number,
                struct error *error) {
    sqlite3_stmt *statement = NULL;
    int code = SQLITE_OK;
    for (const char *rest = sql; code == SQLITE_OK && rest && *rest;) {
        code = sqlite3_prepare_v2(database, rest, -1, &statement, &rest);
        if (code != SQLITE_OK || !statement)
            break;
        code = sqlite3_step(statement);
        if (code == SQLITE_ROW && number)
            *number = sqlite3_column_int64(statement, 0);
        while (code == SQLITE_ROW)
            code = sqlite3_step(statement);
        sqlite3_finalize(statement);
        code = code == SQLITE_DONE ? SQLITE_OK : code;
    }
    return code == SQLITE_OK ||
           error_set(error, "%.200s: expected a file of tables: SQLite: %.200s", path,
                     sqlite3_errmsg(database));
}

static bool check_kind(sqlite3 *database, const char *path, struct error *error) {
    sqlite3_int64 kind = 0, version = 0;
    if (!run(database, path, "PRAGMA application_id", &kind, error) ||
        !run(database, path, "PRAGMA user_version", &version, error))
        return false;
    if (kind != KIND)
        return error_set(error, "%.200s: expected a file of tables, found another SQLite file",
                         path);
    return version == VERSION ||
           error_set(error, "%.200s: expected a file of version %d, found %" PRId64, path, VERSION,
                     (int64_t)version);
}

// An empty file becomes one of tables; of several processes that come at the same time the first
// does it.
// The count is taken again with the lock: another process may have made the tables since. The mode
// is changed before, since it cannot be within a transaction.
static bool make_file(sqlite3 *database, const char *path, struct error *error) {
    sqlite3_int64 objects = 0;
    static const char count[] = "SELECT count(*) FROM sqlite_schema";
    if (!run(database, path, count, &objects, error))
        return false;
    if (objects > 0) // somebody else's, or made meanwhile: check_kind tells
        return true;
    if (!run(database, path, "PRAGMA journal_mode = WAL", NULL, error) ||
        !run(database, path, "BEGIN IMMEDIATE", NULL, error))
        return false;
    bool is_made = run(database, path, count, &objects, error) &&
                   (objects > 0 || run(database, path, schema, NULL, error)) &&
                   run(database, path, "COMMIT", NULL, error);
    if (!is_made)
        sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    return is_made;
}

// ETags begin with the file's name.
static bool read_prefix(struct ct_sqlite_table *table, const char *path, struct error *error) {
    sqlite3_stmt *statement = NULL;
    sqlite3_prepare_v2(table->database, "SELECT name FROM file", -1, &statement, NULL);
    bool is_read = sqlite3_step(statement) == SQLITE_ROW;
    if (is_read)
        snprintf(table->etag_prefix, sizeof table->etag_prefix, "W/\"%s-",
                 (const char *)sqlite3_column_text(statement, 0));
    else
        error_set(error, "%.200s: expected a file of tables: SQLite: %.200s", path,
                  sqlite3_errmsg(table->database));
    sqlite3_finalize(statement);
    return is_read;
}

static bool name_table(struct ct_sqlite_table *table, const char *path, const char *name,
                       struct error *error) {
    struct arena arena;
    bool is_there = false;
    arena_init(&arena, 1 << 16);
    struct ct_outcome outcome = ct_sqlite_choose(table, name, &arena, &is_there);
    // Several processes may find it missing at once; ct_sqlite_create makes it for the first alone,
    // and all choose it afterwards.
    if (outcome.kind == CT_SUCCEEDED && !is_there) // only then is it necessary to write
        outcome = ct_sqlite_create(table, name, &arena, &is_there);
    if (outcome.kind == CT_SUCCEEDED)
        outcome = ct_sqlite_choose(table, name, &arena, &is_there);
    arena_deinit(&arena);
    return outcome.kind == CT_SUCCEEDED ||
           error_set(error, "%.200s: expected room for the table '%.100s': SQLite: %.200s", path,
                     name, sqlite3_errmsg(table->database));
}

static bool prepare_all(struct ct_sqlite_table *table, const char *path, struct error *error) {
    for (int i = 0; i < STATEMENT_COUNT; i++)
        if (sqlite3_prepare_v3(table->database, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &table->statements[i], NULL) != SQLITE_OK)
            return error_set(error, "%.200s: expected a file of tables: SQLite: %.200s", path,
                             sqlite3_errmsg(table->database));
    return true;
}

static bool open_connection(struct ct_sqlite_table *table, const struct ct_sqlite_options *options,
                            struct error *error) {
    const char *path = options->path;
    size_t length = options->name ? strlen(options->name) : 1;
    if (length == 0 || length > NAME_BYTES_MAX)
        return error_set(error, "table '%.100s': expected a name of 1 to %d bytes", options->name,
                         NAME_BYTES_MAX);
    if (sqlite3_open_v2(path, &table->database,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        options->is_relaxed ? log_file_system() : NULL) != SQLITE_OK)
        return error_set(error, "%.200s: cannot open it: %.200s", path,
                         sqlite3_errmsg(table->database));
    sqlite3_extended_result_codes(table->database, 1);
    // No commit's sync gets through: a machine that fails may lose the last ones, and the file is
    // whole.
    if (options->is_relaxed && log_file_begin(table->database) != SQLITE_OK)
        return error_set(error, "%.200s: cannot write its log: SQLite: %.200s", path,
                         sqlite3_errmsg(table->database));
    sqlite3_int64 version = 0;
    // Opening waits longer than a batch may: several processes that begin together all get there.
    table->busy_ms = OPEN_MS;
    sqlite3_busy_handler(table->database, on_busy, table);
    if (!run(table->database, path, "PRAGMA user_version", &version, error) ||
        (version == 0 && !make_file(table->database, path, error)) ||
        !check_kind(table->database, path, error) ||
        !run(table->database, path, "PRAGMA synchronous = FULL", NULL, error) ||
        (options->batch_operations > 0 &&
         !run(table->database, path, "PRAGMA wal_autocheckpoint = " TEXT(LOG_PAGES_BULK), NULL,
              error)) ||
        !read_prefix(table, path, error) || !prepare_all(table, path, error) ||
        (options->name && !name_table(table, path, options->name, error)))
        return false;
    table->busy_ms = options->busy_ms;
    return true;
}

static void close_table(struct ct_table *interface) {
    struct ct_sqlite_table *table = (struct ct_sqlite_table *)interface;
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(table->statements[i]);
    if (table->database && !sqlite3_get_autocommit(table->database))
        sqlite3_exec(table->database, "ROLLBACK", NULL, NULL, NULL);
    int code = sqlite3_close(table->database);
    ASSERT(code == SQLITE_OK); // no statement of it is left
    reading_free_spare(table);
    pthread_cond_destroy(&table->news);
    free(table);
}

static struct ct_table_limits limits(struct ct_table *interface) {
    const struct ct_sqlite_table *table = (struct ct_sqlite_table *)interface;
    bool takes_more = table->rules.operations > ct_service_rules.operations;
    return (struct ct_table_limits){.batch_operations = takes_more ? table->rules.operations : 0};
}

static const struct ct_table_ops table_ops = {
    .version = CT_TABLE_VERSION,
    .limits = limits,
    .execute = sqlite_table_execute,
    .execute_all = sqlite_table_execute_all,
    .query = sqlite_table_query,
    .open_stream = sqlite_table_open_stream,
    .close = close_table,
};

static void init_news(pthread_cond_t *news) {
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(news, &attributes);
    pthread_condattr_destroy(&attributes);
}

struct ct_sqlite_table *ct_sqlite_open(const struct ct_sqlite_options *options,
                                       struct error *error) {
    struct ct_sqlite_table *table = calloc(1, sizeof *table);
    if (!table) {
        error_set(error, "%.200s: out of memory", options->path);
        return NULL;
    }
    table->table.ops = &table_ops;
    table->deadline = HUGE_VAL;
    table->rules = ct_service_rules;
    table->log_pages_due = options->batch_operations > 0 ? LOG_PAGES_BULK : LOG_PAGES;
    init_news(&table->news);
    if (options->batch_operations > 0) {
        table->rules.operations = options->batch_operations;
        // So many rows of the largest size: a bulk writer's batch is bounded by its rows alone.
        table->rules.batch_bytes = options->batch_operations * ct_service_rules.row_bytes;
    }
    if (open_connection(table, options, error))
        return table;
    close_table(&table->table);
    return NULL;
}

struct ct_table *ct_sqlite_interface(struct ct_sqlite_table *table) {
    return &table->table;
}

void ct_sqlite_set_deadline(struct ct_sqlite_table *table, double seconds) {
    table->deadline = seconds;
}
