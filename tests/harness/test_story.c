// Stories of executions, and the page, the exports and the text made from them.
#define _GNU_SOURCE // open_memstream, memmem
#include "tests/harness/run.h"

#include "core/base/number.h"
#include "harness/report/execution/report.h"
#include "harness/report/execution/symbols.h"

#include <ctype.h>
#include <jansson.h>

// ---- A story of the real model -----------------------------------------------------------------

struct told {
    struct run run;
    struct sct_trace trace;
    struct story story;
    struct execution_report report;
};

// The story of a golden trace.
static void tell(struct told *told, const char *path) {
    struct error error;
    enum bug bug = NO_BUG;
    assert_true(sct_trace_read(path, &told->trace, &error));
    if (strcmp(told->trace.bug, "none") != 0)
        assert_true(bug_find(BUG_MODEL_MIGRATING_TABLE, told->trace.bug, &bug));
    run_open(&told->run, told->trace.test, bug, "random", 1);
    struct sct_replay replay;
    sct_replay_init(&replay, &told->trace);
    story_listen(&told->story, told->run.engine, &told->run.what, told->trace.decision_count);
    const struct sct_result *result =
        sct_engine_run(told->run.engine, &told->run.program, &replay.base, 0);
    story_end(&told->story, told->run.engine, result);
    if (!sct_replay_confirms(&replay, result, &error))
        fail_msg("%s", error.text);
    told->report = (struct execution_report){
        .what = told->run.what,
        .trace = &told->trace,
        .trace_path = path,
        .call = {"mtcheck", NULL},
    };
}

static void forget(struct told *told) {
    story_free(&told->story);
    sct_trace_free(&told->trace);
    run_close(&told->run);
}

#define BACK_UP "tests/traces/bug-03-QueryStreamedBackUpNewStream.trace"
#define MINIMAL_BACK_UP "tests/traces/minimal/bug-03-QueryStreamedBackUpNewStream.trace"

// What [writer] writes; malloc.
static char *written(report_writer writer, const struct execution_report *run,
                     const struct story *story) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    writer(out, run, story);
    assert_int_equal(fclose(out), 0);
    return text;
}

// Each decision of the execution is in the story once, in order: as a turn or as a value.
static void test_story_has_every_decision_once(void **state) {
    (void)state;
    struct told told;
    tell(&told, BACK_UP);
    const struct story *story = &told.story;
    uint32_t next = 0;
    for (uint32_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        assert_int_equal(step->decision, next);
        next += step->count > 1;
        for (uint32_t k = 0; k < step->item_count; k++) {
            const struct story_item *item = &story->items[step->first_item + k];
            if (item->kind != SCT_EVENT_VALUE)
                continue;
            assert_int_equal(item->decision, next++);
            assert_int_equal(item->count, told.trace.decisions[item->decision].count);
            assert_int_equal(item->answer, told.trace.decisions[item->decision].answer);
        }
    }
    assert_int_equal(next, told.trace.decision_count);
    forget(&told);
}

static uint32_t panel_named(const struct story *story, const char *name) {
    for (uint32_t i = 0; i < story->panel_count; i++)
        if (strcmp(story->panels[i].form->name, name) == 0)
            return i;
    fail_msg("no panel '%s'", name);
    return 0;
}

// The panels show the data moving: at first all is in the old table, and it equals the reference;
// the states go on; a view is kept for a change only.
static void test_story_shows_the_tables(void **state) {
    (void)state;
    struct told told;
    tell(&told, BACK_UP);
    const struct story *story = &told.story;
    const struct story_panel *old_table = &story->panels[panel_named(story, "old table")];
    const struct story_panel *new_table = &story->panels[panel_named(story, "new table")];
    const struct story_panel *reference = &story->panels[panel_named(story, "reference")];
    const struct story_panel *states = &story->panels[panel_named(story, "migration state")];
    assert_int_equal(new_table->views[0].row_count, 0);
    assert_true(new_table->views[new_table->view_count - 1].row_count > 0);
    uint32_t first = 0; // fast16 loads its rows in a task
    while (old_table->views[story->steps[first].views[0]].row_count == 0)
        first++;
    assert_int_equal(old_table->views[story->steps[first].views[0]].row_count, 4);
    assert_int_equal(reference->views[story->steps[first].views[2]].row_count, 4);
    assert_string_equal(states->views[1].cells[1], "USE_OLD_HIDE_METADATA");
    for (uint32_t p = 0; p < story->panel_count; p++)
        for (uint32_t v = 1; v < story->panels[p].view_count; v++) {
            const struct story_view *a = &story->panels[p].views[v - 1];
            const struct story_view *b = &story->panels[p].views[v];
            bool is_same = a->row_count == b->row_count;
            for (uint32_t c = 0; is_same && c < a->row_count * story->panels[p].column_count; c++)
                is_same = strcmp(a->cells[c], b->cells[c]) == 0;
            assert_false(is_same);
        }
    forget(&told);
}

