#include "harness/table/tables.h"
#include "core/engine/inside.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "harness/table/transport.h"
#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

enum { NOTE_BYTES = 3000 };

static struct ct_memory_table *open_table(const struct tables_options *options, const char *prefix,
                                          struct ct_table_limits limits) {
    return ct_memory_table_open(&(struct ct_memory_options){
        .arena = sct_arena(),
        .etag_prefix = prefix,
        .choose = options->choose,
        .etags_per_key = options->etags_per_key,
        .keeps_digests = sct_comparing(),
        .limits = limits,
    });
}

void tables_init(struct tables *tables, const struct tables_options *options) {
    *tables = (struct tables){.options = *options, .objects = TABLE_OBJECTS};
    // A step that begins or ends between a call and its annotation depends on both.
    sct_touch_while(&tables->awaits_annotation);
    tables->backend[TABLE_OLD] = open_table(options, "old-", options->limits);
    tables->backend[TABLE_NEW] = open_table(options, "new-", options->limits);
    // Without limits: a call that is refused for those of a backend has no linearization point, so
    // the reference is not asked.
    tables->reference = open_table(options, "ref-", (struct ct_table_limits){0});
}

const struct ct_memory_table *tables_visible(const struct tables *tables) {
    return tables->options.is_plain ? tables->backend[TABLE_OLD] : tables->reference;
}

void tables_load(struct tables *tables, struct ct_row *const *rows, size_t count) {
    struct arena *arena = sct_arena();
    struct ct_table *old_table = ct_memory_table_interface(tables->backend[TABLE_OLD]);
    struct ct_batch batch = ct_batch_new(arena, count);
    for (size_t i = 0; i < count; i++)
        ct_batch_add(&batch, CT_INSERT_OR_REPLACE, rows[i]);
    struct ct_op_result *results = ARENA_ARRAY(arena, struct ct_op_result, count);
    struct ct_outcome outcome = ct_execute(old_table, &batch, arena, results);
    ASSERT(outcome.kind == CT_SUCCEEDED);
    if (tables->options.is_plain)
        return;
    struct ct_op_result *mirrored = ARENA_ARRAY(arena, struct ct_op_result, count);
    // Mirrored: it takes over the ETags that the backend gave out, so that conditions of the
    // application mean the same in both.
    outcome = ct_memory_execute_mirror(tables->reference, &batch, results, mirrored);
    ASSERT(outcome.kind == CT_SUCCEEDED);
}

// Two bytes of the partition key, six of the row key: keys that agree in those look alike.
// Then too much depends on each other, and never too little.
uint64_t tables_access_key(struct ct_key key) {
    uint64_t bits = 0;
    int shift = 64; // how many bits are to come
    if (key.partition)
        for (const char *text = key.partition; *text && shift > 48; text++)
            bits |= (uint64_t)(unsigned char)*text << (shift -= 8);
    shift = 48;
    if (key.row)
        for (const char *text = key.row; *text && shift > 0; text++)
            bits |= (uint64_t)(unsigned char)*text << (shift -= 8);
    return bits;
}

// A null key, which the table will refuse, counts as the lowest.
static struct sct_access batch_access(uint32_t object, const struct ct_batch *batch) {
    struct sct_access access = {.mode = SCT_ACCESS_WRITE, .object = object, .low = UINT64_MAX};
    for (size_t i = 0; i < batch->count; i++) {
        uint64_t key = tables_access_key(batch->operations[i].entity->key);
        access.low = key < access.low ? key : access.low;
        access.high = key > access.high ? key : access.high;
    }
    return access;
}

static struct sct_access query_access(uint32_t object, const struct ct_filter *filter) {
    struct sct_access access = {.mode = SCT_ACCESS_READ, .object = object, .high = UINT64_MAX};
    const char *partition = ct_filter_partition(filter);
    if (partition) {
        access.low = tables_access_key((struct ct_key){partition, ""});
        // All row keys: six bytes.
        access.high = access.low | UINT64_C(0xffffffffffff);
    }
    return access;
}

