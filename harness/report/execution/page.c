// The page: a template (page.html, page.css and the script page_*.js, embedded by embed.cmake)
// around the story as JSON. The script draws; nothing is loaded from anywhere.
#include "core/base/grow.h"
#include "harness/report/json.h"
#include "harness/report/execution/page_parts.h"
#include "harness/report/plain.h"
#include "harness/report/execution/report.h"
#include "harness/report/execution/symbols.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// ---- Values ------------------------------------------------------------------------------------

static void set(json_t *object, const char *name, json_t *value) {
    if (json_object_set_new(object, name, value) != 0)
        grow_failed(0, "the report");
}

static json_t *json_calls(const struct symbols *symbols, const void *const *frames, size_t count) {
    char buffer[600];
    struct text text = text_in(buffer, sizeof buffer);
    symbols_calls(symbols, frames, count, 8, &text);
    return value_text(buffer);
}

// ---- The run -----------------------------------------------------------------------------------

static json_t *json_variant(const struct variant *variant) {
    if (!variant)
        return json_null();
    return json_pack("{s:i, s:s, s:s, s:s}", "id", variant->number, "name", variant->name, "kind",
                     variant->kind, "summary", variant->summary);
}

static void add_replay(json_t *commands, const struct execution_report *run, const char *path,
                       const char *remark) {
    char buffer[6000];
    struct text text = text_in(buffer, sizeof buffer);
    if (!path || !*path)
        return;
    text_add(&text, "%s --replay ", run->call.command);
    plain_add_word(&text, path);
    text_add(&text, " --verbose%s%s", report_call_end(run->call), remark);
    json_array_append_new(commands, value_text(buffer));
}

// Command lines that run the same execution again; single quotes keep the shell out. The way to a
// minimised one leads over the original.
static json_t *json_commands(const struct execution_report *run) {
    char buffer[6000];
    json_t *commands = json_array();
    const struct sct_trace *trace = run->trace;
    add_replay(commands, run, run->trace_path, "");
    add_replay(commands, run, run->original_path, "  # before it was minimized");
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "%s", run->call.command);
    if (run->what.subject->variants) // one of several models
        text_add(&text, " --model %s", trace->model);
    if (run->what.subject->tests[1])
        text_add(&text, " --test %s", trace->test);
    text_add(&text, " --strategy '%s' --seed %" PRIu64, trace->strategy, trace->seed);
    if (run->what.variant)
        text_add(&text, " --bug %d", run->what.variant->number);
    text_add(&text, " --only-iteration %" PRIu64 " --%s%s", trace->iteration,
             run->is_minimized ? "minimize" : "verbose", report_call_end(run->call));
    json_array_append_new(commands, value_text(buffer));
    return commands;
}

static json_t *json_terms(const struct term *terms) {
    json_t *array = json_array();
    for (const struct term *term = terms; term && term->word; term++)
        json_array_append_new(array, json_pack("[s, s]", term->word, term->meaning));
    return array;
}

static json_t *json_violation(const struct story *story, const struct symbols *symbols) {
    const struct sct_violation *violation = &story->violation;
    if (story->outcome != SCT_VIOLATED)
        return json_null();
    json_t *object = json_object();
    set(object, "kind", value_text(violation->kind));
    set(object, "machine", value_text(violation->machine));
    set(object, "message", value_text(violation->message));
    set(object, "remark", value_text(violation->remark));
    set(object, "where", value_text(violation->where));
    set(object, "calls", json_calls(symbols, violation->frames, violation->frame_count));
    return object;
}

static json_t *json_explanation(const struct execution_report *run) {
    json_t *array = json_array();
    for (size_t i = 0; i < run->explanation_count; i++)
        json_array_append_new(array, value_text(run->explanation[i]));
    return array;
}

static void set_run(json_t *object, const struct execution_report *run) {
    const struct sct_trace *trace = run->trace;
    set(object, "tool", json_string("mtcheck"));
    set(object, "version", json_string(MTCHECK_VERSION));
    set(object, "schema_version", json_integer(1));
    set(object, "model", value_text(run->what.subject->name));
    set(object, "model_summary", value_text(run->what.subject->summary));
    set(object, "test", value_text(run->what.test->name));
    set(object, "bug", json_variant(run->what.variant));
    set(object, "strategy", value_text(trace->strategy));
    // As text: a number in JavaScript keeps 53 bits.
    set(object, "seed", value_digits("%" PRIu64, trace->seed));
    set(object, "iteration", value_digits("%" PRIu64, trace->iteration));
    set(object, "commands", json_commands(run));
    set(object, "terms", json_terms(subject_view(run->what.test)->terms));
    set(object, "step_words", json_terms(subject_view(run->what.test)->steps));
    set(object, "is_minimized", json_boolean(run->is_minimized));
    set(object, "explanation", json_explanation(run));
}

