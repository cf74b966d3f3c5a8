#define _POSIX_C_SOURCE 200809L
#include "model/azure/request.h"

#include "core/base/clock.h"
#include "core/base/grow.h"
#include "core/base/number.h"
#include "core/base/rng.h"
#include "model/table/error.h"
#include "model/table/value.h"
#include "model/wire/encoding.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum {
    BODY_BYTES_MAX = 256 << 20, // of an answer: a page of the largest rows is less than that
    CONNECTION_AGE_SECONDS = 3, // servers close what is idle for longer, maybe under a request
    FIRST_PAUSE_MS = 20,
    LAST_PAUSE_MS = 2000,
};

#define DRIFT 0.01  // how much faster or slower one clock may go than another
#define MARGIN 0.05 // seconds
#define API_VERSION "2019-02-02"

static void sleep_seconds(double seconds) {
    struct timespec time = {.tv_sec = (time_t)seconds};
    time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
    if (seconds > 0)
        nanosleep(&time, NULL);
}

// ---- The service's clock -----------------------------------------------------------------------

// The least that the service's clock can show at [seconds] of ours.
// The date was true when the answer was made, at [told_at] or before; our clock may have gone too
// fast since. Both errors make the result too early, never too late.
static int64_t server_ticks_at(const struct ct_azure_table *table, double seconds) {
    double passed = seconds - table->told_at;
    return table->server_ticks + (int64_t)(passed * (1 - DRIFT) * (double)WIRE_TICKS);
}

// An answer tells its clock. The later one counts, by what it says of the same moment: an answer
// that was under way for long says less.
static void note_clock(struct ct_azure_table *table) {
    const char *date = azure_header(table, "Date");
    int64_t ticks;
    double now = clock_seconds();
    if (!date || !wire_date_read(date, &ticks))
        return;
    if (table->told_at == 0 || ticks > server_ticks_at(table, now)) {
        table->server_ticks = ticks;
        table->told_at = now;
    }
}

// The last whole second, of the service's clock, that is over for sure at [deadline] of ours.
// Rounded down: signatures end with whole seconds. So a write has up to a second less than it
// might.
static int64_t expiry_of(const struct ct_azure_table *table, double deadline) {
    int64_t ticks = server_ticks_at(table, deadline - MARGIN);
    return ticks / WIRE_TICKS * WIRE_TICKS;
}

// ---- Signatures --------------------------------------------------------------------------------

static int64_t local_ticks(void) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (int64_t)now.tv_sec * WIRE_TICKS + now.tv_nsec / 100;
}

// The whole seconds that the service may work on a write: one at least.
// That is what "late" means: the signature is looked at when a write is taken up, not when it is
// done.
static unsigned seconds_of(const struct ct_azure_table *table) {
    return table->late_ms < 2000 ? 1 : table->late_ms / 1000;
}

static const char *url_of(const struct ct_azure_table *table, const struct azure_request *request,
                          const char *signature, struct arena *arena) {
    struct wire_out url = {.arena = arena};
    wire_add_format(&url, "%s/%s", table->account.endpoint, request->resource);
    if (request->query)
        wire_add_format(&url, "?%s", request->query);
    bool has_limit = request->is_write && table->late_ms > 0;
    if (has_limit)
        wire_add_format(&url, "%ctimeout=%u", request->query ? '&' : '?', seconds_of(table));
    if (signature)
        wire_add_format(&url, "%c%s", request->query || has_limit ? '&' : '?', signature);
    return wire_text(&url);
}

