// The tables of a file, by name: for one who serves them all over one connection.
//
// Names are compared without regard to the case of ASCII letters; two that differ in nothing else
// are the same table. Outcomes are those of a batch (sqlite_table.h).
#ifndef MODEL_SQLITE_CATALOG_H
#define MODEL_SQLITE_CATALOG_H

#include "model/sqlite/sqlite_table.h"

// From now on [table] is the one of that name; if there is none it stays as it was. Its streams
// have been closed. A batch on a table that was deleted since fails with CT_STATUS_NOT_FOUND,
// whatever its operations are; reads find nothing.
struct ct_outcome ct_sqlite_choose(struct ct_sqlite_table *table, const char *name,
                                   struct arena *arena, bool *is_there);

// From now on [table] is the one of that name, which lives as long; for whoever only writes: a
// batch looks for it in its transaction, and fails with CT_STATUS_NOT_FOUND if there is none,
// whatever its operations are. After one that did not the table is chosen.
void ct_sqlite_choose_to_write(struct ct_sqlite_table *table, const char *name);

// Makes a table of that name (1 to 255 bytes) unless there is one: [is_new] tells.
struct ct_outcome ct_sqlite_create(struct ct_sqlite_table *table, const char *name,
                                   struct arena *arena, bool *is_new);

// Deletes a table with its rows. What another connection has chosen then is no table any more, nor
// will it be another one.
struct ct_outcome ct_sqlite_drop(struct ct_sqlite_table *table, const char *name,
                                 struct arena *arena, bool *was_there);

// The names from [from] on, in their order, at most [most], in [arena].
struct ct_outcome ct_sqlite_names(struct ct_sqlite_table *table, const char *from, size_t most,
                                  struct arena *arena, const char *const **names, size_t *count);

#endif
