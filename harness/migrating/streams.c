// Streams of an application: every read of them is checked against what the reference has been
// since.
#include "core/engine/inside.h"
#include "core/engine/monitor.h"
#include "harness/migrating/checks.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "model/table/row.h"

static void check_stream_outcome(struct ct_outcome outcome) {
    sct_check(outcome.kind != CT_PROGRAM_ERROR, SCT_KIND_PROGRAM_ERROR, "%s", outcome.message);
    sct_check(outcome.kind == CT_SUCCEEDED, KIND_CALL_FAILED, "a stream failed: %s",
              outcome.message ? outcome.message : "storage error");
}

// Asked before the read, checked after it: from this key on nothing may have been missed, so it
// lies at most at the row that comes.
static void check_continuation(bool has_key, struct ct_key key, const struct ct_row *row) {
    sct_check(has_key, KIND_CONTINUATION_KEY_INVALID,
              "a stream without continuation key returned row '%s' '%s'", row->key.partition,
              row->key.row);
    sct_check(ct_key_compare(key, row->key) <= 0, KIND_CONTINUATION_KEY_INVALID,
              "the continuation key '%s' '%s' lies behind the next row '%s' '%s'", key.partition,
              key.row, row->key.partition, row->key.row);
}

// A stream being read.
struct reader {
    struct app *app;
    struct ct_stream *stream;
    const struct ct_filter *filter;
    struct logged_stream *logged; // NULL: streams are not logged
    size_t start;                 // the reference's revision when it was opened
    enum mt_state opened;         // in which state
};

// What the stream may return at the key [from].
// Any instant since the stream was opened, for each row by itself: the reference keeps its history,
// and the window is what it has shown since [start] at or behind [from].
static struct ct_memory_window window_of(const struct reader *reader, struct ct_key from) {
    return (struct ct_memory_window){.table = reader->app->world->tables.reference,
                                     .start = reader->start,
                                     .filter = reader->filter,
                                     .from = from};
}

// What the stream might have returned; there may be several.
static void note_valid_reads(const struct reader *reader, struct ct_key from, const char *actual) {
    char buffer[DESCRIPTION_BYTES];
    struct ct_memory_window window = window_of(reader, from);
    struct ct_valid_rows valid = ct_memory_valid_rows(&window, sct_arena());
    for (size_t i = 0; i < valid.count; i++) {
        struct text text = text_in(buffer, sizeof buffer);
        describe_row(&text, valid.rows[i]);
        sct_note_as(SCT_NOTE_EXPECTED, "%s%s", i > 0 ? "or " : "", buffer);
    }
    if (valid.may_end)
        sct_note_as(SCT_NOTE_EXPECTED, "%sthe end", valid.count > 0 ? "or " : "");
    sct_note_as(SCT_NOTE_ACTUAL, "%s", actual);
}

__attribute__((noinline, cold)) _Noreturn static void
report_invalid_read(const struct reader *reader, struct ct_key from, const struct ct_row *row) {
    char buffer[DESCRIPTION_BYTES];
    struct text text = text_in(buffer, sizeof buffer);
    if (row)
        describe_row(&text, row);
    else
        text_add(&text, "the end");
    if (sct_narrating())
        note_valid_reads(reader, from, buffer);
    sct_violation(
        KIND_STREAM_READ_INVALID,
        "a stream that stands at '%s' '%s' returned %s, which is right at no instant since "
        "it was opened",
        from.partition, from.row, buffer);
}

static void cover_read(const struct reader *reader, struct ct_key from, const struct ct_row *row) {
    const struct app *app = reader->app;
    migrating_cover_read(&app->view, reader->opened, from.partition, row);
    if (app->mirror.current != app->view.state)
        MARK("a read of a stream ends in a later state of its machine");
    if (app->view.state > reader->opened + 1)
        MARK("a stream outlives two changes of state");
}

static struct ct_outcome open_stream(struct reader *reader) {
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a stream to open");
    struct ct_outcome outcome = ct_open_stream(reader->app->table, reader->filter, &reader->stream);
    sct_monitor_cold(&monitor);
    return outcome;
}

static struct ct_outcome read_stream(struct ct_stream *stream, const struct ct_row **row) {
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a read of a stream to return");
    struct ct_outcome outcome = ct_stream_read(stream, row);
    sct_monitor_cold(&monitor);
    return outcome;
}

static void close_stream(struct ct_stream *stream) {
    struct sct_monitor monitor = {0};
    sct_monitor_hot(&monitor, "a stream to close");
    ct_stream_close(stream);
    sct_monitor_cold(&monitor);
}

