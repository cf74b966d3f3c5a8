// Trace Event JSON. Process 1 has a thread for each machine, process 2 one for each row of the
// panels that are shown over time.
#include "harness/report/json.h"
#include "harness/report/execution/report.h"
#include "core/base/grow.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

// A step is a millisecond long, whatever it took: the order is what matters.
enum { MACHINES = 1, TRACKS = 2, STEP_US = 1000 };

// Writes and frees [value].
static void write_value(FILE *out, json_t *value) {
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
    if (!text)
        grow_failed(0, "an export");
    fputs(text, out);
    free(text);
    json_decref(value);
}

// Writes the array as it comes: one event a line.
struct events {
    FILE *out;
    bool is_begun;
};

static void emit(struct events *events, json_t *event) {
    fputs(events->is_begun ? ",\n" : "\n", events->out);
    events->is_begun = true;
    write_value(events->out, event);
}

static json_t *new_event(const char *phase, const char *name, int process, uint32_t thread,
                         uint64_t time_us) {
    json_t *event = json_pack("{s:s, s:i, s:I, s:I}", "ph", phase, "pid", process, "tid",
                              (json_int_t)thread, "ts", (json_int_t)time_us);
    json_object_set_new(event, "name", value_text(name));
    return event;
}

static void name_thread(struct events *events, int process, uint32_t thread, const char *name) {
    json_t *event = new_event("M", "thread_name", process, thread, 0);
    json_object_set_new(event, "args", json_pack("{s:o}", "name", value_text(name)));
    emit(events, event);
    event = new_event("M", "thread_sort_index", process, thread, 0);
    json_object_set_new(event, "args", json_pack("{s:I}", "sort_index", (json_int_t)thread));
    emit(events, event);
}

static void name_process(struct events *events, int process, const char *name) {
    json_t *event = new_event("M", "process_name", process, 0, 0);
    json_object_set_new(event, "args", json_pack("{s:s}", "name", name));
    emit(events, event);
}

// ---- Machines ----------------------------------------------------------------------------------

static json_t *arguments_of(const struct story *story, const struct story_step *step) {
    json_t *arguments = json_object(), *told = json_array();
    json_object_set_new(arguments, "decision", json_integer(step->decision));
    json_object_set_new(arguments, "alternatives", json_integer(step->count));
    if (step->where)
        json_object_set_new(arguments, "where", value_text(step->where));
    for (uint32_t i = 0; i < step->item_count; i++)
        json_array_append_new(told, value_text(story->items[step->first_item + i].text));
    json_object_set_new(arguments, "told", told);
    return arguments;
}

static void emit_instants(struct events *events, const struct story *story, uint32_t index) {
    const struct story_step *step = &story->steps[index];
    for (uint32_t i = 0; i < step->item_count; i++) {
        const struct story_item *item = &story->items[step->first_item + i];
        if (item->kind != SCT_EVENT_NOTE || item->note == SCT_NOTE_PLAIN ||
            item->note == SCT_NOTE_CHOICE)
            continue;
        json_t *event = new_event("i", item->text, MACHINES, item->machine,
                                  (uint64_t)index * STEP_US + STEP_US / 2);
        json_object_set_new(event, "s", json_string("t"));
        json_object_set_new(event, "cat", json_string(report_note_word(item->note)));
        emit(events, event);
    }
}

static void emit_steps(struct events *events, const struct story *story) {
    for (uint32_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        json_t *event = new_event("X", step->label, MACHINES, step->machine, (uint64_t)i * STEP_US);
        json_object_set_new(event, "dur", json_integer(STEP_US));
        json_object_set_new(event, "cat", json_string("step"));
        json_object_set_new(event, "args", arguments_of(story, step));
        emit(events, event);
        emit_instants(events, story, i);
    }
}

// A call served within its caller's step has a slice of its own, so that the arrow ends in one.
static void emit_service(struct events *events, const struct story *story,
                         const struct story_arrow *arrow, uint64_t time_us) {
    if (story->steps[arrow->taken].machine == arrow->to)
        return;
    json_t *event = new_event("X", arrow->label, MACHINES, arrow->to, time_us);
    json_object_set_new(event, "dur", json_integer(STEP_US / 2));
    json_object_set_new(event, "cat", json_string("service"));
    emit(events, event);
}

