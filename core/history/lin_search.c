#include "core/history/lin_search.h"
#include "core/base/assert.h"
#include "core/history/lin_memo.h"

#include <string.h>

// Operations of the part, in the order of their calls: [required] ones, which returned, and [open]
// ones, which did not. The events of the required ones form a list in real-time order; lifting an
// operation takes its call and return out of it, in constant time, and back in, in reverse order.
// What may be linearized next is every required call before the first return in the list, the
// horizon, and every open one called before it.

#define OPEN (UINT32_C(1) << 31) // a flag of a step of the trail
#define NOBODY UINT32_MAX

struct required {
    struct sct_operation operation;
    uint32_t index;      // in the history
    uint32_t call, back; // its places in the list of events
    bool observes;
};

// Open operations of equal meaning stand together as a class, in the order of their calls. Within a
// class the earliest ones are used first: whoever could use a later one could as well use that.
struct open {
    struct sct_operation operation;
    uint32_t index;
};

struct class {
    uint32_t first, end; // of the open operations
    uint32_t next;       // the first unused one
};

// A configuration on the way from the initial one, and how far its alternatives were tried.
struct frame {
    uint32_t trail_before; // length of the trail before the step that led here
    uint32_t horizon;      // event: the first return in the list
    uint32_t cursor;       // event: the next call to try, or the horizon
    uint32_t class;        // then: the next class
    uint32_t way;          // of that operation
    uint32_t goal;         // goals before this one are linearized
};

struct search {
    struct lin_memory *memory;
    const struct lin_spec *spec;
    struct lin_memo memo;
    uint64_t steps, steps_max;

    struct required *required;
    uint32_t required_count;
    struct open *open;
    uint32_t open_count;
    struct class *classes;
    uint32_t class_count;

    uint32_t *next, *previous; // the list of events; 0 is its head
    uint32_t *owner;           // of an event: number in required * 2, + 1 for a return
    uint32_t event_count;      // the head does not count

    uint64_t *done; // bits: the required operations that are linearized
    uint64_t *used; // bits: the open ones that are
    uint32_t window_words, used_words;

    uint32_t *goals; // required operations to look ahead to, in the order of their returns
    uint32_t goal_count;

    struct frame *frames;
    uint64_t *states; // of the frames
    uint32_t depth;   // of the current frame
    uint32_t *trail;  // what is linearized, in that order: number in required, or in open | OPEN
    uint32_t trail_length;
    uint64_t *entry; // for the memo

    uint32_t *best; // the trail that came furthest
    uint64_t *best_state;
    uint32_t best_length;
    uint32_t best_common;  // so much of it is the start of the trail
    enum lin_limit limit;  // the one reached
    uint32_t best_blocked; // the required operation whose return stopped it, NOBODY: none yet
};

static void *take(struct search *search, size_t count, size_t bytes) {
    void *result = lin_take(search->memory, count * bytes);
    if (!result)
        search->limit = LIN_MEMORY;
    return result;
}

static void *take_zeroed(struct search *search, size_t count, size_t bytes) {
    void *result = take(search, count, bytes);
    return result ? memset(result, 0, count * bytes) : NULL;
}

static bool has_bit(const uint64_t *words, uint32_t bit) {
    return words[bit / 64] >> (bit % 64) & 1;
}

static void flip_bit(uint64_t *words, uint32_t bit) {
    words[bit / 64] ^= UINT64_C(1) << (bit % 64);
}

static uint64_t *state_at(const struct search *search, uint32_t depth) {
    ASSERT(search->states);
    return search->states + (size_t)depth * search->spec->state_words;
}

static bool observes(const struct lin_spec *spec, const struct sct_operation *operation) {
    return spec->observes && spec->observes(spec->context, operation);
}

// ---- Preparation -------------------------------------------------------------------------------

static bool has_same_meaning(const struct sct_operation *a, const struct sct_operation *b) {
    return a->function == b->function && a->key == b->key && a->input[0] == b->input[0] &&
           a->input[1] == b->input[1] && a->data == b->data;
}

