// The table calls of servers and worker.
#ifndef MODEL_SCHEMA_ACCESS_H
#define MODEL_SCHEMA_ACCESS_H

#include "model/schema/entry.h"

// Outcomes.
struct su_outcome su_done(void);
struct su_outcome su_unreadable(const char *property);
struct su_outcome su_failed(struct ct_outcome cause);

// What the server has observed so far; and: what it does from now on depends on nothing observed
// since [mark] but [place] and [value] (struct ct_env_ops).
struct digest su_observed(const struct su_server *server);
void su_forget(const struct su_server *server, struct digest mark, const char *place,
               uint64_t value);

// Retrieves the entry with [key] as an atomic query of one row: SU_DONE, SU_NOT_FOUND or
// SU_UNREADABLE.
struct su_outcome su_retrieve(struct su_server *server, const char *key, struct su_entry *entry);

// Writes the whole of what the release knows of [entry], replacing or merging as it does, if the
// stored entry has the ETag [if_match].
struct ct_outcome su_store(struct su_server *server, const struct su_entry *entry,
                           const char *if_match);

// Scans the table and calls [act] for each entry as soon as it is read, until that is not SU_DONE.
struct su_outcome su_for_each(struct su_server *server,
                              struct su_outcome (*act)(void *context, struct su_entry *entry),
                              void *context);

// Executes one operation.
struct ct_outcome su_execute(struct su_server *server, enum ct_op_type type, struct ct_row *row);

#endif
