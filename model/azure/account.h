// Where a service is and who asks: a connection string, read once.
//
// What is secret in it stays in here: no message says a key or a signature.
#ifndef MODEL_AZURE_ACCOUNT_H
#define MODEL_AZURE_ACCOUNT_H

#include "core/base/text.h"
#include "model/wire/signature.h"

enum { AZURE_ENDPOINT_BYTES = 512, AZURE_NAME_BYTES = 64, AZURE_SAS_BYTES = 2048 };

struct ct_azure_account {
    // "https://account.table.core.windows.net", no slash behind.
    char endpoint[AZURE_ENDPOINT_BYTES];
    char name[AZURE_NAME_BYTES];
    bool has_key; // else [sas] is all there is
    struct wire_key key;
    char sas[AZURE_SAS_BYTES]; // "sv=...&sig=...", without a question mark
};

// Reads "UseDevelopmentStorage=true", or "AccountName=...;AccountKey=...;TableEndpoint=...;" in any
// order, with SharedAccessSignature in place of the key, with EndpointSuffix and
// DefaultEndpointsProtocol in place of the endpoint. Without TLS only to this machine, unless
// [allows_http]. False with a one-line error.
bool ct_azure_account_read(struct ct_azure_account *account, const char *text, bool allows_http,
                           struct error *error);

// The same from the first line of a file, which nobody but its owner may read (mode 0600).
bool ct_azure_account_load(struct ct_azure_account *account, const char *path, bool allows_http,
                           struct error *error);

#endif
