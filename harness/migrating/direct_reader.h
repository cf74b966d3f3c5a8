// Direct readers: processes that read a backend table without a MigratingTable.
//
// Two promises make it possible to move one process after the other to and from the virtual table:
// in the first state the old table has the virtual table's rows, and after the migrator has
// returned the new one has, ETags included. Each read here is one instant, compared with the
// reference at that instant. A process may read the old table as long as it is itself in the first
// state. Others may be in PREFER_OLD by then, and their metadata rows cannot be hidden from it:
// they are a violation only while nobody has left the first state. Metadata in a row of data always
// is.
#ifndef HARNESS_MIGRATING_DIRECT_READER_H
#define HARNESS_MIGRATING_DIRECT_READER_H

#include "harness/migrating/app.h"

// Reads all rows of the old table that match [filter] (NULL: all), unless [app] has left the first
// state. One scheduling point. Direct delivery only, as the next.
void direct_read_old(struct app *app, const struct ct_filter *filter);

// The same with the new table, after waiting for the end of the migration.
void direct_read_new(struct app *app, const struct ct_filter *filter);

#endif
