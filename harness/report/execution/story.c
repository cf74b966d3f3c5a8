#include "harness/report/execution/story.h"
#include "core/base/grow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STRINGS_BYTES = 1 << 30 };

// A panel being written. Cells are kept one behind the other, each with its NUL.
struct panel_sink {
    struct story *story;
    struct story_panel *panel; // NULL: before the first
    char *data;
    size_t length, capacity;
    uint32_t cell_count;
};

// ---- Memory ------------------------------------------------------------------------------------

static const char memory_name[] = "the story of an execution";

// The address of a new last element of one of the story's arrays.
#define APPEND(array, count, capacity) \
    (GROW((array), (count) + 1, (capacity), memory_name), &(array)[(count)++])

static const char *copied(struct story *story, const char *text) {
    return sct_recording_text(&story->recording, text);
}

static uint32_t machine_index(struct story *story, const char *name) {
    for (uint32_t i = 0; i < story->machine_count; i++)
        if (strcmp(story->machines[i], name) == 0)
            return i;
    if (story->machine_count == STORY_MACHINES_MAX)
        return STORY_MACHINES_MAX - 1; // the rest share a lane
    story->machines[story->machine_count] = copied(story, name);
    return story->machine_count++;
}

// ---- Panels ------------------------------------------------------------------------------------

static void reserve_bytes(struct panel_sink *sink, size_t bytes) {
    if (sink->length + bytes <= sink->capacity)
        return;
    sink->capacity = (sink->length + bytes) * 2;
    sink->data = grow_to(sink->data, sink->capacity, 1, memory_name);
}

// With the last one alone: most steps change nothing.
static bool is_same_view(const struct panel_sink *sink, const struct story_panel *panel) {
    const struct story_view *last = &panel->views[panel->view_count - 1];
    if (last->row_count * panel->column_count != sink->cell_count)
        return false;
    const char *cell = sink->data;
    for (uint32_t i = 0; i < sink->cell_count; i++, cell += strlen(cell) + 1)
        if (strcmp(cell, last->cells[i]) != 0)
            return false;
    return true;
}

// Keeps what was written, if it is news.
static void end_panel(struct panel_sink *sink) {
    struct story_panel *panel = sink->panel;
    if (!panel)
        return;
    ASSERT(sink->cell_count % panel->column_count == 0);
    if (panel->view_count > 0 && is_same_view(sink, panel))
        return;
    struct arena *arena = &sink->story->recording.arena;
    struct story_view *view = APPEND(panel->views, panel->view_count, panel->view_capacity);
    view->row_count = sink->cell_count / panel->column_count;
    view->cells = ARENA_ARRAY(arena, const char *, sink->cell_count);
    const char *cell = sink->data;
    for (uint32_t i = 0; i < sink->cell_count; i++, cell += strlen(cell) + 1)
        view->cells[i] = copied(sink->story, cell);
}

void panel_begin(struct panel_sink *sink, const struct panel_form *form) {
    struct story *story = sink->story;
    end_panel(sink);
    sink->length = 0;
    sink->cell_count = 0;
    sink->panel = sink->panel ? sink->panel + 1 : story->panels;
    ASSERT(sink->panel < story->panels + STORY_PANELS_MAX);
    if (sink->panel == story->panels + story->panel_count) {
        story->panel_count++;
        *sink->panel = (struct story_panel){.form = form};
        while (form->columns[sink->panel->column_count])
            sink->panel->column_count++;
    }
    ASSERT(sink->panel->form == form);
}

void panel_cell(struct panel_sink *sink, const char *format, ...) {
    char cell[2048];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(cell, sizeof cell, format, arguments);
    va_end(arguments);
    size_t bytes = strlen(cell) + 1;
    reserve_bytes(sink, bytes);
    memcpy(sink->data + sink->length, cell, bytes);
    sink->length += bytes;
    sink->cell_count++;
}

// What the panels show now is what the last step has left.
static void look(struct story *story) {
    if (!story->view->show || story->step_count == 0 || !story->is_set_up)
        return;
    struct panel_sink *sink = story->sink;
    sink->panel = NULL;
    story->view->show(sct_context(), sink);
    end_panel(sink);
    struct story_step *step = &story->steps[story->step_count - 1];
    step->views = ARENA_ARRAY(&story->recording.arena, uint32_t, story->panel_count);
    for (uint32_t i = 0; i < story->panel_count; i++)
        step->views[i] = story->panels[i].view_count - 1;
}

// ---- Events ------------------------------------------------------------------------------------

// The index of the present step; the setup is one too.
static uint32_t present_step(struct story *story) {
    return story->step_count ? story->step_count - 1 : 0;
}

static void end_step(struct story *story) {
    if (story->step_count == 0)
        return;
    struct story_step *step = &story->steps[story->step_count - 1];
    step->item_count = story->item_count - step->first_item;
    look(story);
}

struct others {
    struct text text;
    struct story *story;
    struct story_step *step;
};

static void add_other(void *context, const struct sct_standing *standing) {
    struct others *others = context;
    if (standing->has_turn) {
        others->step->task = copied(others->story, standing->name);
        others->step->has_waited = standing->waits_for;
    } else if (standing->is_runnable) {
        text_add(&others->text, "%s%s\t%s\t%s\t%s", others->text.length ? "\n" : "",
                 standing->machine, standing->name, standing->label,
                 standing->waits_for ? standing->waits_for : "");
    }
}

// Fills in what those who can run, as [event] chooses one of them, say about it and each other.
static void look_around(struct story *story, struct story_step *step,
                        const struct sct_event *event) {
    char buffer[4000];
    struct others others = {text_in(buffer, sizeof buffer), story, step};
    sct_engine_standings(story->engine, add_other, &others);
    if (event->count > 1)
        step->others = copied(story, buffer);
}

