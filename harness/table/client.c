// Proxies: table calls, annotations and peeks as requests to the tables.
#include "core/engine/inside.h"
#include "harness/table/transport.h"

enum { PLAIN_TABLE = TABLE_COUNT };

static const char *const labels[PLAIN_TABLE + 1][REQUEST_READ_STREAM + 1] = {
    [TABLE_OLD] = {"old.execute", "old.query", "old.open-stream", "old.read-stream"},
    [TABLE_NEW] = {"new.execute", "new.query", "new.open-stream", "new.read-stream"},
    [PLAIN_TABLE] = {"table.execute", "table.query", "table.open-stream", "table.read-stream"},
};

static struct client *client_of(struct ct_env *env) {
    return (struct client *)env;
}

// By the strand that runs: the tasks of a machine share a client, and each has a call of its own.
struct call_record *client_call(const struct client *client) {
    struct call_record *call = client->may_linearize ? client->calls : NULL;
    while (call && call->owner != sct_self())
        call = call->next;
    return call;
}

static void client_request(struct client *client, struct request *request) {
    client->requests++;
    client->transport->request(client, request);
}

static struct request new_request(const struct client_table *table, enum request_kind kind,
                                  const char *where) {
    bool is_plain = table->client->host->tables->options.is_plain;
    return (struct request){
        .kind = kind,
        .table = table->id,
        .label = labels[is_plain ? PLAIN_TABLE : (int)table->id][kind],
        .where = where,
        .caller = table->client->machine,
        .call = client_call(table->client),
    };
}

static struct ct_outcome proxy_execute(struct ct_table *base, const char *where,
                                       struct ct_batch *batch, struct arena *arena,
                                       struct ct_op_result *results) {
    (void)arena; // everything lives in the execution's
    struct client_table *table = (struct client_table *)base;
    struct request request = new_request(table, REQUEST_EXECUTE, where);
    request.as.execute.batch = batch;
    request.as.execute.results = results;
    client_request(table->client, &request);
    return request.outcome;
}

static struct ct_outcome proxy_query(struct ct_table *base, const char *where,
                                     const struct ct_filter *filter, struct arena *arena,
                                     struct ct_rows *rows) {
    (void)arena; // everything lives in the execution's
    struct client_table *table = (struct client_table *)base;
    struct request request = new_request(table, REQUEST_QUERY, where);
    request.as.query.filter = filter;
    request.as.query.rows = rows;
    client_request(table->client, &request);
    return request.outcome;
}

static struct ct_outcome proxy_read(struct ct_stream *base, const char *where,
                                    const struct ct_row **row) {
    struct client_stream *stream = (struct client_stream *)base;
    struct request request = new_request(stream->table, REQUEST_READ_STREAM, where);
    request.as.read.stream = stream->backend;
    request.as.read.row = row;
    client_request(stream->table->client, &request);
    if (request.outcome.kind == CT_SUCCEEDED) {
        stream->has_ended = !*row;
        stream->last = *row ? *row : stream->last;
    }
    return request.outcome;
}

// Closing sends nothing: it is no scheduling point.
// Closing again does nothing, as the interface says: the link is the mark.
static void proxy_close(struct ct_stream *base, const char *where) {
    (void)where;
    struct client_stream *stream = (struct client_stream *)base;
    ct_stream_close(stream->backend);
    if (!stream->link)
        return;
    *stream->link = stream->next;
    if (stream->next)
        stream->next->link = stream->link;
    stream->link = NULL;
}

void client_close_streams(struct client *client) {
    struct client_stream *next;
    for (struct client_stream *s = client->host->tables->streams; s; s = next) {
        next = s->next;
        if (s->table->client == client)
            ct_stream_close(&s->stream);
    }
}

static const struct ct_stream_ops proxy_stream_ops = {
    .version = CT_STREAM_VERSION, .read = proxy_read, .close = proxy_close};

static void list_stream(struct client_stream *stream) {
    struct tables *tables = stream->table->client->host->tables;
    stream->next = tables->streams;
    stream->link = &tables->streams;
    stream->number = ++tables->streams_opened;
    if (stream->next)
        stream->next->link = &stream->next;
    tables->streams = stream;
}

static struct ct_outcome proxy_open_stream(struct ct_table *base, const char *where,
                                           const struct ct_filter *filter,
                                           struct ct_stream **stream) {
    struct client_table *table = (struct client_table *)base;
    struct client_stream *proxy = ARENA_NEW(sct_arena(), struct client_stream);
    proxy->stream.ops = &proxy_stream_ops;
    proxy->table = table;
    proxy->filter = filter;
    struct request request = new_request(table, REQUEST_OPEN_STREAM, where);
    request.as.open.filter = filter;
    request.as.open.stream = &proxy->backend;
    client_request(table->client, &request);
    if (request.outcome.kind == CT_SUCCEEDED) {
        list_stream(proxy);
        *stream = &proxy->stream;
    }
    return request.outcome;
}

static void proxy_close_table(struct ct_table *table) {
    (void)table;
}

static struct ct_table_limits proxy_limits(struct ct_table *base) {
    struct client_table *table = (struct client_table *)base;
    return table->client->host->tables->options.limits;
}

static const struct ct_table_ops proxy_table_ops = {
    .version = CT_TABLE_VERSION,
    .execute = proxy_execute,
    .query = proxy_query,
    .open_stream = proxy_open_stream,
    .close = proxy_close_table,
    .limits = proxy_limits,
};

