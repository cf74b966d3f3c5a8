#include "model/wire/signature.h"

#include "model/wire/encoding.h"
#include "model/wire/out.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum { HASH_BYTES = 32 };

_Static_assert(WIRE_SIGNATURE_SIZE == WIRE_BASE64_SIZE(HASH_BYTES), "a signature's text");

bool wire_key_read(const char *base64, struct wire_key *key) {
    size_t length = strlen(base64);
    return length > 0 && length <= WIRE_KEY_BYTES_MAX / 3 * 4 &&
           wire_base64_read(base64, length, key->bytes, &key->size);
}

void wire_sign(const struct wire_key *key, const char *text, char signature[WIRE_SIGNATURE_SIZE]) {
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    const unsigned char *made = HMAC(EVP_sha256(), key->bytes, (int)key->size,
                                     (const unsigned char *)text, strlen(text), hash, &size);
    ASSERT(made && size == HASH_BYTES);
    wire_base64(hash, HASH_BYTES, signature);
}

bool wire_is_signed(const struct wire_key *key, const char *text, const char *claimed) {
    char signature[WIRE_SIGNATURE_SIZE];
    wire_sign(key, text, signature);
    return strlen(claimed) == WIRE_SIGNATURE_SIZE - 1 &&
           CRYPTO_memcmp(signature, claimed, WIRE_SIGNATURE_SIZE - 1) == 0;
}

// "/account/path?comp=..."
static void add_resource(struct wire_out *out, const struct wire_signed *parts) {
    wire_add_format(out, "/%s%s", parts->account, parts->path);
    if (parts->comp)
        wire_add_format(out, "?comp=%s", parts->comp);
}

const char *wire_shared_key_text(struct arena *arena, const struct wire_signed *parts) {
    struct wire_out out = {.arena = arena};
    wire_add_format(&out, "%s\n%s\n%s\n%s\n", parts->verb, parts->content_md5, parts->content_type,
                    parts->date);
    add_resource(&out, parts);
    return wire_text(&out);
}

const char *wire_shared_key_lite_text(struct arena *arena, const struct wire_signed *parts) {
    struct wire_out out = {.arena = arena};
    wire_add_format(&out, "%s\n", parts->date);
    add_resource(&out, parts);
    return wire_text(&out);
}

static void add_lines(struct wire_out *out, const char *const *lines, size_t count) {
    for (size_t i = 0; i < count; i++)
        wire_add_format(out, "%s%s", i ? "\n" : "", lines[i] ? lines[i] : "");
}

const char *wire_table_sas_text(struct arena *arena, const char *account,
                                const struct wire_sas *sas) {
    struct wire_out resource = {.arena = arena}, out = {.arena = arena};
    wire_add_format(&resource, "/table/%s/%s", account, sas->tn ? sas->tn : "");
    for (char *at = resource.data; *at; at++) // names are compared without case
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20) : *at;
    const char *const lines[] = {sas->sp,  sas->st, sas->se,  resource.data, sas->si,  sas->sip,
                                 sas->spr, sas->sv, sas->spk, sas->srk,      sas->epk, sas->erk};
    add_lines(&out, lines, sizeof lines / sizeof lines[0]);
    return wire_text(&out);
}

const char *wire_account_sas_text(struct arena *arena, const char *account,
                                  const struct wire_sas *sas) {
    struct wire_out out = {.arena = arena};
    const char *const lines[] = {account, sas->sp,  sas->ss,  sas->srt, sas->st,
                                 sas->se, sas->sip, sas->spr, sas->sv};
    add_lines(&out, lines, sizeof lines / sizeof lines[0]);
    // Since 2020-12-06 there is a line for the encryption scope.
    if (sas->sv && strcmp(sas->sv, "2020-12-06") >= 0)
        wire_add_format(&out, "\n%s", sas->ses ? sas->ses : "");
    wire_add(&out, "\n");
    return wire_text(&out);
}