static bool is_same_cell(const char *cell, const char *text, size_t length) {
    return strlen(cell) == length && strncmp(cell, text, length) == 0;
}

// Whether [view] has a stream of [machine] on [table] that stands at [place], [length] bytes long.
static bool has_stream(const struct story_view *view, const char *machine, const char *table,
                       const char *place, size_t length) {
    for (uint32_t r = 0; r < view->row_count; r++) {
        const char **row = &view->cells[(size_t)r * 5];
        if (strcmp(row[1], machine) == 0 && strcmp(row[2], table) == 0 &&
            is_same_cell(row[4], place, length))
            return true;
    }
    return false;
}

// After a read of a backend stream its row says where it stands: behind the row that it gave, or
// at its end unless it has been closed at once. A stream that was closed has no row.
static void test_story_shows_where_streams_stand(void **state) {
    (void)state;
    struct told told;
    tell(&told, MINIMAL_BACK_UP);
    const struct story *story = &told.story;
    uint32_t p = panel_named(story, "open streams"), behind = 0, ended = 0, given_rows = 0;
    const struct story_panel *panel = &story->panels[p];
    for (uint32_t i = 0; i < story->item_count; i++) {
        const struct story_item *item = &story->items[i];
        const char *read = strstr(item->text, ".read-stream -> ");
        uint32_t s = 0;
        while (s + 1 < story->step_count && story->steps[s + 1].first_item <= i)
            s++;
        if (!read || item->kind != SCT_EVENT_NOTE || !story->steps[s].views)
            continue;
        const struct story_view *view = &panel->views[story->steps[s].views[p]];
        const char *machine = story->machines[item->machine], *given = strchr(read, '{');
        const char *table = strncmp(item->text, "old.", 4) == 0 ? "old table" : "new table";
        if (!given) {
            ended += has_stream(view, machine, table, "at its end", strlen("at its end"));
            continue;
        }
        char place[100];
        snprintf(place, sizeof place, "behind %.*s", (int)strcspn(given + 1, " "), given + 1);
        given_rows++;
        behind += has_stream(view, machine, table, place, strlen(place));
    }
    assert_true(given_rows > 1);
    assert_int_equal(behind, given_rows);
    assert_true(ended > 0);
    assert_int_equal(panel->views[0].row_count, 0);
    forget(&told);
}

// Steps say of which task they are: the bug's line is passed by the one that applies a new state to
// a stream, not by the one that reads it. Alternatives say of which they would have been.
static void test_story_names_tasks(void **state) {
    (void)state;
    struct told told;
    tell(&told, MINIMAL_BACK_UP);
    uint32_t meetings = 0;
    for (uint32_t i = 1; i < told.story.step_count; i++) {
        const struct story_step *step = &told.story.steps[i];
        uint32_t lines = *step->others != 0, tabs = 0;
        for (const char *c = step->others; *c; c++) {
            lines += *c == '\n';
            tabs += *c == '\t';
        }
        assert_int_equal(lines, step->count - 1);
        assert_int_equal(tabs, 3 * lines);
        if (!step->is_marked)
            continue;
        assert_string_equal(step->task, "apply configuration");
        meetings++;
    }
    assert_true(meetings >= 1);
    forget(&told);
}

// What was expected and what came is there as lines; the bug's line is passed before the end.
static void test_story_explains_the_violation(void **state) {
    (void)state;
    struct told told;
    tell(&told, BACK_UP);
    const struct story *story = &told.story;
    uint32_t expected = 0, actual = 0, meetings = 0;
    for (uint32_t i = 0; i < story->item_count; i++) {
        bool is_note = story->items[i].kind == SCT_EVENT_NOTE;
        expected += is_note && story->items[i].note == SCT_NOTE_EXPECTED;
        actual += is_note && story->items[i].note == SCT_NOTE_ACTUAL;
    }
    for (uint32_t i = report_beginning(story); i < story->step_count; i++)
        meetings += story->steps[i].is_marked;
    assert_true(expected >= 1);
    assert_int_equal(actual, 1);
    assert_true(meetings >= 1);
    assert_true(report_beginning(story) > 0);
    forget(&told);
}

