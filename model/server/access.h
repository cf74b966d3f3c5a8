// Whether a request is allowed: keys, signatures, permissions. Internal to model/server.
#ifndef MODEL_SERVER_ACCESS_H
#define MODEL_SERVER_ACCESS_H

#include "model/server/service.h"
#include "model/server/target.h"

// What a request may do: letters of a shared access signature's permissions. Of the account's key:
// everything.
struct access {
    bool is_owner;
    bool is_for_account; // an account's SAS; else a table's
    struct wire_sas sas;
    int64_t end; // ticks: when the signature ends; INT64_MAX of a key
};

enum wire_error access_check(const struct server_account *account,
                             const struct server_request *request, const struct target *target,
                             struct arena *arena, struct access *access);

// Whether [access] covers all of the [permissions] on [target], which may be that of an operation
// in a batch.
enum wire_error access_permits(const struct access *access, const struct target *target,
                               const char *permissions);

#endif