// A signature that ends when the request must be over. It is the account's: some services take a
// table's for single operations only.
static const char *ending_signature(const struct ct_azure_table *table, struct arena *arena) {
    char end[CT_TICKS_TEXT], signature[WIRE_SIGNATURE_SIZE];
    struct wire_out out = {.arena = arena};
    ct_ticks_format(table->expiry, end);
    // sp: read, add, update and delete; ss: the table service; srt: objects.
    struct wire_sas sas = {.sv = API_VERSION, .sp = "raud", .se = end, .ss = "t", .srt = "o"};
    wire_sign(&table->account.key, wire_account_sas_text(arena, table->account.name, &sas),
              signature);
    wire_add_format(&out, "sv=%s&ss=%s&srt=%s&sp=%s&se=", sas.sv, sas.ss, sas.srt, sas.sp);
    wire_add_percent(&out, end);
    wire_add(&out, "&sig=");
    wire_add_percent(&out, signature);
    return wire_text(&out);
}

// "Authorization: SharedKeyLite ..." and the date that it signs.
static struct curl_slist *add_key(struct curl_slist *list, const struct ct_azure_table *table,
                                  const struct azure_request *request, struct arena *arena) {
    char date[WIRE_DATE_SIZE], signature[WIRE_SIGNATURE_SIZE];
    // By the service's clock if it is known: ours may be wrong.
    wire_date(table->told_at == 0 ? local_ticks() : server_ticks_at(table, clock_seconds()), date);
    const char *host = strstr(table->account.endpoint, "://") + 3;
    const char *path = host + strcspn(host, "/");
    struct wire_signed parts = {.date = date,
                                .account = table->account.name,
                                .path = arena_printf(arena, "%s/%s", path, request->resource)};
    wire_sign(&table->account.key, wire_shared_key_lite_text(arena, &parts), signature);
    list = curl_slist_append(list, arena_printf(arena, "x-ms-date: %s", date));
    return curl_slist_append(list, arena_printf(arena, "Authorization: SharedKeyLite %s:%s",
                                                table->account.name, signature));
}

static struct curl_slist *headers_of(const struct ct_azure_table *table,
                                     const struct azure_request *request, struct arena *arena) {
    struct curl_slist *list = curl_slist_append(NULL, "x-ms-version: " API_VERSION);
    list = curl_slist_append(list, "DataServiceVersion: 3.0;NetFx");
    list = curl_slist_append(list, "Accept: application/json;odata=minimalmetadata");
    list = curl_slist_append(list, "Expect:"); // not to be asked before a body is sent
    if (request->content_type)
        list =
            curl_slist_append(list, arena_printf(arena, "Content-Type: %s", request->content_type));
    if (request->if_match)
        list = curl_slist_append(list, arena_printf(arena, "If-Match: %s", request->if_match));
    if (strcmp(request->method, "POST") == 0 && request->is_write)
        list = curl_slist_append(list, "Prefer: return-no-content");
    // A read needs no end: an answer that comes too late is not believed by whoever asked
    // (guard.h).
    if (table->account.has_key && !request->is_write)
        list = add_key(list, table, request, arena);
    return list;
}

// ---- What the library calls --------------------------------------------------------------------

static size_t take_header(char *text, size_t size, size_t count, void *context) {
    struct ct_azure_table *table = context;
    struct wire_message message;
    size_t bytes = size * count;
    // An answer may have several heads, of which the last one counts: "100 Continue" is one.
    if (bytes > 5 && memcmp(text, "HTTP/", 5) == 0) {
        table->headers.count = 0; // those of an answer before the last one
        table->has_head = false;
        return bytes;
    }
    if (bytes == 2 && memcmp(text, "\r\n", 2) == 0)
        table->has_head = true;
    if (table->headers.count < WIRE_HEADERS_MAX &&
        wire_message_read(&table->arena, text, bytes, false, &message) &&
        message.headers.count == 1)
        table->headers.list[table->headers.count++] = message.headers.list[0];
    return bytes;
}

