#define _GNU_SOURCE // memmem
#include "tests/bench/plain_client.h"

#include "core/base/grow.h"
#include "core/base/number.h"
#include "model/table/row.h"
#include "model/table/value.h"
#include "model/wire/encoding.h"
#include "model/wire/entity.h"
#include "model/wire/message.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { KEPT_MAX = 2048, ANSWER_BYTES = 4 << 20, ARENA_BYTES = 1 << 24, PATH_BYTES = 1024 };

// The answer to a read as it was when its rows were compared.
struct kept {
    char *body; // NULL: none yet
    size_t size;
};

struct plain_client {
    const struct ct_azure_account *account;
    const char *table, *host, *path; // [path] is the account's: "/name"
    int socket;
    struct arena arena; // of one request
    char *answer;       // head and body as they come
    size_t head, size;  // of the head, and of the body behind it
    unsigned status;
    struct kept rows[KEPT_MAX], partition; // of reads by their row's number, of the query
    // What was signed last, in the same second for the same path.
    time_t second;
    char signed_path[PATH_BYTES], date[WIRE_DATE_SIZE], signature[WIRE_SIGNATURE_SIZE];
};

static _Noreturn void stop(const struct plain_client *client, const char *what) {
    fprintf(stderr, "bench_tables: %s: status %u: %.300s\n", what, client->status,
            client->answer + client->head);
    exit(3);
}

// ---- Requests ----------------------------------------------------------------------------------

static void sign(struct plain_client *client, const char *path) {
    time_t now = time(NULL);
    if (now == client->second && strcmp(client->signed_path, path) == 0)
        return;
    if (now != client->second)
        wire_date((int64_t)now * WIRE_TICKS, client->date);
    client->second = now;
    snprintf(client->signed_path, PATH_BYTES, "%s", path);
    struct wire_signed parts = {
        .date = client->date, .account = client->account->name, .path = path};
    wire_sign(&client->account->key, wire_shared_key_lite_text(&client->arena, &parts),
              client->signature);
}

// The head of a request for what stands behind the account: [headers] are those of its kind, each
// with its line end.
static void add_head(struct plain_client *client, struct wire_out *out, const char *method,
                     const char *resource, const char *query, const char *headers, size_t size) {
    const char *path = arena_printf(&client->arena, "%s/%s", client->path, resource);
    sign(client, path);
    wire_add_format(out,
                    "%s %s%s HTTP/1.1\r\nHost: %s\r\nx-ms-version: 2019-02-02\r\n"
                    "DataServiceVersion: 3.0;NetFx\r\n"
                    "Accept: application/json;odata=minimalmetadata\r\n%sx-ms-date: %s\r\n"
                    "Authorization: SharedKeyLite %s:%s\r\n",
                    method, path, query, client->host, headers, client->date, client->account->name,
                    client->signature);
    if (*method != 'G')
        wire_add_format(out, "Content-Length: %zu\r\n", size);
    wire_add(out, "\r\n");
}

// Without formats: most of a batch is made of it.
static void add_row(struct wire_out *out, const char *partition, unsigned number) {
    char key[9] = "00000000";
    for (size_t i = 8; number > 0 && i > 0; number /= 10)
        key[--i] = (char)('0' + number % 10);
    wire_add(out, "{\"PartitionKey\":\"");
    wire_add(out, partition);
    wire_add(out, "\",\"RowKey\":\"");
    wire_add_bytes(out, key, 8);
    wire_add(out, "\",\"flag\":true,\"number\":7,\"text\":\"twenty bytes of text\"}");
}

static void add_batch(struct plain_client *client, struct wire_out *out, const char *partition,
                      unsigned first, size_t count) {
    wire_add(out, "--batch_bench\r\n"
                  "Content-Type: multipart/mixed; boundary=changeset_bench\r\n\r\n");
    for (size_t i = 0; i < count; i++) {
        wire_add(out, "--changeset_bench\r\nContent-Type: application/http\r\n"
                      "Content-Transfer-Encoding: binary\r\n\r\nPOST ");
        wire_add(out, client->account->endpoint);
        wire_add(out, "/");
        wire_add(out, client->table);
        wire_add(out, " HTTP/1.1\r\nAccept: application/json;odata=minimalmetadata\r\n"
                      "Content-Type: application/json\r\nPrefer: return-no-content\r\n\r\n");
        add_row(out, partition, first + (unsigned)i);
        wire_add(out, "\r\n");
    }
    wire_add(out, "--changeset_bench--\r\n--batch_bench--\r\n");
}

