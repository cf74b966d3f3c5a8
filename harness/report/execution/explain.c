#include "harness/report/execution/explain.h"
#include "core/base/grow.h"
#include "core/engine/listener.h"
#include "harness/report/json.h"
#include "harness/report/plain.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES = 4000,
    NAMES_BYTES = 200,
    DETAILS_SHOWN = 2, // of a run of details that is not near a stop, the first
    STEPS_SHOWN = 8,   // of steps without a word in between
};

static void add_line(struct explanation *explanation, const char *line) {
    GROW(explanation->lines, explanation->count + 1, explanation->capacity, "an explanation");
    explanation->lines[explanation->count++] = grow_text(line, "an explanation");
}

void explanation_free(struct explanation *explanation) {
    for (size_t i = 0; i < explanation->count; i++)
        free(explanation->lines[i]);
    free(explanation->lines);
    *explanation = (struct explanation){0};
}

// ---- Episodes ----------------------------------------------------------------------------------

// [line] is the note's, or a part of it.
static enum retold retell(const struct subject_view *view, struct text *text,
                          enum sct_note_class about, const char *line) {
    if (about == SCT_NOTE_CHECK || about == SCT_NOTE_EXPECTED || about == SCT_NOTE_ACTUAL ||
        about == SCT_NOTE_EVIDENCE)
        return RETOLD_NOTHING; // the violation says it
    if (view->retell)
        return view->retell(text, about, line);
    text_add(text, "%s", line);
    return RETOLD_ACT;
}

// What is told, in whose words.
struct telling {
    const struct subject_view *view;
    const struct variant *variant; // of which there may be marks
    const struct sct_episodes *story;
    const struct sct_episode_note *first_mark; // NULL: none
};

// [mark] is where a line of the injected bug was passed: the first time with what it does wrong.
static void retell_mark(const struct telling *telling, const struct sct_episode_note *mark,
                        struct text *text) {
    const struct variant *info = telling->variant;
    if (mark == telling->first_mark)
        text_add(text, "passes the line of bug %d (%s)", info->number, info->summary);
    else
        text_add(text, "passes the line of bug %d again", info->number);
}

// What a machine does in the step [label], with the machine as the subject; NULL: no words for it.
static const char *step_words(const struct subject_view *view, const char *label) {
    for (const struct term *step = view->steps; step && step->word; step++)
        if (strcmp(step->word, label) == 0)
            return step->meaning;
    return NULL;
}

static void tell_step(const struct telling *telling, const struct sct_episode_note *step,
                      struct text *text) {
    const char *words = step_words(telling->view, step->line);
    text_add(text, "%s", words ? words : step->line);
}

struct teller {
    const struct telling *telling;
    struct text *text;
    bool is_empty;
    uint32_t unsaid;       // details left out since the last thing said
    uint32_t unsaid_steps; // steps likewise
};

static void say(struct teller *teller, const char *words) {
    text_add(teller->text, "%s%s", teller->is_empty ? "" : "; ", words);
    teller->is_empty = false;
}

static void say_unsaid(struct teller *teller) {
    char words[60];
    struct text text = text_in(words, sizeof words);
    if (teller->unsaid_steps > 0) {
        text_add(&text, "%" PRIu32 " more steps", teller->unsaid_steps);
        teller->unsaid_steps = 0;
        say(teller, words);
    }
    if (teller->unsaid == 0)
        return;
    text = text_in(words, sizeof words);
    text_add(&text, "makes %" PRIu32 " call%s that change%s nothing", teller->unsaid,
             teller->unsaid == 1 ? "" : "s", teller->unsaid == 1 ? "s" : "");
    teller->unsaid = 0;
    say(teller, words);
}