static size_t take_body(char *text, size_t size, size_t count, void *context) {
    struct ct_azure_table *table = context;
    size_t bytes = size * count, needed = table->size + bytes + 1;
    // Less than was given ends the transfer: no answer then, rather than all memory.
    if (needed > BODY_BYTES_MAX)
        return 0;
    if (needed > table->capacity) {
        table->capacity = 2 * needed;
        table->body = grow_to(table->body, table->capacity, 1, "an answer");
    }
    memcpy(table->body + table->size, text, bytes);
    table->size += bytes;
    return bytes;
}

// A request that went out in part may have been done, one of which no head went out has not: that
// is what tells a lost answer from a refusal.
static int count_sent(CURL *curl, curl_infotype type, char *data, size_t size, void *context) {
    struct ct_azure_table *table = context;
    (void)curl;
    (void)data;
    (void)size;
    table->sent += type == CURLINFO_HEADER_OUT;
    return 0;
}

// On a connection that turns out to be closed the library sends a request once more over a new one,
// whatever it is: the first one may have been done. So there is no new one then.
static curl_socket_t open_socket(void *context, curlsocktype purpose,
                                 struct curl_sockaddr *address) {
    struct ct_azure_table *table = context;
    (void)purpose;
    return table->sent > 0 ? CURL_SOCKET_BAD
                           : socket(address->family, address->socktype, address->protocol);
}

static void set_options(struct ct_azure_table *table, const struct azure_request *request,
                        const char *url, struct curl_slist *headers, double seconds) {
    CURL *curl = table->curl;
    curl_easy_reset(curl); // the connection stays
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (request->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body);
    }
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(seconds * 1000) + 1);
    curl_easy_setopt(curl, CURLOPT_MAXAGE_CONN, (long)CONNECTION_AGE_SECONDS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "127.0.0.1,localhost,::1");
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, table);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, table);
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, count_sent);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, table);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); // for [count_sent]; nothing is printed
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, table);
}

// ---- One try, and further ones -----------------------------------------------------------------

// The status of the answer; 0: there is none.
static unsigned try_once(struct ct_azure_table *table, const struct azure_request *request,
                         double deadline) {
    const char *signature = table->account.has_key ? NULL : table->account.sas;
    long status = 0;
    arena_reset(&table->arena, 0);
    table->headers.count = 0;
    table->has_head = false;
    table->size = 0;
    table->sent = 0;
    // Set anew for each try: the clock is known better after each answer.
    table->expiry = request->is_write && table->account.has_key ? expiry_of(table, deadline) : 0;
    if (table->account.has_key && request->is_write)
        signature = ending_signature(table, &table->arena);
    struct curl_slist *headers = headers_of(table, request, &table->arena);
    const char *url = url_of(table, request, signature, &table->arena);
    set_options(table, request, url, headers, deadline - clock_seconds());
    CURLcode code = curl_easy_perform(table->curl);
    // For the library a head that ends with the connection is one.
    if (code == CURLE_OK && table->has_head)
        curl_easy_getinfo(table->curl, CURLINFO_RESPONSE_CODE, &status);
    curl_slist_free_all(headers);
    if (status != 0)
        note_clock(table);
    return (unsigned)status;
}

static bool is_busy(unsigned status) {
    return status == 503 || status == 429;
}

// A random part of a pause that doubles; no shorter than the service asks for.
// Random, so that clients that were refused together do not come back together.
static double pause_before(struct ct_azure_table *table, unsigned tries) {
    unsigned most = tries < 7 ? (unsigned)FIRST_PAUSE_MS << tries : LAST_PAUSE_MS;
    table->jitter = rng_mix(table->jitter);
    double seconds = (double)(table->jitter % most + 1) / 1000;
    const char *after = azure_header(table, "Retry-After");
    uint64_t asked;
    return after && number_parse(after, 0, 60, &asked) ? seconds + (double)asked : seconds;
}

// When a write that went out without an answer is over: when its signature is, by a clock that is
// not before the service's.
static void wait_until_over(double deadline) {
    sleep_seconds(deadline - clock_seconds());
}