// Sorts the open operations into classes.
static void form_classes(struct search *search, const struct open *unsorted) {
    uint32_t sorted = 0;
    ASSERT(search->trail_length == 0);
    uint32_t *class_of = search->trail; // free as yet, and long enough
    for (uint32_t i = 0; i < search->open_count; i++) {
        uint32_t class = 0;
        while (class < search->class_count &&
               !has_same_meaning(&unsorted[search->classes[class].next].operation,
                                 &unsorted[i].operation))
            class ++;
        class_of[i] = class;
        if (class == search->class_count)
            search->classes[search->class_count++].next = i;
    }
    for (uint32_t class = 0; class < search->class_count; class ++) {
        search->classes[class].first = search->classes[class].next = sorted;
        for (uint32_t i = 0; i < search->open_count; i++)
            if (class_of[i] == class)
                search->open[sorted++] = unsorted[i];
        search->classes[class].end = sorted;
        ASSERT(search->classes[class].first < sorted);
    }
}

// Appends an event of required operation [number] to the list.
static uint32_t append_event(struct search *search, uint32_t number, bool is_return) {
    uint32_t event = ++search->event_count;
    ASSERT(number < search->required_count);
    search->owner[event] = number * 2 + is_return;
    search->previous[event] = event - 1;
    search->next[event - 1] = event;
    search->next[event] = 0;
    search->previous[0] = event;
    return event;
}

static void add_call(struct search *search, const struct lin_part *part, uint32_t index,
                     struct open *unsorted) {
    struct sct_operation operation = part->operations[index];
    if (operation.returned_at >= part->cut) {
        operation.returned_at = SCT_NEVER;
        operation.has_output = false;
        // Cut off before its return it is open: whether it took effect is then not known.
        if (!observes(search->spec, &operation)) // else it need not be placed, nor could it help
            unsorted[search->open_count++] = (struct open){operation, index};
        return;
    }
    uint32_t number = search->required_count++;
    struct required *required = &search->required[number];
    *required = (struct required){operation, index, 0, 0, observes(search->spec, &operation)};
    required->call = append_event(search, number, false);
}

static void add_return(struct search *search, uint32_t number, uint32_t *window) {
    ASSERT(number < search->required_count);
    struct required *required = &search->required[number];
    required->back = append_event(search, number, true);
    if (required->observes && required->operation.has_output && search->spec->reaches)
        search->goals[search->goal_count++] = number;
    // Until this return the operation may be the first unlinearized one, while all that were called
    // since are linearized: so wide must the window of bits be.
    uint32_t later_calls = search->required_count - number - 1;
    if (later_calls > *window)
        *window = later_calls;
}

// Appends the part's events; returns how many operations after the first unlinearized one can be
// linearized at most, by the order of calls.
static uint32_t add_events(struct search *search, const struct lin_part *part,
                           struct open *unsorted) {
    uint32_t window = 0;
    for (uint32_t i = 0; i < part->event_count; i++) {
        uint32_t index = part->events[i] / 2;
        bool is_return = part->events[i] & 1;
        const struct sct_operation *operation = &part->operations[index];
        if ((is_return ? operation->returned_at : operation->called_at) >= part->cut)
            break;
        if (is_return) {
            add_return(search, part->scratch[index], &window);
        } else {
            part->scratch[index] = search->required_count;
            add_call(search, part, index, unsorted);
        }
    }
    return window;
}

// Takes all whose size depends on the number of calls. Returns false if it has no memory.
static bool take_arrays(struct search *search, uint32_t calls, struct open **unsorted) {
    size_t events = 2 * (size_t)calls + 1;
    search->required = take(search, calls, sizeof *search->required);
    search->open = take(search, calls, sizeof *search->open);
    search->classes = take(search, calls, sizeof *search->classes);
    search->goals = take(search, calls, sizeof *search->goals);
    search->trail = take(search, calls, sizeof *search->trail);
    search->best = take(search, calls, sizeof *search->best);
    search->next = take(search, events, sizeof *search->next);
    search->previous = take(search, events, sizeof *search->previous);
    search->owner = take(search, events, sizeof *search->owner);
    *unsorted = take(search, calls, sizeof **unsorted);
    if (search->limit != LIN_NO_LIMIT)
        return false;
    search->next[0] = search->previous[0] = 0;
    return true;
}