static void send_all(struct plain_client *client, const struct wire_out *request) {
    for (size_t sent = 0; sent < request->size;) {
        ssize_t count =
            send(client->socket, request->data + sent, request->size - sent, MSG_NOSIGNAL);
        if (count <= 0)
            stop(client, "a request cannot be sent");
        sent += (size_t)count;
    }
}

// ---- Answers -----------------------------------------------------------------------------------

// Receives more behind the first [have] bytes; how many there are then.
static size_t receive(struct plain_client *client, size_t have) {
    ssize_t count = have < ANSWER_BYTES
                        ? recv(client->socket, client->answer + have, ANSWER_BYTES - have, 0)
                        : 0;
    if (count <= 0)
        stop(client, "the connection ended within an answer");
    return have + (size_t)count;
}

// The body in chunks, from which their lines are taken out; [have] bytes are there with the head.
static void receive_chunks(struct plain_client *client, size_t have) {
    size_t at = client->head, out = at;
    for (;;) {
        char *line = client->answer + at, *end;
        while (!(end = memmem(line, have - at, "\r\n", 2)))
            have = receive(client, have);
        uint64_t size;
        if (number_scan(line, 16, ANSWER_BYTES, &size) == 0)
            stop(client, "a chunk has no size");
        at = (size_t)(end + 2 - client->answer);
        while (have < at + size + 2)
            have = receive(client, have);
        memmove(client->answer + out, client->answer + at, size);
        out += size;
        at += size + 2;
        if (size == 0)
            break;
    }
    if (at != have)
        stop(client, "there is more behind an answer");
    client->size = out - client->head;
}

static void receive_counted(struct plain_client *client, size_t have, size_t size) {
    while (have < client->head + size)
        have = receive(client, have);
    if (have != client->head + size)
        stop(client, "there is more behind an answer");
    client->size = size;
}

static void receive_answer(struct plain_client *client) {
    struct wire_message message;
    size_t have = 0;
    char *end;
    client->head = client->size = client->status = 0;
    do
        have = receive(client, have);
    while (!(end = memmem(client->answer, have, "\r\n\r\n", 4)));
    size_t head = (size_t)(end + 4 - client->answer);
    uint64_t number = 0;
    if (!wire_message_read(&client->arena, client->answer, head, true, &message) ||
        number_scan(message.start + strcspn(message.start, " ") + 1, 10, 999, &number) == 0)
        stop(client, "an answer is none");
    client->head = head;
    client->status = (unsigned)number;
    const char *length = wire_header(&message.headers, "Content-Length");
    number = 0;
    if (wire_header(&message.headers, "Transfer-Encoding"))
        receive_chunks(client, have);
    else if (client->status == 204 || (length && number_parse(length, 0, ANSWER_BYTES, &number)))
        receive_counted(client, have, (size_t)number);
    else
        stop(client, "an answer has no length");
    client->answer[client->head + client->size] = '\0';
}

static void expect_status(const struct plain_client *client, unsigned status, const char *what) {
    if (client->status != status)
        stop(client, what);
}

// ---- Rows --------------------------------------------------------------------------------------

// Whether the JSON of a row is that of the one that was inserted.
static bool is_row(struct plain_client *client, const json_t *json, const char *partition,
                   unsigned number) {
    struct ct_row *row;
    if (wire_entity_of(&client->arena, json, &row) != WIRE_OK || row->property_count != 3)
        return false;
    const struct ct_property *properties = row->properties;
    const struct ct_property expected[] = {ct_bool("flag", true), ct_int32("number", 7),
                                           ct_string("text", "twenty bytes of text")};
    for (int i = 0; i < 3; i++)
        if (!ct_property_equal(&properties[i], &expected[i]))
            return false;
    const char *key = arena_printf(&client->arena, "%08u", number);
    return row->etag && row->timestamp != 0 && strcmp(row->key.partition, partition) == 0 &&
           strcmp(row->key.row, key) == 0;
}

// The body is kept if it is the first, and read then; it must be as the kept one else. [count] is
// that of a query, which gives a list; 0: one row, that of [number].
static void compare(struct plain_client *client, struct kept *kept, const char *partition,
                    unsigned number, size_t count) {
    const char *body = client->answer + client->head;
    if (kept->body) {
        if (kept->size != client->size || memcmp(kept->body, body, client->size) != 0)
            stop(client, "a row has changed");
        return;
    }
    json_error_t ignored;
    json_t *json = json_loadb(body, client->size, 0, &ignored);
    json_t *list = count > 0 ? json_object_get(json, "value") : NULL;
    bool is_right =
        count > 0 ? json_array_size(list) == count : is_row(client, json, partition, number);
    for (size_t i = 0; is_right && i < count; i++)
        is_right = is_row(client, json_array_get(list, i), partition, (unsigned)i);
    json_decref(json);
    if (!is_right)
        stop(client, "rows are not those that were inserted");
    kept->size = client->size;
    kept->body = grow_new(1, client->size + 1, "an answer");
    memcpy(kept->body, body, client->size);
}