struct ct_outcome azure_send(struct ct_azure_table *table, const struct azure_request *request,
                             struct arena *arena, struct azure_answer *answer) {
    double now = clock_seconds();
    double deadline = fmin(table->deadline, now + table->request_ms / 1000.0);
    (void)arena;
    for (unsigned tries = 0; now < deadline; tries++) {
        if (request->is_write && table->account.has_key &&
            expiry_of(table, deadline) <= server_ticks_at(table, now))
            break; // too short for a signature that ends with a second
        answer->status = try_once(table, request, deadline);
        if (answer->status != 0 && !is_busy(answer->status)) {
            answer->code = azure_header(table, "x-ms-error-code");
            answer->code = answer->code ? answer->code : "";
            // Of a write the service does not know either; of a read it does not matter.
            if (answer->status < 500)
                return ct_success();
            if (!request->is_write)
                break;
        }
        // 503 and 429 say that nothing was done. Any other 5xx, or no answer to what went out, says
        // nothing.
        bool may_be_done = answer->status != 0 ? !is_busy(answer->status) : table->sent > 0;
        // Told only now, as table.h demands: who is told so may count on nothing coming after it.
        if (request->is_write && may_be_done) {
            wait_until_over(deadline + table->late_ms / 1000.0);
            return ct_unknown("the answer of the service did not come");
        }
        sleep_seconds(fmin(pause_before(table, tries), deadline - clock_seconds()));
        now = clock_seconds();
    }
    return ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

// ---- Answers -----------------------------------------------------------------------------------

const char *azure_header(const struct ct_azure_table *table, const char *name) {
    return wire_header(&table->headers, name);
}

const char *azure_error_code(const char *body, size_t size, struct arena *arena, size_t *op_index) {
    json_error_t ignored;
    json_t *object = json_loadb(body, size, JSON_DISABLE_EOF_CHECK, &ignored);
    json_t *error = json_object_get(object, "odata.error");
    const char *code = json_string_value(json_object_get(error, "code"));
    const char *message =
        json_string_value(json_object_get(json_object_get(error, "message"), "value"));
    uint64_t index = 0;
    if (message)
        // "2:The specified entity already exists.": the number of the operation, in a batch alone.
        number_scan(message, 10, UINT32_MAX, &index);
    *op_index = (size_t)index;
    code = arena_strdup(arena, code ? code : "");
    json_decref(object);
    return code;
}

// The table's error of that name and status, if it has one.
static enum ct_error error_named(const char *code, unsigned status) {
    static const struct {
        const char *code;
        unsigned status;
    } errors[] = {
        {"", 0},
#define ERROR(symbol, name, number, message) {name, number},
#include "model/table/errors.def"
#undef ERROR
    };
    for (size_t i = 1; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].status == status && strcmp(errors[i].code, code) == 0)
            return (enum ct_error)i;
    return CT_ERROR_NONE;
}

struct ct_outcome azure_refusal(const struct ct_azure_table *table, unsigned status,
                                const char *code, size_t op_index, struct arena *arena) {
    enum ct_error error = error_named(code, status);
    if (error != CT_ERROR_NONE)
        return ct_refusal(error, op_index);
    // A request that came too late, by a clock that is told in whole seconds: nothing was done.
    // Two seconds of doubt: the clock is told in whole ones, and so is the end. Any other 403 is
    // about the key, and no repetition mends it.
    if (status == 403 && table->expiry != 0 &&
        server_ticks_at(table, clock_seconds()) + 2 * WIRE_TICKS >= table->expiry)
        return ct_storage_error(CT_STATUS_SERVER_ERROR, op_index);
    if (status == 400 || status == 413)
        return ct_storage_error(status == 400 ? CT_STATUS_BAD_REQUEST : CT_STATUS_TOO_LARGE,
                                op_index);
    return ct_internal_error(arena_printf(
        arena, "the service answered %u %.60s for the table %.63s", status, code, table->name));
}
