#define _GNU_SOURCE // strdup
#include "harness/cli/explain.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES = 4000,
    NAMES_BYTES = 200,
    DETAILS_SHOWN = 2, // of a run of details that is not near a stop, the first
};

static void add_line(struct explanation *explanation, const char *line) {
    if (explanation->count == explanation->capacity) {
        explanation->capacity = explanation->capacity ? explanation->capacity * 2 : 16;
        explanation->lines =
            realloc(explanation->lines, explanation->capacity * sizeof *explanation->lines);
    }
    char *copy = strdup(line);
    if (!copy || !explanation->lines)
        fail_at(FAIL_RESOURCE, HERE, "out of memory: an explanation");
    explanation->lines[explanation->count++] = copy;
}

void explanation_free(struct explanation *explanation) {
    for (size_t i = 0; i < explanation->count; i++)
        free(explanation->lines[i]);
    free(explanation->lines);
    *explanation = (struct explanation){0};
}

// ---- Episodes ----------------------------------------------------------------------------------

// [line] is the note's, or a part of it.
static enum retold retell(const struct scenario *scenario, struct text *text,
                          enum sct_note_class about, const char *line) {
    if (about == SCT_NOTE_CHECK || about == SCT_NOTE_EXPECTED || about == SCT_NOTE_ACTUAL)
        return RETOLD_NOTHING; // the violation says it
    if (scenario->retell)
        return scenario->retell(text, about, line);
    text_add(text, "%s", line);
    return RETOLD_ACT;
}

struct teller {
    const struct scenario *scenario;
    const struct sct_story *story;
    struct text *text;
    bool is_empty;
    uint32_t unsaid; // details left out since the last thing said
};

static void say(struct teller *teller, const char *words) {
    text_add(teller->text, "%s%s", teller->is_empty ? "" : "; ", words);
    teller->is_empty = false;
}

static void say_unsaid(struct teller *teller) {
    char words[60];
    struct text text = text_in(words, sizeof words);
    if (teller->unsaid == 0)
        return;
    text_add(&text, "makes %" PRIu32 " call%s that change%s nothing", teller->unsaid,
             teller->unsaid == 1 ? "" : "s", teller->unsaid == 1 ? "s" : "");
    teller->unsaid = 0;
    say(teller, words);
}

// What is done in [episode]. Details are told where they matter: in the last episode, before a stop
// and after one, and a few elsewhere.
static void tell_acts(struct teller *teller, const struct sct_episode *episode, bool in_full) {
    const struct sct_story_note *notes = &teller->story->notes[episode->first_note];
    uint32_t details = 0;
    for (uint32_t i = 0; i < episode->note_count; i++) {
        char words[LINE_BYTES];
        struct text text = text_in(words, sizeof words);
        enum retold weight = retell(teller->scenario, &text, notes[i].about, notes[i].line);
        if (weight == RETOLD_NOTHING)
            continue;
        details = weight == RETOLD_DETAIL ? details + 1 : 0;
        if (details > DETAILS_SHOWN && !in_full) {
            teller->unsaid++;
            continue;
        }
        say_unsaid(teller);
        say(teller, words);
    }
    say_unsaid(teller);
}

// Whether [episode] is near a stop: its task is stopped at its end, or was before it.
static bool is_near_stop(const struct sct_story *story, uint32_t episode) {
    if (story->episodes[episode].is_stopped)
        return true;
    for (uint32_t i = episode; i-- > 0;)
        if (story->episodes[i].task == story->episodes[episode].task)
            return story->episodes[i].is_stopped;
    return false;
}

static bool tell_episode(const struct scenario *scenario, const struct sct_story *story,
                         uint32_t index, struct text *text) {
    struct teller teller = {scenario, story, text, true, 0};
    bool in_full = index + 1 == story->episode_count || is_near_stop(story, index);
    tell_acts(&teller, &story->episodes[index], in_full);
    return !teller.is_empty;
}

// The step that the task of a stopped episode was about to take: the call that its next note tells
// of, if it does, else the label. The answer is left out: it may come from what happens meanwhile.
static void tell_next_step(const struct scenario *scenario, const struct sct_story *story,
                           uint32_t index, struct text *text) {
    const struct sct_story_note *next = sct_story_next_note(story, index);
    const char *arrow = next ? strstr(next->line, " -> ") : NULL;
    char call[LINE_BYTES], words[LINE_BYTES];
    struct text call_text = text_in(call, sizeof call), words_text = text_in(words, sizeof words);
    if (arrow)
        text_add(&call_text, "%.*s", (int)(arrow - next->line), next->line);
    if (arrow && retell(scenario, &words_text, next->about, call) != RETOLD_NOTHING)
        text_add(text, "it %s", words);
    else
        text_add(text, "'%s'", story->episodes[index].stopped_before);
}

static void tell_stop(const struct scenario *scenario, const struct sct_story *story,
                      uint32_t index, struct text *text) {
    text_add(text, ". There %s is stopped (decision %" PRIu32 "), before ",
             story->episodes[index].machine, story->episodes[index].stopped_at);
    tell_next_step(scenario, story, index, text);
}

static bool stands_alone(const struct sct_story *story, uint32_t index) {
    return story->episodes[index].is_stopped || index + 1 == story->episode_count;
}

