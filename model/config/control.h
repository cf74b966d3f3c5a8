// The control table: where the configuration of a migration lives while its processes come and go.
//
// Any chain table; one partition per migration, in it a row "config" and one row for each client
// process. Nobody compares clocks: a row's age is counted by whoever watches it, from when they
// first saw its present ETag.
#ifndef MODEL_CONFIG_CONTROL_H
#define MODEL_CONFIG_CONTROL_H

#include "model/config/config.h"
#include "model/config/guard.h"

struct mt_control {
    struct mt_guard guard;
    struct mt_lease bound; // of the requests that follow (see mt_control_until)
    const char *migration; // the partition
};

// The row "config". Strings read are in the arena of the call.
struct mt_control_config {
    int32_t version; // grows by one with each push
    enum mt_state state;
    const char *holder; // id of the migrator; "": none
    int32_t beat;       // of the holder
    int32_t lease_ms;
    int32_t request_ms;   // for how long a request may be under way, its deadline passed or not
    bool has_ended;       // the migration is over: clean-up has ended, or it was undone
    const char *progress; // of the migrator, for people
    const char *old_name, *new_name; // of the tables, as whoever opens them reads them
    const char *etag;
};

// The row of a client.
struct mt_control_client {
    const char *id;
    int32_t version; // acknowledged: none of its calls is in an earlier one; 0: none
    int32_t beat;
    const char *about; // for people: host, process
    const char *etag;
};

struct mt_control_clients {
    struct mt_control_client *clients;
    size_t count;
};

// [table] must be this object's alone, for one thread at a time.
void mt_control_init(struct mt_control *control, struct ct_env *env, const struct mt_bounded *table,
                     const char *migration, struct bug_set *bugs);

// Requests from now on end at [time] of the env's clock, and each after [request] at the latest.
void mt_control_until(struct mt_control *control, uint64_t time, uint64_t request);

// All of the following return success, a storage error (404: there is no such row, 409: there is
// one, 412: it has changed; CT_STATUS_SERVER_ERROR: nothing was done, and nothing will be) or an
// internal error. Of a write whose answer was lost they read what became of it: the beat tells. If
// that cannot be read either it is CT_UNKNOWN: the row is for good as it was, or as it was written.
// Whoever writes it again reads it first, else two different writes would have the same beat.

struct ct_outcome mt_control_read_config(struct mt_control *control, struct arena *arena,
                                         struct mt_control_config *config);

// Inserts it if its [etag] is NULL, else replaces the row of that ETag. Sets the new one.
struct ct_outcome mt_control_write_config(struct mt_control *control, struct arena *arena,
                                          struct mt_control_config *config);

struct ct_outcome mt_control_read_clients(struct mt_control *control, struct arena *arena,
                                          struct mt_control_clients *clients);
struct ct_outcome mt_control_read_client(struct mt_control *control, struct arena *arena,
                                         const char *id, struct mt_control_client *client);
struct ct_outcome mt_control_write_client(struct mt_control *control, struct arena *arena,
                                          struct mt_control_client *client);

// If it has the ETag, or any (CT_ANY_ETAG).
struct ct_outcome mt_control_delete_client(struct mt_control *control, struct arena *arena,
                                           const struct mt_control_client *client);

// Of milliseconds.
static inline uint64_t mt_nanoseconds(int32_t milliseconds) {
    return (uint64_t)milliseconds * 1000000;
}

#endif