// Whether a server error befell the stream's change of state: no read succeeds any more.
// The error met another task, the one that moved the stream, so it is not this strand's to take. A
// second read tells whether the stream has failed for good, as migrating.h says.
static bool has_failed_for_ever(struct app *app, struct ct_stream *stream,
                                struct ct_outcome outcome) {
    const struct ct_row *row = NULL;
    if (!app->client.faults.failed || !ct_failed_with(outcome, CT_STATUS_SERVER_ERROR))
        return false;
    app->client.faults.failed = NULL;
    return ct_failed_with(read_stream(stream, &row), CT_STATUS_SERVER_ERROR);
}

// Not inlined: the buffer would lie beneath every read, and searches copy stacks.
__attribute__((noinline, cold)) static void note_read(const struct ct_row *row) {
    char buffer[2000];
    struct text text = text_in(buffer, sizeof buffer);
    if (row)
        describe_row(&text, row);
    sct_note_as(SCT_NOTE_RETURN, "its stream gives %s%s", row ? "" : "the end", buffer);
}

// Reads one row at or behind *[from] and moves *[from] behind it. False at the end.
static bool read_checked(struct reader *reader, struct ct_key *from) {
    struct app *app = reader->app;
    struct ct_stream *stream = reader->stream;
    struct ct_key key = {NULL, NULL};
    const struct ct_row *row = NULL;
    bool has_key = ct_stream_continuation_key(stream, &key);
    sct_check(!has_key || ct_key_compare(key, *from) >= 0, KIND_CONTINUATION_KEY_INVALID,
              "the continuation key '%s' '%s' lies before the stream's place '%s' '%s'",
              key.partition, key.row, from->partition, from->row);
    app_take_view(app, app->mirror.current);
    struct ct_outcome outcome = read_stream(stream, &row);
    if (app_met_server_error(app, outcome))
        return true; // it stands where it stood
    if (has_failed_for_ever(app, stream, outcome))
        return false;
    check_stream_outcome(outcome);
    if (sct_narrating())
        note_read(row);
    cover_read(reader, *from, row);
    if (reader->logged)
        table_log_read(app->world->log, reader->logged, row);
    struct ct_memory_window window = window_of(reader, *from);
    // The peek is made in any case, so that tests with and without annotations make the same
    // requests.
    if (!client_peek_valid(&app->client, HERE, &window, row) && !app_ignores_annotations(app))
        report_invalid_read(reader, *from, row);
    if (!row)
        return false;
    check_continuation(has_key, key, row);
    // Behind the row: no key comes twice, whatever is written there meanwhile.
    *from = ct_key_next(row->key, sct_arena());
    app->seen.from = *from;
    app->seen.digested = 0;
    return true;
}

// From here on the stream's answers depend on what becomes of the reference.
// Before the stream is opened: an instant that comes between is in the window, which errs on the
// side of the stream.
static void begin_reading(struct reader *reader) {
    struct app *app = reader->app;
    reader->start = client_peek_revision(&app->client, HERE);
    app->reads = true;
    app->client.touches = &app->access; // the stream's state is shared from now on
    app->world->tables.watchers++;
    app->seen = (struct ct_memory_window){.table = app->world->tables.reference,
                                          .start = reader->start,
                                          .filter = reader->filter,
                                          .from = ct_key_first()};
}

// Writes of different rows commute again when nobody watches the reference any more.
static void end_reading(struct app *app) {
    app->reads = false;
    app->world->tables.watchers--;
}

// Rows that were read are done with; the stream's own state is its subscription's.
static void forget_rows(struct digest mark, struct ct_key from) {
    if (!sct_comparing())
        return;
    struct digest place = digest_fold_text(digest_fold_text(mark, from.partition), from.row);
    sct_forget(mark, &place, sizeof place);
}

static void no_pause(struct app *app) {
    (void)app;
}

void app_stream(struct app *app, const struct ct_filter *filter) {
    app_stream_slowly(app, filter, no_pause, READ_TO_END);
}

void app_stream_slowly(struct app *app, const struct ct_filter *filter,
                       void (*pause)(struct app *app), uint32_t reads) {
    if (sct_narrating())
        app_note_call("stream", NULL, filter);
    sct_count_operation();
    struct reader reader = {.app = app, .filter = filter};
    begin_reading(&reader);
    if (app->world->log)
        reader.logged = table_log_open(app->world->log, filter);
    struct ct_outcome outcome = open_stream(&reader);
    if (app_met_server_error(app, outcome)) {
        end_reading(app);
        return;
    }
    check_stream_outcome(outcome);
    reader.opened = app->view.state;
    struct ct_key from = ct_key_first();
    struct digest mark = sct_observed();
    pause(app);
    while (reads > 0 && read_checked(&reader, &from)) {
        reads -= reads < READ_TO_END;
        forget_rows(mark, from);
        pause(app);
    }
    if (reads == 0)
        MARK("a stream is closed before its end");
    end_reading(app);
    forget_rows(mark, ct_key_first());
    app_release_state(app);
    close_stream(reader.stream);
    app->client.faults.stream_stall_before = 0; // it had fewer backend calls
    app_call_ended(app);
}
