// All tables of an SQLite file as what stands behind an endpoint.
#ifndef MODEL_COMMAND_SQLITE_STORE_H
#define MODEL_COMMAND_SQLITE_STORE_H

#include "model/server/store.h"
#include "model/sqlite/sqlite_table.h"

#include <pthread.h>

// Where the writers of a process wait for each other. SQLite lets one of them have the file, and
// the others look again every millisecond, in no order; here each goes on as soon as it can.
struct sqlite_line {
    pthread_mutex_t mutex;
    // How long one waits here before a write fails with CT_STATUS_SERVER_ERROR; for those of other
    // processes it waits after that, as [busy_ms] of the options says.
    unsigned wait_ms;
};

// [options] has no name of a table. NULL and a one-line error as of ct_sqlite_open.
struct server_store *sqlite_store_open(const struct ct_sqlite_options *options,
                                       struct error *error);

// The same of one of several stores of a file, whose writers wait in [line].
struct server_store *sqlite_store_open_in(const struct ct_sqlite_options *options,
                                          struct sqlite_line *line, struct error *error);

#endif