static struct story_step *new_step(struct story *story, const char *machine, const char *label) {
    struct story_step *step = APPEND(story->steps, story->step_count, story->step_capacity);
    *step = (struct story_step){
        .machine = machine_index(story, machine),
        .label = label,
        .task = "",
        .count = 1,
        .others = "",
        .first_item = story->item_count,
    };
    return step;
}

static void begin_step(struct story *story, const struct sct_event *event) {
    story->is_set_up = true;
    end_step(story);
    struct story_step *step = new_step(story, event->machine, event->text);
    step->where = event->where;
    step->decision = event->decision;
    step->count = event->count;
    step->answer = event->answer;
    look_around(story, step, event);
}

static void add_item(struct story *story, const struct sct_event *event) {
    struct story_item *item = APPEND(story->items, story->item_count, story->item_capacity);
    *item = (struct story_item){
        .kind = event->kind,
        .note = event->note,
        .machine = machine_index(story, event->machine),
        .decision = event->decision,
        .count = event->count,
        .answer = event->answer,
        .text = event->text,
    };
}

static void send(struct story *story, const struct sct_event *event) {
    uint32_t from = machine_index(story, event->machine), to = machine_index(story, event->to);
    struct story_arrow *arrow = APPEND(story->arrows, story->arrow_count, story->arrow_capacity);
    *arrow = (struct story_arrow){
        .from = from,
        .to = to,
        .sent = present_step(story),
        .taken = STORY_NOWHERE,
        .label = event->text,
        .identity = event->identity,
    };
}

static void take(struct story *story, const struct sct_event *event) {
    // From the newest: a message's address may be that of one taken long ago.
    for (uint32_t i = story->arrow_count; i-- > 0;) {
        struct story_arrow *arrow = &story->arrows[i];
        if (arrow->identity != event->identity || arrow->taken != STORY_NOWHERE)
            continue;
        arrow->taken = present_step(story);
        return;
    }
}

// The final check is nobody's turn.
// It is known by its machine, and by that the machine before was another.
static bool begins_the_end(const struct story *story, const struct sct_event *event) {
    return story->is_set_up && strcmp(event->machine, "harness") == 0 &&
           strcmp(story->machines[story->steps[story->step_count - 1].machine], "harness") != 0;
}

static void on_event(void *context, const struct sct_heard *heard) {
    struct story *story = context;
    const struct sct_event *event = &heard->event;
    if (story->step_count == 0)
        new_step(story, "harness",
                 story->recording.turns_left_out > 0 ? "(earlier steps)" : "setup");
    story->steps[story->step_count - 1].is_marked |= heard->has_grown;
    if (begins_the_end(story, event)) {
        end_step(story);
        new_step(story, event->machine, "final check")->decision = event->decision;
    }
    switch (event->kind) {
    case SCT_EVENT_TURN:
        begin_step(story, event);
        return;
    case SCT_EVENT_SENT:
        send(story, event);
        return;
    case SCT_EVENT_TAKEN:
        take(story, event);
        return;
    case SCT_EVENT_VALUE:
    case SCT_EVENT_NOTE:
    case SCT_EVENT_TASK_STARTED:
    case SCT_EVENT_TASK_ENDED:
        add_item(story, event);
        return;
    }
}

// ---- Beginning and end -------------------------------------------------------------------------

void story_listen(struct story *story, struct sct_engine *engine, const struct subject_run *what,
                  uint32_t decisions_expected) {
    *story = (struct story){
        .view = subject_view(what->test),
        .engine = engine,
    };
    story->sink = grow_new(1, sizeof *story->sink, memory_name);
    story->sink->story = story;
    bool is_long = decisions_expected > STORY_STEPS_MAX;
    sct_recording_start(&story->recording, engine,
                        &(struct sct_recording_options){
                            .bytes = STRINGS_BYTES,
                            .counter = what->passes,
                            // Of a long execution the end is kept: what failed is there.
                            .first_decision = is_long ? decisions_expected - STORY_STEPS_MAX : 0,
                            .watch = on_event,
                            .context = story,
                        });
}

static void add_place(void *context, const struct sct_standing *standing) {
    struct story *story = context;
    struct story_place *place = APPEND(story->places, story->place_count, story->place_capacity);
    *place = (struct story_place){
        .machine = copied(story, standing->machine),
        .name = copied(story, standing->name),
        .label = copied(story, standing->label),
        .where = copied(story, standing->where),
        .waits_for = copied(story, standing->waits_for),
        .is_runnable = standing->is_runnable,
        .is_idle = standing->is_idle,
        .was_running = standing->was_running,
        .frame_count = standing->frame_count,
    };
    memcpy(place->frames, standing->frames, sizeof place->frames);
}

void story_end(struct story *story, struct sct_engine *engine, const struct sct_result *result) {
    sct_recording_stop(&story->recording, engine);
    if (story->step_count > 0)
        story->steps[story->step_count - 1].is_marked |= story->recording.has_grown;
    end_step(story);
    story->outcome = result->outcome;
    story->violation = result->violation;
    story->decision_count = result->decision_count;
    story->skipped_steps = story->recording.turns_left_out;
    sct_engine_standings(engine, add_place, story);
}

void story_free(struct story *story) {
    for (uint32_t i = 0; i < story->panel_count; i++)
        free(story->panels[i].views);
    free(story->sink ? story->sink->data : NULL);
    free(story->sink);
    free(story->steps);
    free(story->items);
    free(story->arrows);
    free(story->places);
    sct_recording_free(&story->recording);
}
