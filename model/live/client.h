// An application process that takes part in a migration: opens the tables that the control file
// names, holds the lease, and gives each thread the virtual table.
#ifndef MODEL_LIVE_CLIENT_H
#define MODEL_LIVE_CLIENT_H

#include "core/base/text.h"
#include "model/table/table.h"

struct bug_set;
struct live_client;

// Registers the process in the migration [name] of the place [control] and keeps its lease in a
// thread of its own. NULL with a one-line error.
struct live_client *live_client_open(const char *control, const char *name, struct error *error);

// The same with injected bugs, or NULL, which the caller keeps: for those who test the testers.
struct live_client *live_client_open_with(const char *control, const char *name,
                                          struct bug_set *bugs, struct error *error);

// A virtual table for the calling thread: connections of its own. Closed with ct_close. NULL with a
// one-line error. Calls fail with CT_STATUS_SERVER_ERROR while the process is not registered.
struct ct_table *live_client_table(struct live_client *client, struct error *error);

// The version of the configuration that the process has come to, for logs.
int live_client_version(struct live_client *client);

// Signs off. All its tables have been closed.
void live_client_close(struct live_client *client);

#endif