static void proxy_annotate(struct ct_env *env, const char *where,
                           const struct ct_annotation *annotation) {
    struct client *client = client_of(env);
    struct request request; // one by one: to clear it first takes longer
    request.kind = REQUEST_ANNOTATE;
    request.table = TABLE_OLD;
    request.label = "annotation";
    request.where = where;
    request.caller = client->machine;
    request.call = client_call(client);
    request.as.annotation = annotation;
    request.outcome = ct_success();
    client_request(client, &request);
}

// By the strand: an error that met another task of the machine (a stream's change of state, say) is
// told to whoever reads the stream next.
bool client_take_server_error(struct client *client) {
    if (client->faults.failed != sct_self())
        return false;
    client->faults.failed = NULL;
    return true;
}

bool client_take_lost_answer(struct client *client) {
    if (client->faults.lost != sct_self())
        return false;
    client->faults.lost = NULL;
    return true;
}

// ---- Peeks -------------------------------------------------------------------------------------

static struct request new_peek(const struct client *client, enum request_kind kind,
                               const char *label, const char *where) {
    return (struct request){
        .kind = kind,
        .label = label,
        .where = where,
        .caller = client->machine,
    };
}

struct ct_rows client_peek_rows(struct client *client, const char *where) {
    struct ct_rows rows;
    struct request request = new_peek(client, REQUEST_PEEK_ROWS, "reference.rows", where);
    request.as.peek.rows = &rows;
    client_request(client, &request);
    return rows;
}

size_t client_peek_revision(struct client *client, const char *where) {
    size_t revision;
    struct request request = new_peek(client, REQUEST_PEEK_REVISION, "reference.revision", where);
    request.as.peek.revision = &revision;
    client_request(client, &request);
    return revision;
}

bool client_peek_valid(struct client *client, const char *where,
                       const struct ct_memory_window *window, const struct ct_row *row) {
    bool is_valid;
    struct request request = new_peek(client, REQUEST_PEEK_VALID, "reference.is-valid", where);
    request.as.valid.window = window;
    request.as.valid.row = row;
    request.as.valid.is_valid = &is_valid;
    client_request(client, &request);
    return is_valid;
}

// ---- The environment ---------------------------------------------------------------------------

static struct ct_lock *lock_create(struct ct_env *env) {
    struct ct_lock *lock = execution_lock_create(env);
    uint32_t object = client_of(env)->host->tables->objects++;
    lock->access = (struct sct_access){.mode = SCT_ACCESS_WRITE, .object = object};
    return lock;
}

static void latch_wait(struct ct_env *env, const char *where, struct ct_latch *latch) {
    execution_latch_wait(env, where, latch);
    client_touch(client_of(env));
}

// Time is what sleeping makes of it: a sleeper goes on whenever it is its turn, and the clock then
// says that it was time.
static uint64_t now(struct ct_env *env) {
    return client_of(env)->host->now;
}

static void sleep_for(struct ct_env *env, const char *where, uint64_t nanoseconds) {
    struct client *client = client_of(env);
    uint64_t end = client->host->now + nanoseconds;
    sct_point("sleep", where, &sct_access_unknown);
    client_touch(client);
    if (client->host->now < end)
        // So time is one clock for the whole world and jumps: nothing here measures how long
        // something takes.
        client->host->now = end;
}

static struct digest observed(struct ct_env *env) {
    (void)env;
    return sct_observed();
}

static void forget(struct ct_env *env, struct digest mark, const char *place, uint64_t value) {
    (void)env;
    struct digest what = digest_fold_text((struct digest){value, 0}, place);
    sct_forget(mark, &what, sizeof what);
}

// What the transports do in ways of their own.
static void lock_acquire(struct ct_env *env, const char *where, struct ct_lock *lock) {
    client_of(env)->transport->lock_acquire(env, where, lock);
}

static void start(struct ct_env *env, const char *name, void (*function)(void *), void *argument) {
    client_of(env)->transport->start(env, name, function, argument);
}

#define ENV_OPS                                                                                \
    EXECUTION_ENV_OPS, .annotate = proxy_annotate, .lock_create = lock_create,                 \
                       .lock_acquire = lock_acquire, .latch_wait = latch_wait, .start = start, \
                       .now = now, .sleep = sleep_for

static const struct ct_env_ops env_ops = {ENV_OPS};
static const struct ct_env_ops comparing_env_ops = {
    ENV_OPS,
    .observed = observed,
    .forget = forget,
};

// ---- Setting up --------------------------------------------------------------------------------

void tables_host_init(struct tables_host *host, struct tables *tables) {
    *host = (struct tables_host){.tables = tables, .machine = sct_machine_create("tables")};
    sct_waiters_init(&host->ready);
}

void client_init(struct client *client, const struct transport *transport, struct tables_host *host,
                 struct sct_machine *machine) {
    *client = (struct client){
        .transport = transport,
        .host = host,
        .machine = machine,
        .env = {.ops = sct_comparing() ? &comparing_env_ops : &env_ops},
        .old_table = {{&proxy_table_ops}, client, TABLE_OLD},
        .new_table = {{&proxy_table_ops}, client, TABLE_NEW},
        .may_linearize = true,
    };
}