// Takes what the search proper needs, when all sizes are known.
static bool take_search_arrays(struct search *search, uint32_t window) {
    // What observes is placed without a frame, so the longest way has a step for each of the
    // others.
    uint32_t frames = 2 + search->open_count; // the initial one, one for every step, one to try
    for (uint32_t i = 0; i < search->required_count; i++)
        frames += !search->required[i].observes;
    uint32_t window_words = (window + 63) / 64;
    uint32_t used_words = (search->open_count + 63) / 64;
    search->window_words = window_words;
    search->used_words = used_words;
    // The window may begin at the last operation: it reads one word beyond its end.
    size_t done_words = search->required_count / 64 + window_words + 2;
    size_t entry_words = 1 + window_words + search->spec->state_words + used_words;
    search->done = take_zeroed(search, done_words, sizeof *search->done);
    search->used = take_zeroed(search, used_words, sizeof *search->used);
    search->entry = take(search, entry_words, sizeof *search->entry);
    search->frames = take(search, frames, sizeof *search->frames);
    search->states = take(search, (size_t)frames * search->spec->state_words, sizeof(uint64_t));
    search->best_state = take(search, search->spec->state_words, sizeof(uint64_t));
    if (search->limit == LIN_NO_LIMIT &&
        !lin_memo_init(&search->memo, search->memory, search->spec, 1 + window_words, used_words))
        search->limit = LIN_MEMORY;
    return search->limit == LIN_NO_LIMIT;
}

static bool prepare(struct search *search, const struct lin_part *part) {
    uint32_t calls = 0;
    for (uint32_t i = 0; i < part->event_count; i++)
        calls += !(part->events[i] & 1);
    struct open *unsorted;
    if (!take_arrays(search, calls, &unsorted))
        return false;
    uint32_t window = add_events(search, part, unsorted);
    form_classes(search, unsorted);
    return take_search_arrays(search, window);
}

// ---- Steps -------------------------------------------------------------------------------------

// Knuth's dancing links: an event that is taken out still knows its neighbours, and is put back
// between them, if what was taken out after it was put back before it.
static void unlink_event(struct search *search, uint32_t event) {
    search->next[search->previous[event]] = search->next[event];
    search->previous[search->next[event]] = search->previous[event];
}

static void relink_event(struct search *search, uint32_t event) {
    search->next[search->previous[event]] = event;
    search->previous[search->next[event]] = event;
}

static void lift(struct search *search, uint32_t number) {
    ASSERT(!has_bit(search->done, number));
    const struct required *required = &search->required[number];
    unlink_event(search, required->call);
    unlink_event(search, required->back);
    flip_bit(search->done, number);
    search->trail[search->trail_length++] = number;
}

static void use_open(struct search *search, struct class *class) {
    ASSERT(class->next < class->end);
    flip_bit(search->used, class->next);
    search->trail[search->trail_length++] = class->next++ | OPEN;
}

static void undo_open(struct search *search, uint32_t number) {
    flip_bit(search->used, number);
    struct class *class = search->classes;
    while (number < class->first || number >= class->end)
        class ++;
    ASSERT(class->next == number + 1);
    class->next = number;
}

// Takes back the last step of the trail.
static void undo(struct search *search) {
    ASSERT(search->trail_length > 0);
    uint32_t step = search->trail[--search->trail_length];
    if (search->trail_length < search->best_common)
        search->best_common = search->trail_length;
    if (step & OPEN) {
        undo_open(search, step & ~OPEN);
        return;
    }
    ASSERT(has_bit(search->done, step));
    relink_event(search, search->required[step].back);
    relink_event(search, search->required[step].call);
    flip_bit(search->done, step);
}

// Whether [operation] can be taken in way number frame->way; then the state after it is the next
// frame's. The way is used up.
static bool take_way(struct search *search, struct frame *frame,
                     const struct sct_operation *operation) {
    const struct lin_spec *spec = search->spec;
    search->steps++;
    uint32_t ways = spec->step(spec->context, state_at(search, search->depth), operation,
                               frame->way, state_at(search, search->depth + 1));
    if (ways == LIN_GAVE_UP) {
        search->limit = LIN_SPECIFICATION;
        return false;
    }
    return frame->way++ < ways;
}

static void push(struct search *search) {
    // The goals passed so far stay passed further down: where to look on is inherited.
    uint32_t goal = search->frames[search->depth].goal;
    search->frames[++search->depth] = (struct frame){
        .trail_before = search->trail_length,
        .goal = goal,
    };
}

static void pop(struct search *search) {
    ASSERT(search->depth > 0);
    // With the observers that were placed in this configuration, which have no frames.
    while (search->trail_length > search->frames[search->depth].trail_before)
        undo(search);
    search->depth--;
}

