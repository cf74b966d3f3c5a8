// All tables of an SQLite file as what stands behind an endpoint.
#ifndef MODEL_COMMAND_SQLITE_STORE_H
#define MODEL_COMMAND_SQLITE_STORE_H

#include "model/server/store.h"
#include "model/sqlite/sqlite_table.h"

// [options] has no name of a table. NULL and a one-line error as of ct_sqlite_open.
struct server_store *sqlite_store_open(const struct ct_sqlite_options *options,
                                       struct error *error);

// The same of one of several stores of a file, whose batches take turns by [turn].
struct server_store *sqlite_store_open_in(const struct ct_sqlite_options *options,
                                          struct ct_sqlite_turn *turn, struct error *error);

#endif