// ---- The story ---------------------------------------------------------------------------------

// Adds the test's words for a note, where it has better ones.
static void set_words(json_t *object, const struct story *story, const struct story_item *item) {
    char buffer[4000];
    struct text text = text_in(buffer, sizeof buffer);
    if (item->kind != SCT_EVENT_NOTE || !story->view->retell)
        return;
    if (item->note == SCT_NOTE_CHECK || item->note == SCT_NOTE_EXPECTED ||
        item->note == SCT_NOTE_ACTUAL || item->note == SCT_NOTE_EVIDENCE ||
        item->note == SCT_NOTE_CHOICE)
        return; // what only the checking said
    if (story->view->retell(&text, item->note, item->text) == RETOLD_NOTHING)
        set(object, "x", json_true());
    else if (strcmp(buffer, item->text) != 0)
        set(object, "r", value_text(buffer));
}

static json_t *json_item(const struct story *story, const struct story_item *item) {
    static const char *const words[] = {
        [SCT_EVENT_VALUE] = "value",
        [SCT_EVENT_TASK_STARTED] = "start",
        [SCT_EVENT_TASK_ENDED] = "end",
    };
    json_t *object = json_object();
    set(object, "k",
        json_string(item->kind == SCT_EVENT_NOTE ? report_note_word(item->note)
                                                 : words[item->kind]));
    set(object, "m", value_number(item->machine));
    set(object, "t", value_text(item->text));
    set_words(object, story, item);
    if (item->kind == SCT_EVENT_VALUE) {
        set(object, "d", value_number(item->decision));
        set(object, "n", value_number(item->count));
        set(object, "a", value_number(item->answer));
    }
    return object;
}

static json_t *json_views(const struct story *story, const struct story_step *step) {
    json_t *views = json_array();
    for (uint32_t i = 0; step->views && i < story->panel_count; i++)
        json_array_append_new(views, value_number(step->views[i]));
    return views;
}

static json_t *json_step(const struct story *story, const struct story_step *step) {
    json_t *object = json_object();
    set(object, "m", value_number(step->machine));
    set(object, "l", value_text(step->label));
    if (*step->task)
        set(object, "k", value_text(step->task));
    set(object, "d", value_number(step->decision));
    if (step->where)
        set(object, "w", value_text(step->where));
    // The line itself, for the page is read where the sources are not.
    if (step->where && story->view->source && story->view->source(step->where))
        set(object, "s", value_text(story->view->source(step->where)));
    if (step->count > 1) {
        set(object, "n", value_number(step->count));
        set(object, "a", value_number(step->answer));
        set(object, "o", value_text(step->others));
    }
    if (step->has_waited)
        set(object, "z", json_true());
    if (step->is_marked)
        set(object, "b", json_true());
    json_t *items = json_array();
    for (uint32_t i = 0; i < step->item_count; i++)
        json_array_append_new(items, json_item(story, &story->items[step->first_item + i]));
    set(object, "i", items);
    set(object, "v", json_views(story, step));
    return object;
}

static json_t *json_arrow(const struct story_arrow *arrow) {
    json_int_t taken = arrow->taken == STORY_NOWHERE ? -1 : (json_int_t)arrow->taken;
    json_t *array = json_pack("[I, I, I, I]", (json_int_t)arrow->from, (json_int_t)arrow->to,
                              (json_int_t)arrow->sent, taken);
    json_array_append_new(array, value_text(arrow->label));
    return array;
}