// Takes the next step that the current frame has not tried. Required operations first: then a
// configuration is met with few open operations used before it is met with more.
static bool try_next(struct search *search) {
    struct frame *frame = &search->frames[search->depth];
    for (; frame->cursor != frame->horizon; frame->cursor = search->next[frame->cursor]) {
        uint32_t number = search->owner[frame->cursor] / 2;
        const struct required *required = &search->required[number];
        // The cursor stays: an operation that can take effect in several ways is tried in the next
        // one when the search comes back here.
        if (!required->observes && take_way(search, frame, &required->operation)) {
            push(search);
            lift(search, number);
            return true;
        }
        frame->way = 0;
    }
    ASSERT(frame->horizon != 0); // else everything is linearized already
    uint32_t horizon = search->required[search->owner[frame->horizon] / 2].operation.returned_at;
    for (; frame->class < search->class_count; frame->class ++) {
        struct class *class = &search->classes[frame->class];
        if (class->next < class->end && search->open[class->next].operation.called_at < horizon &&
            take_way(search, frame, &search->open[class->next].operation)) {
            push(search);
            use_open(search, class);
            return true;
        }
        frame->way = 0;
    }
    return false;
}

// ---- Configurations ----------------------------------------------------------------------------

// Linearizes every operation before the horizon that observes and fits: it leaves all others what
// they can do, so nothing is lost. Returns the horizon, or 0 when everything is linearized.
static uint32_t place_observers(struct search *search) {
    const struct lin_spec *spec = search->spec;
    const uint64_t *state = state_at(search, search->depth);
    uint64_t *ignored = state_at(search, search->depth + 1);
    uint32_t before = 0, event;
    while ((event = search->next[before]) != 0 && !(search->owner[event] & 1)) {
        uint32_t number = search->owner[event] / 2;
        const struct required *required = &search->required[number];
        uint32_t ways = 0;
        if (required->observes) {
            search->steps++;
            ways = spec->step(spec->context, state, &required->operation, 0, ignored);
        }
        if (ways == LIN_GAVE_UP)
            search->limit = LIN_SPECIFICATION;
        // One that does not fit now may later: it stays in the list, and the look goes on behind
        // it.
        if (ways == 0 || ways == LIN_GAVE_UP)
            before = event;
        else
            lift(search, number);
    }
    return event;
}

static bool has_lead(struct search *search, const struct sct_operation *goal, uint32_t goal_event) {
    const struct lin_spec *spec = search->spec;
    // Only what can still come before the goal's return can lead to it.
    for (uint32_t event = search->next[0]; event != goal_event; event = search->next[event]) {
        const struct required *required = &search->required[search->owner[event] / 2];
        search->steps++;
        if (!(search->owner[event] & 1) && !required->observes &&
            spec->leads(spec->context, &required->operation, goal))
            return true;
    }
    for (uint32_t i = 0; i < search->class_count; i++) {
        const struct class *class = &search->classes[i];
        search->steps++;
        if (class->next < class->end &&
            search->open[class->next].operation.called_at < goal->returned_at &&
            spec->leads(spec->context, &search->open[class->next].operation, goal))
            return true;
    }
    return false;
}

// Whether, for all we know, the first goal not yet linearized can still be met before its return.
static bool has_hope(struct search *search) {
    const struct lin_spec *spec = search->spec;
    struct frame *frame = &search->frames[search->depth];
    while (frame->goal < search->goal_count && has_bit(search->done, search->goals[frame->goal]))
        frame->goal++;
    if (frame->goal == search->goal_count)
        return true;
    const struct required *goal = &search->required[search->goals[frame->goal]];
    return spec->reaches(spec->context, state_at(search, search->depth), &goal->operation) ||
           has_lead(search, &goal->operation, goal->back);
}

