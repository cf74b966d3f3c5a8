// A chain table at an Azure Table service: the real one, an emulator, or mtable serve.
//
// Every request has a deadline: [request_ms] after it begins, or an earlier one that was set. With
// an account's key the service itself sees to it: a write carries a signature that ends then, by
// the service's clock, which is known from its answers. So a batch whose answer is lost is
// CT_UNKNOWN when the deadline has passed, and has no effect any more. With a shared access
// signature alone that cannot be: then [request_ms] must be longer than the network ever holds a
// request back.
//
// Requests are made again only where nothing was done: no connection, or the service is busy; until
// the deadline. Connections are kept. An instance serves one thread at a time.
//
// A query is one page, at most 1,000 rows: more are CT_ERROR_NOT_ONE_INSTANT. A DeleteIfExists
// stands alone in its batch (CT_ERROR_CANNOT_ASSERT_ABSENCE).
#ifndef MODEL_AZURE_AZURE_TABLE_H
#define MODEL_AZURE_AZURE_TABLE_H

#include "core/base/text.h"
#include "model/azure/account.h"
#include "model/table/table.h"

struct ct_azure_table;

enum {
    CT_AZURE_REQUEST_MS_MIN = 3000
}; // signatures end in whole seconds, and clocks are told in them

struct ct_azure_options {
    const struct ct_azure_account *account; // copied
    const char *name;                       // of the table
    bool creates;                           // the table if it is not there
    unsigned request_ms;                    // 0: 10,000
    // For how long after its deadline a write that the service has taken up in time may have an
    // effect: it is asked to give up before (timeout=), and CT_UNKNOWN is told so much later. 0:
    // none, as of mtable serve, which looks at the deadline with the lock held.
    unsigned late_ms;
};

// Opens a table; asks the service for its clock. NULL and a one-line error if that cannot be.
struct ct_azure_table *ct_azure_open(const struct ct_azure_options *options, struct error *error);

// The interface of the table; its ct_close ends the connection.
struct ct_table *ct_azure_interface(struct ct_azure_table *table);

// Requests from now on have no effect at or after [seconds] of clock_seconds(). HUGE_VAL: no
// deadline but that of each request, as at first.
void ct_azure_set_deadline(struct ct_azure_table *table, double seconds);

// Deletes the table at the service, for tests and tools. Whether it is gone.
bool ct_azure_drop(struct ct_azure_table *table, struct error *error);

#endif