// ---- Exports -----------------------------------------------------------------------------------

static size_t count_phase(const json_t *events, const char *phase, const char *category) {
    size_t count = 0;
    for (size_t i = 0; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        const char *found = json_string_value(json_object_get(event, "ph"));
        const char *cat = json_string_value(json_object_get(event, "cat"));
        count += strcmp(found, phase) == 0 && (!category || (cat && strcmp(cat, category) == 0));
    }
    return count;
}

static json_t *parse(const char *text) {
    json_error_t error;
    json_t *value = json_loads(text, JSON_REJECT_DUPLICATES, &error);
    if (!value)
        fail_msg("not JSON: line %d: %s", error.line, error.text);
    return value;
}

// Trace Event JSON: a slice for each step, two ends for each arrow that arrived, names for all
// threads; times never go back on a thread.
static void test_chrome_export(void **state) {
    (void)state;
    struct told told;
    tell(&told, BACK_UP);
    char *text = written(report_write_chrome, &told.report, &told.story);
    json_t *root = parse(text);
    const json_t *events = json_object_get(root, "traceEvents");
    size_t arrived = 0;
    for (uint32_t i = 0; i < told.story.arrow_count; i++)
        arrived += told.story.arrows[i].taken != STORY_NOWHERE;
    assert_true(arrived > 50);
    assert_int_equal(count_phase(events, "X", "step"), told.story.step_count);
    assert_int_equal(count_phase(events, "s", "message"), arrived);
    assert_int_equal(count_phase(events, "f", "message"), arrived);
    assert_true(count_phase(events, "i", "point") > 0);
    assert_true(count_phase(events, "M", NULL) > told.story.machine_count);
    json_decref(root);
    free(text);
    forget(&told);
}

// The clock that the line "HOST {...}" gives HOST itself.
static unsigned own_clock(const char *line) {
    char quoted[100];
    const char *space = strchr(line, ' ');
    assert_non_null(space);
    snprintf(quoted, sizeof quoted, "\"%.*s\":", (int)(space - line), line);
    const char *at = strstr(line, quoted);
    assert_non_null(at);
    uint64_t clock = 0;
    assert_true(number_scan(at + strlen(quoted), 10, UINT32_MAX, &clock) > 0);
    return (unsigned)clock;
}

// ShiViz: the expression, an empty line, then pairs of lines; each machine's own clock counts its
// events from 1 on, and the clocks are JSON.
static void test_shiviz_export(void **state) {
    (void)state;
    struct told told;
    tell(&told, BACK_UP);
    char *text = written(report_write_shiviz, &told.report, &told.story);
    unsigned clocks[STORY_MACHINES_MAX] = {0}, events = 0;
    char *line = strtok(text, "\n");
    assert_string_equal(line, "(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})");
    while ((line = strtok(NULL, "\n"))) {
        char *clock = strtok(NULL, "\n");
        assert_non_null(clock);
        json_decref(parse(strchr(clock, ' ')));
        for (uint32_t m = 0; m < told.story.machine_count; m++) {
            size_t length = strlen(told.story.machines[m]);
            if (strncmp(clock, told.story.machines[m], length) == 0 && clock[length] == ' ')
                assert_int_equal(own_clock(clock), ++clocks[m]);
        }
        events++;
    }
    assert_true(events >= told.story.step_count);
    free(text);
    forget(&told);
}

// ---- The page ----------------------------------------------------------------------------------

// The page's data.
static json_t *page_data(const char *page) {
    const char *begin = strstr(page, "id=\"data\">");
    assert_non_null(begin);
    begin += strlen("id=\"data\">");
    const char *end = strstr(begin, "</script>");
    assert_non_null(end);
    json_error_t error;
    json_t *value = json_loadb(begin, (size_t)(end - begin), 0, &error);
    if (!value)
        fail_msg("not JSON: %s", error.text);
    return value;
}