static struct sct_access whole_table(uint32_t object, enum sct_access_mode mode) {
    return (struct sct_access){.mode = mode, .object = object, .high = UINT64_MAX};
}

// What it may touch, known before it is served; what it did touch may be less (touch_batch).
struct sct_access request_access(const struct request *request) {
    uint32_t object = request->table;
    switch (request->kind) {
    case REQUEST_EXECUTE:
        return sct_keys_matter() ? batch_access(object, request->as.execute.batch)
                                 : whole_table(object, SCT_ACCESS_WRITE);
    case REQUEST_QUERY:
        return sct_keys_matter() ? query_access(object, request->as.query.filter)
                                 : whole_table(object, SCT_ACCESS_READ);
    case REQUEST_OPEN_STREAM:
    case REQUEST_READ_STREAM:
        return whole_table(object, SCT_ACCESS_READ);
    case REQUEST_PEEK_ROWS:
    case REQUEST_PEEK_REVISION:
    case REQUEST_PEEK_VALID: // any annotated call may change the reference
    case REQUEST_ANNOTATE:
        break;
    }
    return sct_access_unknown;
}

// ---- What steps touch --------------------------------------------------------------------------

static void touch(uint32_t object, enum sct_access_mode mode, uint64_t low, uint64_t high) {
    sct_touch(&(struct sct_access){.mode = mode, .object = object, .low = low, .high = high});
}

static void touch_query(uint32_t object, const struct ct_filter *filter) {
    const struct sct_access access = query_access(object, filter);
    sct_touch(&access);
}

// An open stream shows what its table has held since then, in some order: writes of different keys
// that it may still come to do not commute.
static void touch_windows(const struct tables *tables, uint32_t object, uint64_t key) {
    if (object == TABLE_REFERENCE && tables->watchers > 0)
        touch(object, SCT_ACCESS_WRITE, 0, UINT64_MAX);
    for (const struct client_stream *stream = tables->streams; stream; stream = stream->next) {
        uint64_t from = tables_access_key(ct_memory_stream_from(stream->backend));
        if (stream->table->id == object && key >= from)
            touch(object, SCT_ACCESS_WRITE, from, UINT64_MAX);
    }
}

// A batch that was refused has only read.
// Known only afterwards, since a refusal makes a reader of it; two refused batches commute.
static void touch_batch(const struct tables *tables, uint32_t object, const struct ct_batch *batch,
                        bool is_change) {
    for (size_t i = 0; i < batch->count && sct_reducing(); i++) {
        uint64_t key = tables_access_key(batch->operations[i].entity->key);
        touch(object, is_change ? SCT_ACCESS_WRITE : SCT_ACCESS_READ, key, key);
        if (is_change)
            touch_windows(tables, object, key);
    }
}

// ---- Annotations -------------------------------------------------------------------------------

// The ETag that the row of [key] has in the table whose answer was lost; NULL without row.
static const char *etag_of_lost(const struct tables *tables, const struct lost_answer *lost,
                                struct ct_key key) {
    const struct ct_row *row = ct_rows_find(ct_memory_rows(tables->backend[lost->table]), key);
    return row ? row->etag : NULL;
}

// An ETag that changed without a write: the reference's row gets it by a Merge of nothing.
// That the row exists is checked: a copy of a row that the application has deleted meanwhile shows
// here first.
static void apply_etag_change(struct tables *tables, struct ct_key key, const char *etag) {
    struct arena *arena = sct_arena();
    struct ct_batch batch = ct_batch_new(arena, 1);
    ct_batch_add(&batch, CT_MERGE, ct_row_new(arena, key, CT_ANY_ETAG, NULL, 0));
    touch_batch(tables, TABLE_REFERENCE, &batch, true);
    struct ct_op_result mirrored = {.etag = etag}, result;
    struct ct_outcome outcome =
        ct_memory_execute_mirror(tables->reference, &batch, &mirrored, &result);
    if (tables->options.ignores_annotations)
        return;
    sct_check(outcome.kind == CT_SUCCEEDED, KIND_SPURIOUS_CHANGE_INVALID,
              "a changed ETag is announced for row '%s' '%s', which does not exist", key.partition,
              key.row);
}