// The episodes from *[index] on that say the same, by one machine after the other, as one sentence.
static void tell_alike(const struct scenario *scenario, const struct sct_story *story,
                       uint32_t *index, struct text *line) {
    char acts[LINE_BYTES], others[LINE_BYTES], names[NAMES_BYTES];
    struct text text = text_in(acts, sizeof acts), name = text_in(names, sizeof names);
    uint32_t first = *index;
    text_add(&name, "%s", story->episodes[first].machine);
    bool is_told = tell_episode(scenario, story, first, &text);
    while (!stands_alone(story, *index) && !stands_alone(story, *index + 1)) {
        struct text other = text_in(others, sizeof others);
        if (!tell_episode(scenario, story, *index + 1, &other) || strcmp(acts, others) != 0)
            break;
        ++*index;
        text_add(&name, ", then %s", story->episodes[*index].machine);
    }
    if (is_told)
        text_add(line, "%s: %s", names, acts);
    else if (story->episodes[first].is_stopped)
        text_add(line, "%s has done nothing yet", names);
}

static void explain_episodes(const struct scenario *scenario, const struct sct_story *story,
                             struct explanation *explanation) {
    for (uint32_t i = 0; i < story->episode_count; i++) {
        char buffer[LINE_BYTES * 2];
        struct text line = text_in(buffer, sizeof buffer);
        uint32_t first = i;
        tell_alike(scenario, story, &i, &line);
        if (story->episodes[first].is_stopped)
            tell_stop(scenario, story, first, &line);
        if (line.length > 0) {
            text_add(&line, ".");
            add_line(explanation, buffer);
        }
    }
}

// ---- The end and what would have been ----------------------------------------------------------

// A decision that outlives its execution.
struct kept_decision {
    enum sct_decision_kind kind;
    uint32_t answer;
    char machine[48], label[80];
};

static struct kept_decision keep(const struct sct_engine *engine, uint32_t index) {
    struct sct_decision decision = sct_engine_decision(engine, index);
    struct kept_decision kept = {.kind = decision.kind, .answer = decision.answer};
    struct text machine = text_in(kept.machine, sizeof kept.machine);
    struct text label = text_in(kept.label, sizeof kept.label);
    text_add(&machine, "%s", decision.machine);
    text_add(&label, "%s", decision.label);
    return kept;
}

static void tell_parting(struct text *text, uint32_t decision, const struct kept_decision *failing,
                         const struct kept_decision *passing) {
    text_add(text,
             "The nearest execution that passes parts from this one at decision %" PRIu32
             ": there ",
             decision);
    if (passing->kind == SCT_DECISION_VALUE)
        text_add(text, "'%s' of %s is %" PRIu32 ", not %" PRIu32 ".", passing->label,
                 passing->machine, passing->answer, failing->answer);
    else
        text_add(text, "%s runs (%s), not %s (%s).", passing->machine, passing->label,
                 failing->machine, failing->label);
}

static void explain_nearest(struct sct_engine *engine, const struct sct_program *program,
                            const struct sct_plan *plan, struct explanation *explanation) {
    char buffer[600];
    struct text line = text_in(buffer, sizeof buffer);
    struct sct_nearest nearest = sct_minimize_nearest(engine, program, plan);
    if (plan->switch_count == 0)
        add_line(explanation, "No switch but those by default is needed: the inputs decide.");
    if (!nearest.is_found) {
        add_line(explanation, "No execution that differs in one answer only passes.");
        return;
    }
    uint32_t at = nearest.is_switch ? plan->switches[nearest.index].decision
                                    : plan->values[nearest.index].decision;
    struct kept_decision passing = keep(engine, at);
    struct sct_follower follower;
    sct_follower_init(&follower);
    follower.plan = plan;
    sct_engine_run(engine, program, &follower.base, 0);
    struct kept_decision failing = keep(engine, at);
    sct_follower_free(&follower);
    tell_parting(&line, at, &failing, &passing);
    add_line(explanation, buffer);
}

void explain(struct sct_engine *engine, const struct sct_program *program,
             const struct scenario *scenario, const struct sct_plan *plan,
             struct explanation *explanation) {
    struct sct_story story;
    sct_story_tell(engine, program, plan, &story);
    explain_episodes(scenario, &story, explanation);
    if (story.violation.kind) {
        char buffer[1200];
        struct text line = text_in(buffer, sizeof buffer);
        text_add(&line, "That is the violation, %s in %s: %s.", story.violation.kind,
                 story.violation.machine, story.violation.message);
        add_line(explanation, buffer);
        explain_nearest(engine, program, plan, explanation);
    }
    sct_story_free(&story);
}

// ---- Machines ----------------------------------------------------------------------------------

// The first episode of [machine] before the [end]-th; [end] if there is none.
static uint32_t find_machine(const struct sct_story *story, const char *machine, uint32_t end) {
    uint32_t i = 0;
    while (i < end && strcmp(story->episodes[i].machine, machine) != 0)
        i++;
    return i;
}

void explain_lost_machines(struct text *text, const struct sct_story *before,
                           const struct sct_story *after) {
    const char *separator = "";
    for (uint32_t i = 0; i < before->episode_count; i++) {
        const char *machine = before->episodes[i].machine;
        if (find_machine(before, machine, i) < i ||
            find_machine(after, machine, after->episode_count) < after->episode_count)
            continue;
        text_add(text, "%s%s", separator, machine);
        separator = ", ";
    }
}