// The page has all its parts and no address to load from; its data are those of the story.
static void test_page_is_complete(void **state) {
    (void)state;
    struct told told;
    tell(&told, BACK_UP);
    char *page = written(report_write_page, &told.report, &told.story);
    assert_true(strncmp(page, "<!doctype html>", 15) == 0);
    assert_null(strstr(page, "/*STYLE*/"));
    assert_null(strstr(page, "/*SCRIPT*/"));
    assert_null(strstr(page, "/*DATA*/"));
    assert_null(strstr(page, "src="));
    assert_null(strstr(page, "@import"));
    assert_null(strstr(page, "https:"));
    json_t *data = page_data(page);
    assert_int_equal(json_array_size(json_object_get(data, "steps")), told.story.step_count);
    assert_int_equal(json_array_size(json_object_get(data, "arrows")), told.story.arrow_count);
    assert_int_equal(json_array_size(json_object_get(data, "panels")), 6);
    assert_int_equal(json_array_size(json_object_get(data, "commands")), 2);
    assert_string_equal(json_string_value(json_object_get(json_object_get(data, "bug"), "name")),
                        "QueryStreamedBackUpNewStream");
    json_decref(data);
    free(page);
    forget(&told);
}

// The first item of kind [kind] whose note has [text].
static const json_t *item_of(const json_t *data, const char *kind, const char *text) {
    const json_t *steps = json_object_get(data, "steps");
    for (size_t i = 0; i < json_array_size(steps); i++) {
        const json_t *items = json_object_get(json_array_get(steps, i), "i");
        for (size_t k = 0; k < json_array_size(items); k++) {
            const json_t *item = json_array_get(items, k);
            if (strcmp(json_string_value(json_object_get(item, "k")), kind) == 0 &&
                strstr(json_string_value(json_object_get(item, "t")), text))
                return item;
        }
    }
    fail_msg("no %s '%s'", kind, text);
    return NULL;
}

static void assert_has(const json_t *value, const char *text) {
    if (!value || !strstr(json_string_value(value), text))
        fail_msg("'%s' does not have '%s'", value ? json_string_value(value) : "", text);
}

// A step that begins after a wait is told apart from those that begin at a call.
static void test_story_knows_who_has_waited(void **state) {
    (void)state;
    struct told told;
    uint32_t waits = 0;
    tell(&told, BACK_UP);
    for (uint32_t i = 0; i < told.story.step_count; i++) {
        const struct story_step *step = &told.story.steps[i];
        bool is_wait = strcmp(step->label, "the next message") == 0 ||
                       strcmp(step->label, "the next request") == 0;
        bool is_other = strcmp(step->label, "reply") == 0 || strcmp(step->label, "main") == 0;
        if (is_wait && !step->has_waited)
            fail_msg("step %u, '%s', has not waited", i, step->label);
        if ((is_other || step->where) && step->has_waited)
            fail_msg("step %u, '%s', has waited", i, step->label);
        waits += is_wait;
    }
    assert_true(waits > 0);
    forget(&told);
}

// A reader who does not know the code gets words: for calls and states, not for what only the
// checking said; the values of states in their order; what the second opinion is.
static void test_page_has_words(void **state) {
    (void)state;
    struct told told;
    tell(&told, BACK_UP);
    snprintf(told.story.violation.remark, sizeof told.story.violation.remark, "a second opinion");
    char *page = written(report_write_page, &told.report, &told.story);
    json_t *data = page_data(page);
    const json_t *item = item_of(data, "note", "new.read-stream");
    assert_has(json_object_get(item, "r"), "reads on in the new table's stream, gets ");
    item = item_of(data, "state", "receives PREFER_NEW");
    assert_has(json_object_get(item, "r"), "takes the configuration PREFER_NEW");
    item = item_of(data, "note", "annotation -> the ETag of");
    assert_has(json_object_get(item, "r"), "without a visible change the ETag of '");
    item = item_of(data, "check", "annotation -> taken");
    assert_null(json_object_get(item, "r"));
    item = item_of(data, "expected", "");
    assert_null(json_object_get(item, "x"));
    const json_t *panels = json_object_get(data, "panels");
    const json_t *states = json_array_get(panels, panel_named(&told.story, "migration state"));
    const json_t *third = json_array_get(json_object_get(states, "values"), 2);
    assert_has(json_array_get(third, 0), "PREFER_NEW");
    assert_has(json_array_get(third, 1), "writes go to the new table");
    const json_t *violation = json_object_get(data, "violation");
    assert_has(json_object_get(violation, "remark"), "a second opinion");
    json_decref(data);
    free(page);
    forget(&told);
}

// ---- A program that means harm -----------------------------------------------------------------

#define HOSTILE "</script><script>alert(1)</script><!-- \"'\\ \x01 \xff /*DATA*/"