// The annotation is in the step of a backend call, but its keys are the application's.
static void run_reference(struct tables *tables, struct call_record *call,
                          const struct ct_op_result *mirrored) {
    struct ct_table *reference = ct_memory_table_interface(tables->reference);
    if (call->kind == CALL_QUERY) {
        touch_query(TABLE_REFERENCE, call->filter);
        call->outcome = ct_query(reference, call->filter, sct_arena(), &call->rows);
        return;
    }
    call->results = ARENA_ARRAY(sct_arena(), struct ct_op_result, call->batch.count);
    call->outcome =
        ct_memory_execute_mirror(tables->reference, &call->batch, mirrored, call->results);
    touch_batch(tables, TABLE_REFERENCE, &call->batch, call->outcome.kind == CT_SUCCEEDED);
}

// Where annotations are ignored, the first linearization point of a call counts.
static bool ignores_point(const struct tables *tables, const struct call_record *call,
                          const struct ct_annotation *annotation) {
    if (!tables->options.ignores_annotations)
        return false;
    return !call || call->is_linearized ||
           (annotation->results && annotation->result_count != call->batch.count);
}

static void tell_of_batch(const struct tables *tables, const struct request *request) {
    if (tables->options.wrote)
        tables->options.wrote(tables->options.wrote_context, request->caller);
}

static void tell_of_fate(const struct tables *tables, const struct request *request,
                         enum fate fate) {
    if (tables->options.executed)
        tables->options.executed(tables->options.executed_context, request, fate);
}

// What the batch of [call] was answered, as far as the reference needs it.
static const struct ct_op_result *lost_results(const struct tables *tables,
                                               const struct lost_answer *lost,
                                               const struct call_record *call) {
    size_t count = call->batch.count;
    struct ct_op_result *results = ARENA_ARRAY(sct_arena(), struct ct_op_result, count);
    for (size_t i = 0; i < count; i++) {
        struct ct_key key = call->batch.operations[i].entity->key;
        results[i] = (struct ct_op_result){.etag = etag_of_lost(tables, lost, key)};
    }
    return results;
}

static void linearize(struct tables *tables, const struct request *request,
                      const struct lost_answer *lost) {
    struct call_record *call = request->call;
    const struct ct_annotation *annotation = request->as.annotation;
    if (ignores_point(tables, call, annotation))
        return;
    sct_check(call, KIND_ANNOTATION_PROTOCOL,
              "a linearization point is reported outside an atomic call");
    sct_check(!call->is_linearized, KIND_SECOND_LINEARIZATION_POINT,
              "a call reports a second linearization point");
    sct_check(!annotation->results || annotation->result_count == call->batch.count,
              KIND_ANNOTATION_PROTOCOL, "%zu results are reported for a batch of %zu operations",
              annotation->result_count, call->batch.count);
    call->is_linearized = true;
    call->last_revision = ct_memory_revision(tables->reference);
    call->reported = annotation->results;
    run_reference(tables, call,
                  lost->is_lost ? lost_results(tables, lost, call) : annotation->results);
    if (call->kind == CALL_BATCH && call->outcome.kind == CT_SUCCEEDED)
        tell_of_batch(tables, request);
}

static void annotate(struct tables *tables, const struct request *request) {
    const struct ct_annotation *annotation = request->as.annotation;
    sct_check(tables->awaits_annotation, KIND_ANNOTATION_PROTOCOL,
              "an annotation that follows no backend call");
    sct_check(!(annotation->linearization_point && annotation->etag_changed),
              KIND_ANNOTATION_PROTOCOL, "a linearization point together with a changed ETag");
    const struct lost_answer lost = tables->lost;
    tables->awaits_annotation = false;
    tables->lost.is_lost = false;
    // The annotation says what is so if the call was done, and it was not.
    if (lost.is_lost && !lost.was_done)
        return;
    if (annotation->linearization_point)
        linearize(tables, request, &lost);
    if (annotation->etag_changed)
        apply_etag_change(tables, annotation->key,
                          lost.is_lost ? etag_of_lost(tables, &lost, annotation->key)
                                       : annotation->etag);
    for (size_t i = 0; i < annotation->changed_count; i++) {
        struct ct_key key = annotation->changed[i].entity->key;
        apply_etag_change(tables, key,
                          lost.is_lost ? etag_of_lost(tables, &lost, key)
                                       : annotation->changed[i].etag);
    }
}

