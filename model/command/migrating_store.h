// Tables that migrate while they are served, beside those that do not.
//
// The process takes part in each migration as any other application does (model/live/client.h): it
// holds a lease, and is told of each new state. While it has no lease, calls fail as not done.
#ifndef MODEL_COMMAND_MIGRATING_STORE_H
#define MODEL_COMMAND_MIGRATING_STORE_H

#include "core/base/text.h"
#include "model/server/store.h"

struct bug_set;
struct migrating_tables;

// Reads "TABLE=CONTROL#MIGRATION ...", blanks between: the name under which the virtual table is
// served, the file of the migration's state and its name there. NULL with a one-line error if it is
// something else.
struct migrating_tables *migrating_tables_read(const char *text, struct error *error);

// Registers the process in each migration, with injected bugs, or NULL, which the caller keeps.
// False with a one-line error; they are to be closed.
bool migrating_tables_join(struct migrating_tables *tables, struct bug_set *bugs,
                           struct error *error);

// Signs off. All stores have been closed.
void migrating_tables_close(struct migrating_tables *tables);

// A store of one thread: its own instances of [tables], which were joined, and what else is in
// [others]. A virtual table hides one of the same name there, cannot be made anew, and dropping it
// is refused with CT_STATUS_BAD_REQUEST. [others] is the store's from now on, also if this fails:
// NULL with a one-line error.
struct server_store *migrating_store_open(const struct migrating_tables *tables,
                                          struct server_store *others, struct error *error);

#endif