static const char *const hostile_columns[] = {HOSTILE, NULL};
static const struct term hostile_values[] = {{HOSTILE, HOSTILE}, {NULL, NULL}};
static const struct panel_form hostile_form = {HOSTILE, PANEL_TABLE,    HOSTILE, hostile_columns,
                                               1,       hostile_values, NULL};

static void hostile_show(const void *context, struct panel_sink *sink) {
    (void)context;
    panel_begin(sink, &hostile_form);
    panel_cell(sink, "%s", HOSTILE);
}

static void hostile_task(void *argument) {
    (void)argument;
    sct_point(HOSTILE, HOSTILE, &sct_access_unknown);
    sct_choose(2, HOSTILE);
    sct_note("%s\n%s", HOSTILE, HOSTILE);
    sct_violation("wrong", "%s", HOSTILE);
}

static void hostile_setup(void *context) {
    (void)context;
    sct_task_start(sct_machine_create(HOSTILE), HOSTILE, hostile_task, NULL);
    sct_task_start(sct_machine_create("b \"}{"), "b", hostile_task, NULL);
}

// Not by a bad address: the undefined-behaviour sanitizer would see it first.
__attribute__((noinline)) static void crash_here(const void *nowhere) {
    if (!nowhere)
        __builtin_trap();
}

static void crash_task(void *argument) {
    crash_here(argument);
    sct_point("never", HERE, &sct_access_unknown);
}

static void crash_setup(void *context) {
    (void)context;
    sct_task_start(sct_machine_create("victim"), "main", crash_task, NULL);
}

static const struct subject_view hostile_view = {.show = hostile_show};
static const struct subject_test hostile = {.name = HOSTILE,
                                            .summary = HOSTILE,
                                            .program = {.setup = hostile_setup},
                                            .view = &hostile_view};
static const struct subject_test crashing = {
    .name = "crash", .summary = "a crash", .program = {.setup = crash_setup}};

// Tells [test]'s execution of one seed.
static void tell_own(struct told *told, const struct subject_test *test, uint64_t seed) {
    struct error error;
    memset(told, 0, sizeof *told);
    told->run.engine = sct_engine_open(&(struct sct_engine_options){.catch_signals = true});
    told->run.strategy = sct_strategy_new("random", &error);
    told->run.what =
        (struct subject_run){.subject = subject_find(models, MODEL_NAME), .test = test};
    struct sct_program program = subject_program(told->run.what.subject, test, &told->run.bugs);
    story_listen(&told->story, told->run.engine, &told->run.what, 0);
    const struct sct_result *result =
        sct_engine_run(told->run.engine, &program, told->run.strategy, seed);
    story_end(&told->story, told->run.engine, result);
    told->report = (struct execution_report){.what = told->run.what,
                                             .trace = &told->trace,
                                             .trace_path = HOSTILE,
                                             .call = {HOSTILE, NULL}};
}