// ---- Serving -----------------------------------------------------------------------------------

static void peek_valid(const struct tables *tables, struct request *request) {
    ASSERT(request->as.valid.window->table == tables->reference);
    *request->as.valid.is_valid =
        ct_memory_is_valid_row(request->as.valid.window, request->as.valid.row, sct_arena());
}

// Counters that all calls share.
// All calls count towards a limit; ETags come from one counter of the table if not from one for
// each key.
static void touch_counters(const struct tables *tables, const struct request *request) {
    if (tables->options.calls_max > 0 && request_is_annotatable(request))
        sct_touch(&sct_access_unknown);
    else if (request->kind == REQUEST_EXECUTE && !tables->options.etags_per_key)
        touch(request->table, SCT_ACCESS_WRITE, 0, UINT64_MAX);
}

// Before it is served; of a batch, afterwards.
static void touch_what_is_read(const struct request *request) {
    switch (request->kind) {
    case REQUEST_QUERY:
        touch_query(request->table, request->as.query.filter);
        return;
    case REQUEST_OPEN_STREAM:
        touch(request->table, SCT_ACCESS_READ, 0, UINT64_MAX);
        return;
    case REQUEST_READ_STREAM:
        touch(request->table, SCT_ACCESS_READ,
              tables_access_key(ct_memory_stream_from(request->as.read.stream)), UINT64_MAX);
        return;
    case REQUEST_PEEK_ROWS:
    case REQUEST_PEEK_REVISION:
    case REQUEST_PEEK_VALID:
        touch(TABLE_REFERENCE, SCT_ACCESS_READ, 0, UINT64_MAX);
        return;
    case REQUEST_EXECUTE:
    case REQUEST_ANNOTATE:
        return;
    }
}

static struct ct_outcome serve_batch(struct tables *tables, const struct request *request) {
    if (sct_reducing())
        touch_counters(tables, request);
    struct ct_table *table = ct_memory_table_interface(tables->backend[request->table]);
    struct ct_batch *batch = request->as.execute.batch;
    struct ct_outcome outcome = ct_execute(table, batch, sct_arena(), request->as.execute.results);
    touch_batch(tables, request->table, batch, outcome.kind == CT_SUCCEEDED);
    return outcome;
}

static struct ct_outcome serve_call(struct tables *tables, struct request *request) {
    if (request->kind == REQUEST_EXECUTE)
        return serve_batch(tables, request);
    if (sct_reducing()) {
        touch_counters(tables, request);
        touch_what_is_read(request);
    }
    struct ct_table *table = ct_memory_table_interface(tables->backend[request->table]);
    switch (request->kind) {
    case REQUEST_QUERY:
        return ct_query(table, request->as.query.filter, sct_arena(), request->as.query.rows);
    case REQUEST_OPEN_STREAM:
        return ct_open_stream(table, request->as.open.filter, request->as.open.stream);
    case REQUEST_READ_STREAM:
        return ct_stream_read(request->as.read.stream, request->as.read.row);
    case REQUEST_PEEK_ROWS:
        *request->as.peek.rows = ct_memory_rows(tables->reference);
        return ct_success();
    case REQUEST_PEEK_REVISION:
        *request->as.peek.revision = ct_memory_revision(tables->reference);
        return ct_success();
    case REQUEST_PEEK_VALID:
        peek_valid(tables, request);
        return ct_success();
    case REQUEST_EXECUTE:
    case REQUEST_ANNOTATE:
        break;
    }
    fail_at(FAIL_ASSERTION, HERE, "request %d is not a call", (int)request->kind);
}

