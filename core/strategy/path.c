#include "core/strategy/path.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 1024 };

void sct_path_deinit(struct sct_path *path) {
    ASSERT(path->depth <= path->capacity);
    free(path->frames);
    path->frames = NULL;
    path->depth = path->position = path->capacity = 0;
}

static void reserve(struct sct_path *path, uint32_t capacity) {
    ASSERT(capacity > path->capacity);
    path->frames = grow_to(path->frames, capacity, sizeof *path->frames, "a path");
    path->capacity = capacity;
}

// The frames are a stack, and an array: an execution reads them from the root on, while a turn
// takes them off the leaf. It stays as large as the longest path was.
static struct sct_path_frame *push(struct sct_path *path) {
    if (path->depth == path->capacity)
        reserve(path, path->capacity ? 2 * path->capacity : FIRST_CAPACITY);
    path->position++;
    ASSERT(path->position == path->depth + 1); // only at the leaf
    return &path->frames[path->depth++];
}

static uint32_t cost(const struct sct_path *path, const struct sct_path_frame *frame) {
    if (frame->kind != SCT_FRAME_SCHEDULE)
        return 0;
    switch (path->bound_kind) {
    case SCT_BOUND_NONE:
        return 0;
    case SCT_BOUND_DELAYS:
        return frame->answer;
    case SCT_BOUND_PREEMPTIONS:
        return frame->is_preempting && frame->answer > 0;
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown bound %d", (int)path->bound_kind);
}

uint32_t sct_path_spent(const struct sct_path *path) {
    if (path->depth == 0)
        return 0;
    // A frame knows what was spent before it, so the sum is never taken anew.
    const struct sct_path_frame *last = &path->frames[path->depth - 1];
    return last->spent + cost(path, last);
}

// How many of the alternatives of [frame] the bound allows.
static uint32_t limit_of(struct sct_path *path, const struct sct_path_frame *frame) {
    ASSERT(frame->spent <= path->bound);
    uint32_t left = path->bound - frame->spent;
    uint32_t limit = frame->count;
    if (frame->kind != SCT_FRAME_SCHEDULE)
        return limit;
    // The first alternatives are the cheapest under either bound: what may be taken is a prefix,
    // and one number says which.
    if (path->bound_kind == SCT_BOUND_DELAYS && left + 1 < limit)
        limit = left + 1;
    if (path->bound_kind == SCT_BOUND_PREEMPTIONS && frame->is_preempting && left == 0)
        limit = 1;
    // A bound that has cut nothing off has shown everything: there is no need of a larger one.
    path->meets_bound = path->meets_bound || limit < frame->count;
    return limit;
}

// The first alternative of [frame] from [answer] on that may be taken; its limit: none.
static uint32_t next_answer(const struct sct_path_frame *frame, uint32_t answer) {
    // Only the first 64 can be barred. Those behind them are tried, which is more work and loses
    // nothing.
    while (answer < frame->limit && answer < 64 && frame->barred >> answer & 1)
        answer++;
    return answer;
}

static bool has_alternatives(const struct sct_path_frame *frame) {
    return next_answer(frame, frame->answer + 1U) < frame->limit;
}

bool sct_path_answer(struct sct_path *path, enum sct_frame_kind kind, uint32_t count,
                     bool is_preempting, uint32_t *answer) {
    // Told just before by whoever bars; taken away here, so that it is of this decision only.
    uint64_t barred = path->barred;
    ASSERT(count >= 1);
    path->barred = 0;
    // States on a known prefix were met when they were new: nobody asks for them again.
    while (path->position < path->depth && path->frames[path->position].kind == SCT_FRAME_STATE)
        path->position++;
    if (path->position < path->depth) {
        const struct sct_path_frame *frame = &path->frames[path->position++];
        *answer = frame->answer;
        // The cheapest test for a program that is no function of its choices. It may let a
        // difference pass that is made up for at once; what the difference leads to is met later on
        // the path.
        return frame->kind == kind && frame->count == count;
    }
    uint32_t spent = sct_path_spent(path);
    struct sct_path_frame *frame = push(path);
    *frame = (struct sct_path_frame){.count = (uint16_t)count,
                                     .kind = (uint8_t)kind,
                                     .is_preempting = is_preempting,
                                     .spent = spent};
    ASSERT(frame->count == count); // it fits: SCT_CHOICES_MAX
    frame->limit = (uint16_t)limit_of(path, frame);
    ASSERT(frame->limit >= 1);
    frame->width = frame->limit;
    if (kind == SCT_FRAME_SCHEDULE) {
        // A reduction knows who is awake, and has said so at this point, before the decision.
        frame->answer = (uint16_t)path->first_answer;
        path->first_answer = 0;
    } else {
        frame->barred = barred;
        frame->answer = (uint16_t)next_answer(frame, 0);
    }
    ASSERT(frame->answer < frame->limit);
    *answer = frame->answer;
    return true;
}

struct sct_path_frame *sct_path_add_state(struct sct_path *path) {
    ASSERT(sct_path_is_new(path));
    uint32_t spent = sct_path_spent(path);
    struct sct_path_frame *frame = push(path);
    *frame = (struct sct_path_frame){
        .count = 1, .limit = 1, .kind = SCT_FRAME_STATE, .spent = spent, .width = 1};
    return frame;
}

bool sct_path_is_first_time(const struct sct_path *path) {
    // With a smaller bound everything that spends less was run already.
    return path->bound_kind == SCT_BOUND_NONE || sct_path_spent(path) == path->bound;
}

bool sct_path_is_open(const struct sct_path *path, uint32_t index) {
    ASSERT(index < path->depth);
    const struct sct_path_frame *frame = &path->frames[index];
    if (path->on_turn && frame->kind == SCT_FRAME_SCHEDULE)
        // A reduction decides itself which alternatives are worth a turn.
        return path->has_turn(path->turn_context, index);
    return has_alternatives(frame);
}

bool sct_path_has_turn(const struct sct_path *path) {
    ASSERT(path->depth > 0);
    return sct_path_is_open(path, path->depth - 1);
}

// Whether [frame], the last one, has an alternative left; takes it.
static bool turn_frame(struct sct_path *path, struct sct_path_frame *frame) {
    ASSERT(frame == &path->frames[path->depth - 1]);
    if (path->on_turn && frame->kind == SCT_FRAME_SCHEDULE)
        return path->on_turn(path->turn_context, path->depth - 1, frame);
    if (!has_alternatives(frame))
        return false;
    frame->answer = (uint16_t)next_answer(frame, frame->answer + 1U);
    return true;
}

bool sct_path_turn(struct sct_path *path) {
    ASSERT(path->depth > 0);
    return turn_frame(path, &path->frames[path->depth - 1]);
}

// From the leaf up to the last decision with an alternative left, which takes it.
static bool turn(struct sct_path *path) {
    while (path->depth > 0) {
        struct sct_path_frame *frame = &path->frames[path->depth - 1];
        if (turn_frame(path, frame))
            return true;
        // Nothing below will be visited again: the cache may now call the state complete.
        if (path->on_pop)
            path->on_pop(path->context, frame);
        path->depth--;
    }
    return false;
}

bool sct_path_advance(struct sct_path *path) {
    ASSERT(!path->is_exhausted);
    if (turn(path))
        return true;
    // The next bound runs what the smaller ones ran again: trees grow by a factor with the bound,
    // so that all of them before cost a fraction of the last.
    bool goes_on = path->bound_kind != SCT_BOUND_NONE && !path->is_one_bound && path->meets_bound &&
                   path->bound < path->bound_limit;
    path->is_exhausted = !goes_on;
    if (goes_on) {
        path->bound++;
        path->meets_bound = false;
    }
    return goes_on;
}

// ---- Shared trees ------------------------------------------------------------------------------

// The first frame from [from] on with an alternative left, or the depth.
static uint32_t find_open(const struct sct_path *path, uint32_t from) {
    while (from < path->depth && !has_alternatives(&path->frames[from]))
        from++;
    return from;
}

void sct_path_take(struct sct_path *path, const struct sct_path *part) {
    ASSERT(path != part);
    ASSERT(part->depth <= part->capacity || part->frames);
    if (path->capacity < part->depth)
        reserve(path, part->depth);
    if (part->depth > 0)
        memcpy(path->frames, part->frames, part->depth * sizeof *part->frames);
    path->depth = part->depth;
    path->position = 0;
    path->bound = part->bound;
    path->first_answer = 0;
    path->barred = 0;
    path->meets_bound = path->is_exhausted = false;
}

bool sct_path_can_split(const struct sct_path *path) {
    uint32_t index = find_open(path, 0);
    // Two open frames at least: one is given away, one stays. The first one has the largest
    // subtrees below it, so whoever takes it is busy for long.
    return index < path->depth && find_open(path, index + 1) < path->depth;
}

bool sct_path_split(struct sct_path *path, struct sct_path *right) {
    ASSERT(!path->on_turn); // else alternatives are not taken in turn
    if (!sct_path_can_split(path))
        return false;
    uint32_t index = find_open(path, 0);
    struct sct_path head = *path;
    head.depth = index + 1;
    *right = (struct sct_path){.bound_kind = path->bound_kind, .bound_limit = path->bound_limit};
    sct_path_take(right, &head);
    for (uint32_t i = 0; i < index; i++)
        right->frames[i].entry = 0; // completed by whoever has it
    // It is not barred: reductions bar.
    right->frames[index].answer++;
    path->frames[index].limit = (uint16_t)(path->frames[index].answer + 1);
    ASSERT(!has_alternatives(&path->frames[index]));
    ASSERT(right->frames[index].answer < right->frames[index].limit);
    return true;
}

double sct_path_left(const struct sct_path *path) {
    ASSERT(!path->on_turn); // alternatives that were taken are the first ones
    // Every alternative of a frame is taken to have an equal share of what is below the frame.
    double left = 0, weight = 1;
    for (uint32_t i = 0; i < path->depth; i++) {
        const struct sct_path_frame *frame = &path->frames[i];
        weight /= frame->width;
        left += weight * (frame->limit - frame->answer - 1);
    }
    return path->is_exhausted ? 0 : left + weight;
}

double sct_path_share(const struct sct_path *path) {
    double share = 0, weight = 1;
    for (uint32_t i = 0; i < path->depth && !path->on_turn; i++) {
        weight /= path->frames[i].width;
        share += weight * path->frames[i].answer;
    }
    return path->is_exhausted ? 1 : share;
}