static json_t *json_view(const struct story_panel *panel, const struct story_view *view) {
    json_t *rows = json_array();
    for (uint32_t r = 0; r < view->row_count; r++) {
        json_t *row = json_array();
        for (uint32_t c = 0; c < panel->column_count; c++)
            json_array_append_new(row, value_text(view->cells[r * panel->column_count + c]));
        json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *json_panel(const struct story_panel *panel) {
    static const char *const kinds[] = {
        [PANEL_TABLE] = "table", [PANEL_ASIDE] = "aside", [PANEL_TRACK] = "track"};
    json_t *object = json_object(), *columns = json_array(), *views = json_array();
    set(object, "name", value_text(panel->form->name));
    set(object, "kind", json_string(kinds[panel->form->kind]));
    set(object, "summary", value_text(panel->form->summary));
    set(object, "keys", value_number(panel->form->key_count));
    set(object, "values", json_terms(panel->form->values));
    set(object, "signs", value_text(panel->form->signs));
    for (uint32_t i = 0; i < panel->column_count; i++)
        json_array_append_new(columns, value_text(panel->form->columns[i]));
    for (uint32_t i = 0; i < panel->view_count; i++)
        json_array_append_new(views, json_view(panel, &panel->views[i]));
    set(object, "columns", columns);
    set(object, "views", views);
    return object;
}

static json_t *json_place(const struct story_place *place, const struct symbols *symbols) {
    json_t *object = json_object();
    set(object, "machine", value_text(place->machine));
    set(object, "name", value_text(place->name));
    set(object, "label", value_text(place->label));
    set(object, "where", value_text(place->where));
    set(object, "waits_for", value_text(place->waits_for));
    set(object, "is_runnable", json_boolean(place->is_runnable));
    set(object, "is_idle", json_boolean(place->is_idle));
    set(object, "was_running", json_boolean(place->was_running));
    set(object, "calls", json_calls(symbols, place->frames, place->frame_count));
    return object;
}

static void set_story(json_t *object, const struct story *story, const struct symbols *symbols) {
    static const char *const outcomes[] = {[SCT_PASSED] = "passed",
                                           [SCT_VIOLATED] = "violation",
                                           [SCT_STEP_LIMIT] = "step-limit",
                                           [SCT_DIVERGED] = "diverged"};
    json_t *machines = json_array(), *steps = json_array(), *arrows = json_array();
    json_t *panels = json_array(), *places = json_array();
    for (uint32_t i = 0; i < story->machine_count; i++)
        json_array_append_new(machines, value_text(story->machines[i]));
    for (uint32_t i = 0; i < story->step_count; i++)
        json_array_append_new(steps, json_step(story, &story->steps[i]));
    for (uint32_t i = 0; i < story->arrow_count; i++)
        json_array_append_new(arrows, json_arrow(&story->arrows[i]));
    for (uint32_t i = 0; i < story->panel_count; i++)
        json_array_append_new(panels, json_panel(&story->panels[i]));
    for (uint32_t i = 0; i < story->place_count; i++)
        json_array_append_new(places, json_place(&story->places[i], symbols));
    set(object, "outcome", json_string(outcomes[story->outcome]));
    set(object, "decisions", value_number(story->decision_count));
    set(object, "skipped_steps", value_number(story->skipped_steps));
    set(object, "beginning", value_number(report_beginning(story)));
    set(object, "violation", json_violation(story, symbols));
    set(object, "machines", machines);
    set(object, "steps", steps);
    set(object, "arrows", arrows);
    set(object, "panels", panels);
    set(object, "places", places);
}

// ---- The page ----------------------------------------------------------------------------------

// No text can end the script element or begin a comment: there is no "<" left.
// ASCII alone, so that the page is right whatever encoding a server tells.
static void write_data(FILE *out, const struct execution_report *run, const struct story *story) {
    struct symbols *symbols = symbols_open();
    json_t *object = json_object();
    set_run(object, run);
    set_story(object, story, symbols);
    char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (!text)
        grow_failed(0, "the report");
    for (const char *c = text; *c; c++) {
        if (*c == '<')
            fputs("\\u003c", out);
        else
            fputc(*c, out);
    }
    free(text);
    json_decref(object);
    symbols_close(symbols);
}

void report_write_page(FILE *out, const struct execution_report *run, const struct story *story) {
    static const char style[] = "/*STYLE*/", script[] = "/*SCRIPT*/", data[] = "/*DATA*/";
    const char *rest = (const char *)page_html;
    const char *at;
    // The places are marked by comments of the template; any other comment is copied.
    while ((at = strstr(rest, "/*"))) {
        fwrite(rest, 1, (size_t)(at - rest), out);
        if (strncmp(at, style, sizeof style - 1) == 0) {
            fputs((const char *)page_css, out);
            rest = at + sizeof style - 1;
        } else if (strncmp(at, script, sizeof script - 1) == 0) {
            fputs((const char *)page_js, out);
            rest = at + sizeof script - 1;
        } else if (strncmp(at, data, sizeof data - 1) == 0) {
            write_data(out, run, story);
            rest = at + sizeof data - 1;
        } else {
            fputs("/*", out);
            rest = at + 2;
        }
    }
    fputs(rest, out);
}
