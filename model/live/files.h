// Tables as the parts of a migration need them: in SQLite files, or at accounts of a service.
// Internal to model/live.
//
// A place is the path of an SQLite file, or an account's ("account:FILE", "environment:NAME":
// accounts.h); a table is "PLACE#TABLE", in which the last '#' divides.
#ifndef MODEL_LIVE_FILES_H
#define MODEL_LIVE_FILES_H

#include "core/base/text.h"
#include "model/config/control.h"
#include "model/posix/thread_env.h"
#include "model/sqlite/sqlite_table.h"

enum { FILES_ARENA_BYTES = 64 << 20, FILES_BUSY_MS = 2000, FILES_BATCH_ROWS = 10000 };

// The table in the control file, or at its account, that holds control rows.
#define FILES_CONTROL_TABLE "mtable_control"
#define ACCOUNTS_CONTROL_TABLE "mtablecontrol"

// A connection, and what bounds its requests.
struct file_connection {
    struct ct_table *table; // NULL: closed
    struct mt_bounded bounded;
};

// Opens the table [name]. [is_bulk]: for many rows; in a file up to FILES_BATCH_ROWS in a batch,
// and answers come before the disk has it. False with a one-line error.
bool file_open_named(struct file_connection *connection, const char *name, bool is_bulk,
                     struct error *error);

// Batches of this process for the file of [connection] take turns by [turn], which outlives it;
// those for an account go side by side.
void file_take_turns(struct file_connection *connection, struct ct_sqlite_turn *turn);

// The name of the table [name] with the absolute path of its file, which must be there; in [arena].
// NULL with a one-line error.
const char *file_resolve(struct arena *arena, const char *name, struct error *error);

// The control table at the place [path].
bool file_open_control(struct file_connection *connection, const char *path, struct error *error);

// For how long after its deadline a request to the table or place [name] may have an effect: 0 of
// files, which look at the clock with the lock held.
uint32_t file_late_ms(const char *name);

void file_close(struct file_connection *connection);

// A migration as its control table knows it.
struct file_migration {
    struct file_connection *control; // opened by file_open_control
    struct thread_env *env;          // of whoever asks
    const char *path;                // the place of the control table, for errors
    const char *name;                // of the migration
};

// The control row of [migration]; strings are in [arena]. False with a one-line error: there is
// none, or the file failed.
bool file_read_config(const struct file_migration *migration, struct arena *arena,
                      struct mt_control_config *config, struct error *error);

#endif
