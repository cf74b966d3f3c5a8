// Who sends a request: signatures under an account's key, and the texts that they sign.
//
// The texts are those of "Authorize with Shared Key" (its table service formats), "Create a service
// SAS" and "Create an account SAS" of the service's documentation.
#ifndef MODEL_WIRE_SIGNATURE_H
#define MODEL_WIRE_SIGNATURE_H

#include "core/base/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { WIRE_KEY_BYTES_MAX = 256, WIRE_SIGNATURE_SIZE = 45 };

struct wire_key {
    unsigned char bytes[WIRE_KEY_BYTES_MAX];
    size_t size; // at least 1
};

// Reads an account's key from base64.
bool wire_key_read(const char *base64, struct wire_key *key);

// The signature of [text]: HMAC-SHA256 in base64, NUL-terminated.
void wire_sign(const struct wire_key *key, const char *text, char signature[WIRE_SIGNATURE_SIZE]);

// Whether [claimed] is the signature of [text], in a time that does not tell where they differ.
bool wire_is_signed(const struct wire_key *key, const char *text, const char *claimed);

// What a Shared Key signature covers. Texts that are absent are "".
struct wire_signed {
    const char *verb, *content_md5, *content_type;
    const char *date;    // of x-ms-date, or of Date
    const char *account; // whose key it is
    const char *path;    // as it was sent, with its percents, without the query
    const char *comp;    // the value of the query's "comp", or NULL
};

const char *wire_shared_key_text(struct arena *arena, const struct wire_signed *parts);
const char *wire_shared_key_lite_text(struct arena *arena, const struct wire_signed *parts);

// A shared access signature: its parameters, decoded; NULL where absent.
struct wire_sas {
    const char *sv, *sp, *st, *se, *si, *sip, *spr, *sig;
    const char *tn, *spk, *srk, *epk, *erk; // of one for a table
    const char *ss, *srt, *ses;             // of one for an account
};

const char *wire_table_sas_text(struct arena *arena, const char *account,
                                const struct wire_sas *sas);
const char *wire_account_sas_text(struct arena *arena, const char *account,
                                  const struct wire_sas *sas);

#endif