// Whether the search has been in this configuration, or in one that can do as much.
static bool is_known(struct search *search) {
    // The bits from the first unlinearized operation on: all before it are done, and those beyond
    // the window cannot be. So equal configurations have equal words wherever they are met.
    uint32_t first = search->owner[search->next[0]] / 2;
    uint32_t at = (first + 1) / 64, shift = (first + 1) % 64;
    uint64_t *entry = search->entry;
    *entry++ = first;
    for (uint32_t i = 0; i < search->window_words; i++, at++)
        *entry++ = search->done[at] >> shift | (shift ? search->done[at + 1] << (64 - shift) : 0);
    const uint64_t *state = state_at(search, search->depth);
    for (uint32_t i = 0; i < search->spec->state_words; i++)
        *entry++ = state[i];
    for (uint32_t i = 0; i < search->used_words; i++)
        *entry++ = search->used[i];
    enum lin_memo_answer answer = lin_memo_add(&search->memo, search->entry, &search->steps);
    if (answer == LIN_MEMO_FULL)
        search->limit = LIN_MEMORY;
    return answer == LIN_MEMO_KNOWN;
}

// Keeps the trail if it came further than all before: its horizon is [blocked].
static void keep_best(struct search *search, uint32_t blocked) {
    if (blocked != NOBODY && search->best_blocked != NOBODY &&
        search->required[blocked].back <= search->required[search->best_blocked].back)
        return;
    ASSERT(search->best_common <= search->trail_length);
    // Only what differs from the best so far is copied: mostly the last few steps.
    uint32_t common = search->best_common;
    memcpy(search->best + common, search->trail + common,
           (search->trail_length - common) * sizeof *search->best);
    memcpy(search->best_state, state_at(search, search->depth),
           search->spec->state_words * sizeof *search->best_state);
    search->best_length = search->best_common = search->trail_length;
    search->best_blocked = blocked;
}

enum visit { VISIT_DONE, VISIT_OPEN, VISIT_CLOSED };

// Enters the configuration of the frame just pushed.
static enum visit visit(struct search *search) {
    struct frame *frame = &search->frames[search->depth];
    frame->horizon = place_observers(search);
    if (search->limit != LIN_NO_LIMIT)
        return VISIT_CLOSED;
    if (frame->horizon == 0) {
        keep_best(search, NOBODY);
        return VISIT_DONE;
    }
    keep_best(search, search->owner[frame->horizon] / 2);
    frame->cursor = search->next[0];
    // What is hopeless is not remembered: to see it again costs as little as a look into the
    // memory.
    if ((search->goal_count > 0 && !has_hope(search)) || is_known(search))
        return VISIT_CLOSED;
    if (search->steps > search->steps_max)
        search->limit = LIN_STEPS;
    return VISIT_OPEN;
}

static enum lin_verdict run(struct search *search) {
    search->spec->init(search->spec->context, search->states);
    search->frames[0] = (struct frame){0};
    enum visit entered = visit(search);
    for (;;) {
        if (entered == VISIT_DONE)
            return LIN_LINEARIZABLE;
        if (search->limit != LIN_NO_LIMIT)
            return LIN_UNKNOWN;
        if (entered == VISIT_OPEN && try_next(search)) {
            entered = visit(search);
            continue;
        }
        if (search->limit == LIN_NO_LIMIT && search->depth == 0)
            return LIN_NOT_LINEARIZABLE;
        if (search->limit == LIN_NO_LIMIT)
            pop(search);
        entered = VISIT_OPEN;
    }
}

// Puts the operations of the best trail, as indices in the history, in its place.
static void tell(struct search *search, struct lin_found *found) {
    ASSERT(found->verdict != LIN_NOT_LINEARIZABLE || search->best_blocked != NOBODY);
    for (uint32_t i = 0; i < search->best_length; i++) {
        uint32_t step = search->best[i];
        search->best[i] =
            step & OPEN ? search->open[step & ~OPEN].index : search->required[step].index;
    }
    found->order = search->best;
    found->order_count = search->best_length;
    found->state = search->best_state;
    if (search->best_blocked != NOBODY)
        found->blocked = search->required[search->best_blocked].index;
}

void lin_search(struct lin_memory *memory, const struct lin_spec *spec, const struct lin_part *part,
                uint64_t steps_max, struct lin_found *found) {
    struct search search = {
        .memory = memory,
        .spec = spec,
        .steps_max = steps_max,
        .best_blocked = NOBODY,
    };
    memory->top = memory->size;
    ASSERT(memory->used <= memory->size);
    *found = (struct lin_found){.verdict = LIN_UNKNOWN};
    if (prepare(&search, part)) {
        found->verdict = run(&search);
        tell(&search, found);
    }
    found->limit = search.limit;
    found->steps = search.steps;
    found->configurations = search.memo.entry_count;
}
