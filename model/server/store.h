// Tables by their names: what stands behind an endpoint.
//
// An instance serves one thread at a time, as its tables do. Names are compared without case; those
// that are given out are spelled as they were when the table was made.
#ifndef MODEL_SERVER_STORE_H
#define MODEL_SERVER_STORE_H

#include "model/table/table.h"

struct server_store;

// Of all outcomes: CT_SUCCEEDED, or that nothing was done (CT_STATUS_SERVER_ERROR), or CT_UNKNOWN,
// or CT_INTERNAL_ERROR.
struct server_store_ops {
    // The table of that name, NULL if there is none. It is the store's and stays open until the
    // store's next call. A batch on a table that has been deleted meanwhile fails with
    // CT_STATUS_NOT_FOUND whatever it asks for.
    struct ct_outcome (*find)(struct server_store *store, const char *name, struct arena *arena,
                              struct ct_table **table);
    // The same for whoever only writes: it need not look, and a batch on a table that is not there
    // fails with CT_STATUS_NOT_FOUND. [name] lives as long as the table. NULL: as [find].
    struct ct_outcome (*find_to_write)(struct server_store *store, const char *name,
                                       struct arena *arena, struct ct_table **table);
    // Makes a table, or says that there was one already. NULL here and in [drop]: this store's
    // tables are fixed.
    struct ct_outcome (*create)(struct server_store *store, const char *name, struct arena *arena,
                                bool *is_new);
    // Deletes a table with its rows, or says that there was none. CT_STATUS_BAD_REQUEST: that table
    // must stay.
    struct ct_outcome (*drop)(struct server_store *store, const char *name, struct arena *arena,
                              bool *was_there);
    // The names from [from] on in their order, without case, at most [most]; they are in [arena].
    struct ct_outcome (*list)(struct server_store *store, const char *from, size_t most,
                              struct arena *arena, const char *const **names, size_t *count);
    // Batches on the store's tables from now on have no effect at or after [seconds] of
    // clock_seconds(), and are CT_STATUS_SERVER_ERROR then; HUGE_VAL: no deadline. NULL: the
    // store's tables know none.
    void (*set_deadline)(struct server_store *store, double seconds);
    void (*close)(struct server_store *store);
};

struct server_store {
    const struct server_store_ops *ops;
};

static inline struct ct_outcome server_find_to_write(struct server_store *store, const char *name,
                                                     struct arena *arena, struct ct_table **table) {
    return (store->ops->find_to_write ? store->ops->find_to_write : store->ops->find)(store, name,
                                                                                      arena, table);
}

#endif
