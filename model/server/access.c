#include "model/server/access.h"

#include "model/table/value.h"
#include "model/wire/encoding.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { SKEW_SECONDS = 15 * 60 };

// ---- The account's key -------------------------------------------------------------------------

static const char *or_empty(const char *text) {
    return text ? text : "";
}

// A request that somebody has recorded cannot be sent again later than that.
static bool is_timely(const char *date, int64_t now) {
    int64_t sent;
    return wire_date_read(date, &sent) && now - sent <= SKEW_SECONDS * WIRE_TICKS &&
           sent - now <= SKEW_SECONDS * WIRE_TICKS;
}

// "SharedKey account:signature" or "SharedKeyLite account:signature".
static enum wire_error check_key(const struct server_account *account,
                                 const struct server_request *request, const struct target *target,
                                 const char *authorization, struct arena *arena) {
    bool is_lite = strncmp(authorization, "SharedKeyLite ", 14) == 0;
    if (!is_lite && strncmp(authorization, "SharedKey ", 10) != 0)
        return WIRE_AUTHENTICATION;
    const char *name = authorization + (is_lite ? 14 : 10);
    const char *colon = strchr(name, ':');
    size_t length = strlen(account->name);
    if (!colon || (size_t)(colon - name) != length || memcmp(name, account->name, length) != 0)
        return WIRE_AUTHENTICATION;
    const char *date = wire_header(&request->headers, "x-ms-date");
    // The first counts if there are both: many libraries of HTTP write the second by themselves.
    date = or_empty(date ? date : wire_header(&request->headers, "Date"));
    struct wire_signed parts = {
        .verb = request->method,
        .content_md5 = or_empty(wire_header(&request->headers, "Content-MD5")),
        .content_type = or_empty(wire_header(&request->headers, "Content-Type")),
        .date = date,
        .account = account->name,
        .path = target->path,
        .comp = target_query(target, "comp"),
    };
    const char *text =
        is_lite ? wire_shared_key_lite_text(arena, &parts) : wire_shared_key_text(arena, &parts);
    // Which of the two it was is not told.
    return is_timely(date, request->now) && wire_is_signed(&account->key, text, colon + 1)
               ? WIRE_OK
               : WIRE_AUTHENTICATION;
}

// ---- Shared access signatures ------------------------------------------------------------------

static struct wire_sas sas_of(const struct target *target) {
    struct wire_sas sas = {.sig = target_query(target, "sig")};
    sas.sv = target_query(target, "sv");
    sas.sp = target_query(target, "sp");
    sas.st = target_query(target, "st");
    sas.se = target_query(target, "se");
    sas.si = target_query(target, "si");
    sas.sip = target_query(target, "sip");
    sas.spr = target_query(target, "spr");
    sas.tn = target_query(target, "tn");
    sas.spk = target_query(target, "spk");
    sas.srk = target_query(target, "srk");
    sas.epk = target_query(target, "epk");
    sas.erk = target_query(target, "erk");
    sas.ss = target_query(target, "ss");
    sas.srt = target_query(target, "srt");
    sas.ses = target_query(target, "ses");
    return sas;
}

// What nobody looks at here is refused, not ignored: stored policies, ranges of addresses and keys,
// and signatures for https alone.
static bool is_understood(const struct wire_sas *sas) {
    bool has_protocol = !sas->spr || strstr(sas->spr, "http,") || strstr(sas->spr, ",http") ||
                        strcmp(sas->spr, "http") == 0;
    return !sas->si && !sas->sip && !sas->spk && !sas->srk && !sas->epk && !sas->erk &&
           has_protocol;
}

// A time, or a day alone.
static bool read_time(const char *text, int64_t *ticks) {
    char time[CT_TICKS_TEXT];
    size_t length = strlen(text);
    // All other forms are longer, or none.
    if (length != strlen("2026-11-22"))
        return ct_ticks_parse(text, length, ticks);
    int size = snprintf(time, sizeof time, "%sT00:00:00Z", text);
    return ct_ticks_parse(time, (size_t)size, ticks);
}

// Whether a parameter is there twice: two readers may then take it for different things.
static bool has_doubles(const struct wire_headers *query) {
    for (size_t i = 0; i < query->count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcasecmp(query->list[i].name, query->list[k].name) == 0)
                return true;
    return false;
}

static enum wire_error check_sas(const struct server_account *account, int64_t now,
                                 struct arena *arena, struct access *access) {
    const struct wire_sas *sas = &access->sas;
    int64_t start = INT64_MIN;
    access->is_for_account = sas->ss || sas->srt;
    // What a stored policy may say in their place must be here, for there are no such policies.
    if (!sas->sv || !sas->sp || !sas->se || !is_understood(sas) ||
        (!access->is_for_account && !sas->tn))
        return WIRE_AUTHENTICATION;
    const char *text = access->is_for_account ? wire_account_sas_text(arena, account->name, sas)
                                              : wire_table_sas_text(arena, account->name, sas);
    if (!wire_is_signed(&account->key, text, sas->sig) || !read_time(sas->se, &access->end) ||
        (sas->st && *sas->st && !read_time(sas->st, &start)))
        return WIRE_AUTHENTICATION;
    return now >= start && now <= access->end ? WIRE_OK : WIRE_AUTHENTICATION;
}

enum wire_error access_check(const struct server_account *account,
                             const struct server_request *request, const struct target *target,
                             struct arena *arena, struct access *access) {
    const char *authorization = wire_header(&request->headers, "Authorization");
    memset(access, 0, sizeof *access);
    access->end = INT64_MAX;
    // Before any signature is looked at: it would be of another account's key.
    if (strcmp(target->account, account->name) != 0)
        return WIRE_AUTHENTICATION;
    // A key that is wrong and a signature that is right: the signature counts.
    access->is_owner =
        authorization && check_key(account, request, target, authorization, arena) == WIRE_OK;
    if (access->is_owner)
        return WIRE_OK;
    access->sas = sas_of(target);
    if (!access->sas.sig || has_doubles(&target->query))
        return WIRE_AUTHENTICATION;
    return check_sas(account, request->now, arena, access);
}

// ---- Permissions -------------------------------------------------------------------------------

// The letter of [target] among an account signature's resource types.
static char type_of(const struct target *target) {
    switch (target->kind) {
    case TARGET_SERVICE:
        return 's';
    case TARGET_TABLES:
    case TARGET_TABLE:
        return 'c';
    case TARGET_BATCH:
    case TARGET_ENTITIES:
    case TARGET_ENTITY:
        break;
    }
    return 'o';
}

enum wire_error access_permits(const struct access *access, const struct target *target,
                               const char *permissions) {
    const struct wire_sas *sas = &access->sas;
    if (access->is_owner)
        return WIRE_OK;
    if (access->is_for_account) {
        // "ss" names services and "srt" types of resources, a letter each.
        // 't' is the table service; a signature for others is none here.
        if (!sas->ss || !strchr(sas->ss, 't') || !sas->srt || !strchr(sas->srt, type_of(target)))
            return WIRE_RESOURCE;
    } else if (type_of(target) != 'o' || !target->table ||
               strcasecmp(target->table, sas->tn) != 0) {
        return WIRE_RESOURCE;
    }
    for (const char *letter = permissions; *letter; letter++)
        if (!strchr(sas->sp, *letter))
            return WIRE_PERMISSION;
    return WIRE_OK;
}