// Whatever text the system under test brings: the page has the template's elements and no more, and
// its data say what the text was.
static void test_hostile_text_stays_text(void **state) {
    (void)state;
    struct told harmless, harm;
    tell(&harmless, BACK_UP);
    char *page = written(report_write_page, &harmless.report, &harmless.story);
    forget(&harmless);
    size_t elements = 0, found = 0;
    for (const char *at = page; (at = strstr(at, "<script")); at++)
        elements++;
    free(page);
    tell_own(&harm, &hostile, 1);
    page = written(report_write_page, &harm.report, &harm.story);
    for (const char *at = page; (at = strstr(at, "<script")); at++)
        found++;
    assert_int_equal(found, elements);
    json_t *data = page_data(page);
    const char *name = json_string_value(json_array_get(json_object_get(data, "machines"), 1));
    assert_non_null(name);
    assert_true(strncmp(name, "</script><script>", 17) == 0 || strncmp(name, "b ", 2) == 0);
    json_decref(data);
    free(page);
    char *text = written(report_write_chrome, &harm.report, &harm.story);
    json_decref(parse(text));
    free(text);
    text = written(report_write_shiviz, &harm.report, &harm.story);
    assert_non_null(strstr(text, "\nb____ {\"b____\":1"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        for (const char *c = line; *c; c++)
            assert_true((unsigned char)*c >= ' ');
    free(text);
    forget(&harm);
}

// Of an execution whose table is not empty at first: two of three are.
static void tell_schema_upgrade(struct told *told) {
    const struct subject *model = subject_find(models, "schema-upgrade");
    for (uint64_t seed = 1; seed < 40; seed++) {
        tell_own(told, subject_test(model, NULL), seed);
        const struct story_panel *table = &told->story.panels[panel_named(&told->story, "table")];
        if (table->views[0].row_count > 0)
            return;
        forget(told);
    }
    fail_msg("every table was empty");
}

// The other model shows its table and the releases, too; a release once it changes.
static void test_schema_upgrade_shows_itself(void **state) {
    (void)state;
    struct told told;
    tell_schema_upgrade(&told);
    const struct story *story = &told.story;
    const struct story_panel *table = &story->panels[panel_named(story, "table")];
    const struct story_panel *releases = &story->panels[panel_named(story, "release")];
    assert_int_equal(story->panel_count, 2);
    assert_true(table->view_count > 1);
    assert_string_equal(releases->views[0].cells[0], "server-0");
    assert_string_equal(releases->views[0].cells[1], "R1-strict");
    assert_string_equal(releases->views[releases->view_count - 1].cells[1], "R3");
    assert_string_equal(table->views[0].cells[0], "'athgr'");
    assert_non_null(strstr(table->views[0].cells[2], "SchemaVersion='1.0'"));
    forget(&told);
}

// ---- Text --------------------------------------------------------------------------------------

static char *written_text(const struct report_text_options *options, const struct story *story) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    report_write_text(out, options, story);
    assert_int_equal(fclose(out), 0);
    return text;
}

// No line is wider than asked, in several widths; colours only where asked for; the expected and
// the actual stand side by side in signs.
static void test_text_keeps_its_width(void **state) {
    (void)state;
    struct told told;
    tell(&told, BACK_UP);
    for (unsigned width = 60; width <= 200; width += 20) {
        struct report_text_options options = {.width = width, .shows_all = width > 100};
        char *text = written_text(&options, &told.story);
        assert_null(strchr(text, '\033'));
        assert_non_null(strstr(text, "expected (-) and actual (+)\n    - "));
        assert_non_null(strstr(text, "\n    + the end\n"));
        assert_non_null(strstr(text, "where everyone stands\n"));
        assert_true((strstr(text, "the last 12 of ") == NULL) == options.shows_all);
        for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
            if (strlen(line) > width)
                fail_msg("%zu columns, wanted %u: '%s'", strlen(line), width, line);
        free(text);
    }
    struct report_text_options options = {.width = 80, .use_color = true};
    char *text = written_text(&options, &told.story);
    assert_non_null(strchr(text, '\033'));
    free(text);
    forget(&told);
}

// A crash is told with the function in which it happened, and so is where the task stood.
static void test_text_has_the_backtrace_of_a_crash(void **state) {
    (void)state;
    struct told told;
    tell_own(&told, &crashing, 1);
    assert_string_equal(told.story.violation.kind, SCT_KIND_CRASH);
    struct report_text_options options = {.width = 80};
    char *text = written_text(&options, &told.story);
    assert_non_null(strstr(text, "  backtrace\n    #0  crash_here"));
    assert_non_null(strstr(text, "victim      main: was running, in crash_here"));
    free(text);
    forget(&told);
}

// The symbol table knows static functions; without one nothing is known and nothing breaks.
static void test_symbols(void **state) {
    (void)state;
    struct symbols *symbols = symbols_open();
    assert_non_null(symbols);
    const char *name =
        symbols_name(symbols, (const void *)((uintptr_t)test_text_keeps_its_width + 5));
    assert_non_null(name);
    assert_true(strncmp(name, "test_text_keeps_its_width", 25) == 0);
    assert_null(symbols_name(symbols, NULL));
    assert_null(symbols_name(NULL, (const void *)(uintptr_t)test_symbols));
    symbols_close(symbols);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story_has_every_decision_once),
        cmocka_unit_test(test_story_shows_the_tables),
        cmocka_unit_test(test_story_shows_where_streams_stand),
        cmocka_unit_test(test_story_names_tasks),
        cmocka_unit_test(test_story_explains_the_violation),
        cmocka_unit_test(test_chrome_export),
        cmocka_unit_test(test_shiviz_export),
        cmocka_unit_test(test_page_is_complete),
        cmocka_unit_test(test_story_knows_who_has_waited),
        cmocka_unit_test(test_page_has_words),
        cmocka_unit_test(test_hostile_text_stays_text),
        cmocka_unit_test(test_schema_upgrade_shows_itself),
        cmocka_unit_test(test_text_keeps_its_width),
        cmocka_unit_test(test_text_has_the_backtrace_of_a_crash),
        cmocka_unit_test(test_symbols),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