static void emit_arrow(struct events *events, const struct story *story, uint32_t index) {
    const struct story_arrow *arrow = &story->arrows[index];
    if (arrow->taken == STORY_NOWHERE)
        return;
    uint64_t sent_us = (uint64_t)arrow->sent * STEP_US + 100;
    uint64_t taken_us = (uint64_t)arrow->taken * STEP_US + 200;
    emit_service(events, story, arrow, taken_us);
    json_t *event = new_event("s", arrow->label, MACHINES, arrow->from, sent_us);
    json_object_set_new(event, "cat", json_string("message"));
    json_object_set_new(event, "id", json_integer(index));
    emit(events, event);
    event = new_event("f", arrow->label, MACHINES, arrow->to, taken_us);
    json_object_set_new(event, "cat", json_string("message"));
    json_object_set_new(event, "id", json_integer(index));
    // The arrow ends in the slice that it points into, not at the next one's beginning.
    json_object_set_new(event, "bp", json_string("e"));
    emit(events, event);
}

// ---- Tracks ------------------------------------------------------------------------------------

static const char *value_at(const struct story *story, uint32_t panel, uint32_t step,
                            const char *name) {
    const struct story_step *at = &story->steps[step];
    const struct story_panel *of = &story->panels[panel];
    if (!at->views)
        return NULL;
    const struct story_view *view = &of->views[at->views[panel]];
    for (uint32_t r = 0; r < view->row_count; r++)
        if (strcmp(view->cells[r * of->column_count], name) == 0)
            return view->cells[r * of->column_count + 1];
    return NULL;
}

// One slice for each stretch of steps with the same value.
static void emit_track(struct events *events, const struct story *story, uint32_t panel,
                       const char *name, uint32_t thread) {
    uint32_t begin = 0;
    const char *value = NULL;
    for (uint32_t i = 0; i <= story->step_count; i++) {
        const char *next = i < story->step_count ? value_at(story, panel, i, name) : NULL;
        bool is_same = i < story->step_count && value && next && strcmp(value, next) == 0;
        if (is_same)
            continue;
        if (value) {
            json_t *event = new_event("X", value, TRACKS, thread, (uint64_t)begin * STEP_US);
            json_object_set_new(event, "dur", json_integer((json_int_t)(i - begin) * STEP_US));
            emit(events, event);
        }
        begin = i;
        value = next;
    }
}

// Whether an earlier view of the panel has a row of that name.
// Quadratic in the views: panels that are shown over time have a row or two.
static bool is_in_earlier_view(const struct story_panel *panel, uint32_t view, const char *name) {
    for (uint32_t v = 0; v < view; v++)
        for (uint32_t r = 0; r < panel->views[v].row_count; r++)
            if (strcmp(panel->views[v].cells[r * panel->column_count], name) == 0)
                return true;
    return false;
}

static void emit_panel_tracks(struct events *events, const struct story *story, uint32_t index,
                              uint32_t *thread) {
    const struct story_panel *panel = &story->panels[index];
    for (uint32_t v = 0; v < panel->view_count; v++) {
        const struct story_view *view = &panel->views[v];
        for (uint32_t r = 0; r < view->row_count; r++) {
            char title[200];
            struct text text = text_in(title, sizeof title);
            const char *name = view->cells[r * panel->column_count];
            if (is_in_earlier_view(panel, v, name))
                continue;
            text_add(&text, "%s: %s", panel->form->name, name);
            name_thread(events, TRACKS, *thread, title);
            emit_track(events, story, index, name, (*thread)++);
        }
    }
}

void report_write_chrome(FILE *out, const struct execution_report *run, const struct story *story) {
    struct events events = {.out = out};
    uint32_t thread = 0;
    fputs("{\"displayTimeUnit\": \"ms\", \"otherData\": ", out);
    json_t *other =
        json_pack("{s:o, s:o, s:o}", "model", value_text(run->trace->model), "test",
                  value_text(run->trace->test), "violation",
                  value_text(story->outcome == SCT_VIOLATED ? story->violation.message : "none"));
    write_value(out, other);
    fputs(", \"traceEvents\": [", out);
    name_process(&events, MACHINES, "machines");
    name_process(&events, TRACKS, "states");
    for (uint32_t i = 0; i < story->machine_count; i++)
        name_thread(&events, MACHINES, i, story->machines[i]);
    emit_steps(&events, story);
    for (uint32_t i = 0; i < story->arrow_count; i++)
        emit_arrow(&events, story, i);
    for (uint32_t i = 0; i < story->panel_count; i++)
        if (story->panels[i].form->kind == PANEL_TRACK)
            emit_panel_tracks(&events, story, i, &thread);
    fputs("\n]}\n", out);
}
