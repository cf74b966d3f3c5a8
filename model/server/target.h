// What a request's URL names. Internal to model/server.
#ifndef MODEL_SERVER_TARGET_H
#define MODEL_SERVER_TARGET_H

#include "model/table/table.h"
#include "model/wire/error.h"
#include "model/wire/message.h"

enum target_kind {
    TARGET_SERVICE, // the account itself
    TARGET_TABLES,
    TARGET_TABLE, // Tables('name')
    TARGET_BATCH,
    TARGET_ENTITIES, // name or name()
    TARGET_ENTITY,   // name(PartitionKey='p',RowKey='r')
};

struct target {
    enum target_kind kind;
    const char *account;
    const char *path; // as it was sent
    const char *table;
    struct ct_key key;
    struct wire_headers query; // names and values, decoded
};

// Parses a path and query as they were sent, or a whole URL, whose begin is then ignored.
enum wire_error target_parse(struct arena *arena, const char *text, struct target *target);

// The value of a query parameter, or NULL. Names are equal without case.
const char *target_query(const struct target *target, const char *name);

// Whether the service would let a table be named so.
enum wire_error target_check_name(const char *name);

#endif