// The limit tells an endless loop from a long execution where the step bound is far.
static void begin_annotatable(struct tables *tables, struct call_record *call) {
    tables->calls++;
    if (call && !call->has_begun) {
        call->has_begun = true;
        call->first_revision = call->last_revision = ct_memory_revision(tables->reference);
    }
    sct_check(tables->options.calls_max == 0 || tables->calls <= tables->options.calls_max,
              KIND_CALL_LIMIT, "more than %u backend calls: an endless loop",
              tables->options.calls_max);
    tables->awaits_annotation = !tables->options.is_plain;
}

static void serve(struct tables *tables, struct request *request) {
    if (request->kind == REQUEST_ANNOTATE) {
        annotate(tables, request);
        return;
    }
    ASSERT(!tables->awaits_annotation);
    if (request_is_annotatable(request))
        begin_annotatable(tables, request->call);
    request->outcome = serve_call(tables, request);
    if (request->kind == REQUEST_EXECUTE && request->outcome.kind == CT_SUCCEEDED)
        tell_of_fate(tables, request, FATE_DONE);
    if (tables->options.is_plain && request->kind == REQUEST_EXECUTE &&
        request->outcome.kind == CT_SUCCEEDED)
        tell_of_batch(tables, request);
}

static enum sct_note_class note_class_of(const struct request *request) {
    if (request_is_backend_call(request))
        return SCT_NOTE_PLAIN;
    if (request->kind != REQUEST_ANNOTATE)
        return SCT_NOTE_CHECK; // a look at the reference
    if (request->as.annotation->linearization_point)
        return SCT_NOTE_POINT;
    return request->as.annotation->etag_changed ? SCT_NOTE_PLAIN : SCT_NOTE_CHECK;
}

__attribute__((noinline, cold)) static void serve_and_tell(struct tables *tables,
                                                           struct request *request) {
    char buffer[NOTE_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    if (request->caller != sct_machine_self())
        text_add(&text, "for %s: ", sct_machine_name(request->caller));
    describe_request(&text, request);
    serve(tables, request);
    text_add(&text, " -> ");
    describe_answer(&text, request);
    sct_note_as(note_class_of(request), "%s   (%s)", buffer, request->where);
}

void tables_serve(struct tables *tables, struct request *request) {
    if (sct_narrating())
        serve_and_tell(tables, request);
    else
        serve(tables, request);
}

void tables_fail(struct request *request) {
    ASSERT(request_is_backend_call(request));
    request->outcome = ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
    if (!sct_narrating())
        return;
    char buffer[NOTE_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_request(&text, request);
    sct_note_as(SCT_NOTE_FAULT, "%s -> FAULT: server error, not executed   (%s)", buffer,
                request->where);
}

// On copies: whoever gets no answer sees none of its traces.
static bool execute_unseen(struct tables *tables, const struct request *request) {
    struct ct_batch batch = ct_batch_copy(sct_arena(), request->as.execute.batch);
    struct request unseen = *request;
    unseen.as.execute.batch = &batch;
    unseen.as.execute.results = ARENA_ARRAY(sct_arena(), struct ct_op_result, batch.count);
    return serve_batch(tables, &unseen).kind == CT_SUCCEEDED;
}

void tables_lose(struct tables *tables, struct request *request, bool is_done) {
    ASSERT(request->kind == REQUEST_EXECUTE);
    ASSERT(!tables->awaits_annotation);
    begin_annotatable(tables, request->call);
    bool was_done = is_done && execute_unseen(tables, request);
    tell_of_fate(tables, request, was_done ? FATE_DONE_UNANSWERED : FATE_NOT_DONE_UNANSWERED);
    if (tables->options.is_plain && was_done)
        tell_of_batch(tables, request);
    tables->lost = (struct lost_answer){!tables->options.is_plain, was_done, request->table};
    request->outcome = ct_unknown("no answer came");
    if (!sct_narrating())
        return;
    char buffer[NOTE_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    describe_request(&text, request);
    sct_note_as(SCT_NOTE_FAULT, "%s -> FAULT: no answer comes, it was %s   (%s)", buffer,
                was_done ? "done" : "not done", request->where);
}
