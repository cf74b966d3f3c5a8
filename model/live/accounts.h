// Tables at accounts of the Azure Table service, or of what speaks its protocol, as the parts of a
// migration name and open them. Internal to model/live.
//
// An account is named by where its connection string is, never by that string: "account:FILE", its
// first line (a file of mode 0600), or "environment:NAME", the environment variable NAME. So
// control rows, messages and lists of processes have no secret in them, and each process reads the
// string for itself.
#ifndef MODEL_LIVE_ACCOUNTS_H
#define MODEL_LIVE_ACCOUNTS_H

#include "core/base/arena.h"
#include "core/base/text.h"
#include "model/config/guard.h"

enum {
    // For how long after its deadline a request that the service has taken up in time may have an
    // effect: so long the service is asked to work on one at most.
    ACCOUNTS_LATE_MS = 5000,
    // Of a migration with such a table: half of it must be time for a request, whose signature ends
    // with a second of a clock that is known to a second.
    ACCOUNTS_LEASE_MS_MIN = 6000,
};

// Whether [place] names an account, and no file.
bool account_is_named(const char *place);

// Opens the table [name] at [place], and what bounds its requests; makes it if it is not there.
// NULL with a one-line error.
struct ct_table *account_open(const char *place, const char *name, struct mt_bounded *bounded,
                              struct error *error);

// [place] as every process of the machine can read it: with the absolute path of its file, which
// must be there; in [arena]. NULL with a one-line error.
const char *account_resolve(struct arena *arena, const char *place, struct error *error);

#endif
