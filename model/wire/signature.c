#define OPENSSL_SUPPRESS_DEPRECATED // the plain functions of a hash
#include "model/wire/signature.h"

#include "model/wire/encoding.h"
#include "model/wire/out.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

enum { HASH_BYTES = SHA256_DIGEST_LENGTH, BLOCK_BYTES = SHA256_CBLOCK };

_Static_assert(WIRE_SIGNATURE_SIZE == WIRE_BASE64_SIZE(HASH_BYTES), "a signature's text");

bool wire_key_read(const char *base64, struct wire_key *key) {
    size_t length = strlen(base64);
    return length > 0 && length <= WIRE_KEY_BYTES_MAX / 3 * 4 &&
           wire_base64_read(base64, length, key->bytes, &key->size);
}

// The hash of [block], of which each byte is changed by [mask], and [bytes] behind it.
static void hash_masked(const unsigned char block[BLOCK_BYTES], unsigned char mask,
                        const void *bytes, size_t size, unsigned char hash[HASH_BYTES]) {
    unsigned char masked[BLOCK_BYTES];
    SHA256_CTX context;
    for (size_t i = 0; i < BLOCK_BYTES; i++)
        masked[i] = block[i] ^ mask;
    SHA256_Init(&context);
    SHA256_Update(&context, masked, sizeof masked);
    SHA256_Update(&context, bytes, size);
    SHA256_Final(hash, &context);
}

// HMAC (RFC 2104) over the plain functions of the hash. The library's own is found by its name each
// time, among all that it could do: for that it keeps 2 MB, and takes five times as long.
void wire_sign(const struct wire_key *key, const char *text, char signature[WIRE_SIGNATURE_SIZE]) {
    unsigned char block[BLOCK_BYTES] = {0}, hash[HASH_BYTES];
    SHA256_CTX context;
    if (key->size <= BLOCK_BYTES) {
        memcpy(block, key->bytes, key->size);
    } else {
        SHA256_Init(&context);
        SHA256_Update(&context, key->bytes, key->size);
        SHA256_Final(block, &context);
    }
    hash_masked(block, 0x36, text, strlen(text), hash);
    hash_masked(block, 0x5c, hash, HASH_BYTES, hash);
    wire_base64(hash, HASH_BYTES, signature);
}

// A comparison that ends at the first difference would tell, by its time, how much of a guess is
// right.
bool wire_is_signed(const struct wire_key *key, const char *text, const char *claimed) {
    char signature[WIRE_SIGNATURE_SIZE];
    wire_sign(key, text, signature);
    return strlen(claimed) == WIRE_SIGNATURE_SIZE - 1 &&
           CRYPTO_memcmp(signature, claimed, WIRE_SIGNATURE_SIZE - 1) == 0;
}

// "/account/path?comp=..."
static void add_resource(struct wire_out *out, const struct wire_signed *parts) {
    WIRE_ADD(out, "/", parts->account, parts->path);
    if (parts->comp)
        WIRE_ADD(out, "?comp=", parts->comp);
}

const char *wire_shared_key_text(struct arena *arena, const struct wire_signed *parts) {
    struct wire_out out = {.arena = arena};
    WIRE_ADD(&out, parts->verb, "\n", parts->content_md5, "\n", parts->content_type, "\n",
             parts->date, "\n");
    add_resource(&out, parts);
    return wire_text(&out);
}

const char *wire_shared_key_lite_text(struct arena *arena, const struct wire_signed *parts) {
    struct wire_out out = {.arena = arena};
    WIRE_ADD(&out, parts->date, "\n");
    add_resource(&out, parts);
    return wire_text(&out);
}

// An absent parameter is an empty line: each has its place.
static void add_lines(struct wire_out *out, const char *const *lines, size_t count) {
    for (size_t i = 0; i < count; i++)
        WIRE_ADD(out, i ? "\n" : "", lines[i] ? lines[i] : "");
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
    // In the order of the documentation: one line that is elsewhere, and no signature is right.
    const char *const lines[] = {account, sas->sp,  sas->ss,  sas->srt, sas->st,
                                 sas->se, sas->sip, sas->spr, sas->sv};
    add_lines(&out, lines, sizeof lines / sizeof lines[0]);
    // Since 2020-12-06 there is a line for the encryption scope.
    if (sas->sv && strcmp(sas->sv, "2020-12-06") >= 0)
        wire_add_format(&out, "\n%s", sas->ses ? sas->ses : "");
    wire_add(&out, "\n");
    return wire_text(&out);
}