// ---- The calls ---------------------------------------------------------------------------------

void plain_insert(struct plain_client *client, const char *partition, unsigned first,
                  size_t count) {
    struct wire_out body = {.arena = &client->arena};
    bool is_batch = count > 1;
    if (is_batch)
        add_batch(client, &body, partition, first, count);
    else
        add_row(&body, partition, first);
    struct wire_out request = {.arena = &client->arena};
    add_head(client, &request, "POST", is_batch ? "$batch" : client->table, "",
             is_batch ? "Content-Type: multipart/mixed; boundary=batch_bench\r\n"
                      : "Content-Type: application/json\r\nPrefer: return-no-content\r\n",
             body.size);
    wire_add_bytes(&request, body.data, body.size);
    send_all(client, &request);
    receive_answer(client);
    expect_status(client, is_batch ? 202 : 204, "an insert");
    static const char done[] = "\nHTTP/1.1 204 ";
    const char *at = client->answer + client->head, *end = at + client->size;
    size_t parts = 0;
    for (; is_batch && (at = memmem(at, (size_t)(end - at), done, sizeof done - 1)); at++)
        parts++;
    if (is_batch && parts != count)
        stop(client, "inserts are missing in a batch");
    arena_reset(&client->arena, 0);
}

static void read_kept(struct plain_client *client, const char *resource, const char *query,
                      struct kept *kept, const char *partition, unsigned number, size_t count) {
    struct wire_out request = {.arena = &client->arena};
    add_head(client, &request, "GET", resource, query, "", 0);
    send_all(client, &request);
    receive_answer(client);
    expect_status(client, 200, "a read");
    compare(client, kept, partition, number, count);
    arena_reset(&client->arena, 0);
}

void plain_get(struct plain_client *client, const char *partition, unsigned number) {
    const char *resource = arena_printf(&client->arena, "%s(PartitionKey='%s',RowKey='%08u')",
                                        client->table, partition, number);
    ASSERT(number < KEPT_MAX);
    read_kept(client, resource, "", &client->rows[number], partition, number, 0);
}

void plain_query(struct plain_client *client, const char *partition, size_t count) {
    const char *resource = arena_printf(&client->arena, "%s()", client->table);
    const char *query =
        arena_printf(&client->arena, "?$filter=PartitionKey%%20eq%%20'%s'", partition);
    read_kept(client, resource, query, &client->partition, partition, 0, count);
}

// ---- Opening -----------------------------------------------------------------------------------

static void connect_to(struct plain_client *client) {
    char name[64];
    struct sockaddr_in address = {.sin_family = AF_INET};
    uint64_t port;
    const char *colon = strchr(client->host, ':');
    snprintf(name, sizeof name, "%.*s", colon ? (int)(colon - client->host) : 0, client->host);
    client->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool is_read = colon && inet_pton(AF_INET, name, &address.sin_addr) == 1 &&
                   number_parse(colon + 1, 1, UINT16_MAX, &port);
    address.sin_port = htons(is_read ? (uint16_t)port : 0);
    if (!is_read || client->socket < 0 ||
        connect(client->socket, (struct sockaddr *)&address, sizeof address) != 0)
        stop(client, "expected a server at a numeric address");
    setsockopt(client->socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
}

struct plain_client *plain_open(const struct ct_azure_account *account, const char *table) {
    struct plain_client *client = grow_new(1, sizeof *client, "a client");
    const char *host = strstr(account->endpoint, "://");
    client->account = account;
    client->table = table;
    client->answer = grow_new(1, ANSWER_BYTES + 1, "an answer");
    arena_init(&client->arena, ARENA_BYTES);
    if (!host || strncmp(account->endpoint, "http:", 5) != 0 || !account->has_key)
        stop(client, "expected a server without TLS, and its account's key");
    char *text = grow_text(host + 3, "a client");
    client->path = grow_text(text + strcspn(text, "/"), "a client");
    text[strcspn(text, "/")] = '\0';
    client->host = text;
    connect_to(client);
    return client;
}