// What is done in [episode]. Details are told where they matter: in the last episode, before a stop
// and after one, and a few elsewhere.
// Words are made one note at a time and said at once: what is left out is counted where it stood.
static void tell_acts(struct teller *teller, const struct sct_episode *episode, bool in_full) {
    const struct telling *telling = teller->telling;
    const struct sct_episode_note *notes = &telling->story->notes[episode->first_note];
    uint32_t details = 0, steps = 0;
    for (uint32_t i = 0; i < episode->note_count; i++) {
        char words[LINE_BYTES];
        struct text text = text_in(words, sizeof words);
        enum retold weight = RETOLD_ACT;
        if (notes[i].is_mark)
            retell_mark(telling, &notes[i], &text);
        else if (notes[i].is_step)
            tell_step(telling, &notes[i], &text);
        else
            weight = retell(telling->view, &text, notes[i].about, notes[i].line);
        if (weight == RETOLD_NOTHING)
            continue;
        details = weight == RETOLD_DETAIL ? details + 1 : 0;
        steps = notes[i].is_step ? steps + 1 : 0;
        if (steps > STEPS_SHOWN) {
            teller->unsaid_steps++;
            continue;
        }
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
// A preemption is what a failure needs, so what stands around it is told in full.
static bool is_near_stop(const struct sct_episodes *story, uint32_t episode) {
    uint32_t before = story->episodes[episode].before;
    return story->episodes[episode].is_stopped ||
           (before != SCT_NO_EPISODE && story->episodes[before].is_stopped);
}

static bool tell_episode(const struct telling *telling, uint32_t index, struct text *text) {
    const struct sct_episodes *story = telling->story;
    struct teller teller = {telling, text, true, 0, 0};
    bool in_full = index + 1 == story->episode_count || is_near_stop(story, index);
    tell_acts(&teller, &story->episodes[index], in_full);
    return !teller.is_empty;
}

// The step that the task of a stopped episode was about to take: the call that its next note tells
// of, if it does, else the label. The answer is left out: it may come from what happens meanwhile.
static void tell_next_step(const struct telling *telling, uint32_t index, struct text *text) {
    const struct sct_episode_note *next = sct_episodes_next_note(telling->story, index);
    const char *label = telling->story->episodes[index].stopped_before;
    const char *step = step_words(telling->view, label);
    const char *arrow = next ? strstr(next->line, " -> ") : NULL;
    char call[LINE_BYTES], words[LINE_BYTES];
    struct text call_text = text_in(call, sizeof call), words_text = text_in(words, sizeof words);
    if (arrow)
        text_add(&call_text, "%.*s", (int)(arrow - next->line), next->line);
    if (arrow && retell(telling->view, &words_text, next->about, call) != RETOLD_NOTHING)
        text_add(text, "it %s", words);
    else if (step)
        text_add(text, "it %s", step);
    else
        text_add(text, "'%s'", label);
}

static void tell_stop(const struct telling *telling, uint32_t index, struct text *text) {
    const struct sct_episode *episode = &telling->story->episodes[index];
    text_add(text, ". There %s is stopped (decision %" PRIu32 "), before ", episode->machine,
             episode->stopped_at);
    tell_next_step(telling, index, text);
}

static bool stands_alone(const struct sct_episodes *story, uint32_t index) {
    return story->episodes[index].is_stopped || index + 1 == story->episode_count;
}

// The episodes from *[index] on that say the same, by one machine after the other, as one sentence.
// Three machines that take the same configuration one after the other are one sentence.
static void tell_alike(const struct telling *telling, uint32_t *index, struct text *line) {
    const struct sct_episodes *story = telling->story;
    char acts[LINE_BYTES], others[LINE_BYTES], names[NAMES_BYTES];
    struct text text = text_in(acts, sizeof acts), name = text_in(names, sizeof names);
    uint32_t first = *index;
    text_add(&name, "%s", story->episodes[first].machine);
    bool is_told = tell_episode(telling, first, &text);
    while (!stands_alone(story, *index) && !stands_alone(story, *index + 1)) {
        struct text other = text_in(others, sizeof others);
        if (!tell_episode(telling, *index + 1, &other) || strcmp(acts, others) != 0)
            break;
        ++*index;
        text_add(&name, ", then %s", story->episodes[*index].machine);
    }
    if (is_told)
        text_add(line, "%s: %s", names, acts);
    else if (story->episodes[first].is_stopped)
        text_add(line, "%s has done nothing yet", names);
}

static void explain_episodes(const struct telling *telling, struct explanation *explanation) {
    const struct sct_episodes *story = telling->story;
    for (uint32_t i = 0; i < story->episode_count; i++) {
        char buffer[LINE_BYTES * 2];
        struct text line = text_in(buffer, sizeof buffer);
        uint32_t first = i;
        tell_alike(telling, &i, &line);
        if (story->episodes[first].is_stopped)
            tell_stop(telling, first, &line);
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
    bool has_waited; // schedule: for what the label says
};

// Copied: the names are the execution's, and the next one begins in the same memory.
static struct kept_decision keep(const struct sct_engine *engine, uint32_t index) {
    struct sct_decision decision = sct_engine_decision(engine, index);
    struct kept_decision kept = {.kind = decision.kind, .answer = decision.answer};
    struct text machine = text_in(kept.machine, sizeof kept.machine);
    struct text label = text_in(kept.label, sizeof kept.label);
    text_add(&machine, "%s", decision.machine);
    text_add(&label, "%s", decision.label);
    return kept;
}

// The two ways that go apart at a decision, and whose words.
struct parting {
    const struct subject_view *view;
    const struct sct_engine *engine;
    uint32_t decision;
    struct kept_decision failing, passing;
};

static void visit_standing(void *context, const struct sct_standing *standing) {
    struct parting *parting = context;
    const struct kept_decision *passing = &parting->passing;
    bool is_passing = standing->is_runnable && strcmp(standing->machine, passing->machine) == 0 &&
                      strcmp(standing->label, passing->label) == 0;
    if (standing->has_turn)
        parting->failing.has_waited = standing->waits_for;
    else if (is_passing)
        parting->passing.has_waited = standing->waits_for;
}

// At the decision both alternatives can be seen.
static void listen_for_parting(void *context, const struct sct_event *event) {
    struct parting *parting = context;
    // Before it is answered: both tasks stand where they would go on.
    bool is_it = event->kind == SCT_EVENT_TURN && event->decision == parting->decision;
    if (is_it && event->count > 1)
        sct_engine_standings(parting->engine, visit_standing, parting);
}

// A turn, as "MACHINE (what it does)".
static void tell_turn(struct text *text, const struct subject_view *view,
                      const struct kept_decision *turn) {
    const char *words = step_words(view, turn->label);
    if (turn->has_waited)
        text_add(text, "%s (which had been waiting for %s)", turn->machine, turn->label);
    else if (words)
        text_add(text, "%s (it %s)", turn->machine, words);
    else
        text_add(text, "%s (%s)", turn->machine, turn->label);
}

static void tell_parting(struct text *text, const struct parting *parting) {
    const struct kept_decision *failing = &parting->failing, *passing = &parting->passing;
    text_add(text,
             "The nearest execution that passes parts from this one at decision %" PRIu32
             ": there ",
             parting->decision);
    if (passing->kind == SCT_DECISION_VALUE) {
        text_add(text, "'%s' of %s is %" PRIu32 ", not %" PRIu32 ".", passing->label,
                 passing->machine, passing->answer, failing->answer);
        return;
    }
    tell_turn(text, parting->view, passing);
    text_add(text, " runs, not ");
    tell_turn(text, parting->view, failing);
    text_add(text, ".");
}

// That the search was given up.
static void tell_given_up(struct text *line, const struct explaining *explaining,
                          const struct sct_nearest *nearest) {
    const struct sct_plan *plan = explaining->plan;
    text_add(line, "Whether an execution that differs in one answer only passes is not known: ");
    if (nearest->was_interrupted)
        text_add(line, "it was interrupted");
    else
        text_add(line, "the limit of %.0f s was reached", explaining->limits.seconds_max);
    text_add(line, " after %" PRIu32 " of at most %" PRIu32 " runs.", nearest->tries,
             plan->switch_count + plan->value_count);
}

// The engine holds the passing execution when the search returns: its decision is kept first, then
// the failing one is run once more to look at the same place.
static void explain_nearest(const struct explaining *explaining, struct explanation *explanation) {
    char buffer[600];
    struct text line = text_in(buffer, sizeof buffer);
    struct sct_engine *engine = explaining->engine;
    const struct sct_plan *plan = explaining->plan;
    struct sct_nearest nearest =
        sct_nearest_find(engine, explaining->program, plan, &explaining->limits);
    if (plan->switch_count == 0)
        add_line(explanation, "No switch but those by default is needed: the inputs decide.");
    if (nearest.reached_limit && !nearest.is_found) {
        tell_given_up(&line, explaining, &nearest);
        add_line(explanation, buffer);
        return;
    }
    if (!nearest.is_found) {
        add_line(explanation, "No execution that differs in one answer only passes.");
        return;
    }
    uint32_t at = nearest.is_switch ? plan->switches[nearest.index].decision
                                    : plan->values[nearest.index].decision;
    const struct subject_view *view = subject_view(explaining->what->test);
    struct parting parting = {view, engine, at, .passing = keep(engine, at)};
    struct sct_follower follower;
    sct_follower_init(&follower);
    follower.plan = plan;
    sct_engine_listen(engine, listen_for_parting, &parting);
    sct_engine_run(engine, explaining->program, &follower.base, 0);
    sct_engine_listen(engine, NULL, NULL);
    bool has_waited = parting.failing.has_waited;
    parting.failing = keep(engine, at);
    parting.failing.has_waited = has_waited;
    sct_follower_free(&follower);
    tell_parting(&line, &parting);
    add_line(explanation, buffer);
}

// What else is known of the violation, in the words of who found it.
static void explain_evidence(const struct sct_episodes *story, struct explanation *explanation) {
    for (uint32_t i = 0; i < story->note_count; i++) {
        char buffer[LINE_BYTES];
        struct text line = text_in(buffer, sizeof buffer);
        if (story->notes[i].about != SCT_NOTE_EVIDENCE)
            continue;
        text_add(&line, "%c%s.", toupper((unsigned char)story->notes[i].line[0]),
                 story->notes[i].line + 1);
        add_line(explanation, buffer);
    }
}

void explain_show_progress(void *context, const struct sct_nearest *nearest) {
    (void)context;
    fprintf(stderr, "\rexplaining: %" PRIu32 " runs, none of which passes\033[K", nearest->tries);
}

void explain_clear_progress(void) {
    fprintf(stderr, "\r\033[K");
}

void explain(const struct explaining *explaining, struct explanation *explanation) {
    const struct subject_run *what = explaining->what;
    struct sct_episodes story;
    const struct subject_view *view = subject_view(what->test);
    struct telling telling = {view, what->variant, &story, NULL};
    const struct sct_episodes_options options = {
        .counter = what->passes, .has_steps = !view->retell, .has_places = view->has_places};
    sct_engine_stop(explaining->engine, explaining->limits.interrupted, 0);
    sct_episodes_tell(explaining->engine, explaining->program, explaining->plan, &options, &story);
    sct_engine_stop(explaining->engine, NULL, 0);
    if (sct_engine_last_result(explaining->engine)->outcome == SCT_STOPPED) {
        add_line(explanation, "There is no explanation: it was interrupted.");
        sct_episodes_free(&story);
        return;
    }
    // From the end, so that the first mark is the one that remains.
    for (uint32_t i = story.note_count; i-- > 0;)
        if (story.notes[i].is_mark)
            telling.first_mark = &story.notes[i];
    explain_episodes(&telling, explanation);
    if (story.violation.kind) {
        char buffer[1200];
        struct text line = text_in(buffer, sizeof buffer);
        text_add(&line, "That is the violation, %s in %s: %s.", story.violation.kind,
                 story.violation.machine, story.violation.message);
        add_line(explanation, buffer);
        explain_evidence(&story, explanation);
        explain_nearest(explaining, explanation);
    }
    sct_episodes_free(&story);
}

// ---- Machines ----------------------------------------------------------------------------------

// The first episode of [machine] before the [end]-th; [end] if there is none.
static uint32_t find_machine(const struct sct_episodes *story, const char *machine, uint32_t end) {
    uint32_t i = 0;
    while (i < end && strcmp(story->episodes[i].machine, machine) != 0)
        i++;
    return i;
}

void explain_lost_machines(struct text *text, const struct sct_episodes *before,
                           const struct sct_episodes *after) {
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

// ---- Reports -----------------------------------------------------------------------------------

void explanation_print_wrapped(FILE *out, int indent, const char *text) {
    enum { WIDTH = 100 };
    int room = WIDTH - indent;
    while ((int)strlen(text) > room) {
        int length = room;
        while (length > 0 && text[length] != ' ')
            length--;
        if (length == 0) // a word longer than a line
            length = (int)strcspn(text, " ");
        plain_print(out, text, (size_t)length);
        fprintf(out, "\n");
        text += length + (text[length] == ' ');
        if (!*text)
            return;
        fprintf(out, "%*s", indent, "");
    }
    plain_put(out, text);
    fprintf(out, "\n");
}

void explanation_print(FILE *out, const struct explanation *explanation) {
    fprintf(out, "explanation\n");
    for (size_t i = 0; i < explanation->count; i++) {
        fprintf(out, "  %2zu  ", i + 1);
        explanation_print_wrapped(out, 6, explanation->lines[i]);
    }
}

json_t *explanation_json(const struct explanation *explanation) {
    json_t *array = json_array();
    for (size_t i = 0; i < explanation->count; i++)
        json_array_append_new(array, value_text(explanation->lines[i]));
    return array;
}
