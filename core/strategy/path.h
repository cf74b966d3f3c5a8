// The path of a systematic search: where it stands in the tree of all choices.
//
// The decisions of an execution are a path from the root of that tree, scheduling and values alike;
// the search goes through the tree depth first. One execution after the other follows the path as
// far as it reaches, lengthens it with first alternatives, and ends at a leaf; then the last
// decision that has an alternative left takes it, and what is below is forgotten.
//
// A search may be bounded: each scheduling decision that is not the base schedule's costs, and only
// executions within the bound are in the tree. Bounds are tried in turn, 0, 1, 2 and so on, each of
// them with the whole tree within it, so that what is found is found with the least bound.
//   delays       (Emmi, Qadeer, Rakamaric, POPL 2011) The base is round-robin without preemption:
//                stay on the running task while it is enabled, else the next. Passing over a task
//                costs one, so alternative a of a decision costs a.
//   preemptions  (Musuvathi, Qadeer, PLDI 2007) Leaving a task that is still enabled costs one;
//                where it gives way (sct_yield), so does whoever is not the next.
// Values cost nothing. Knows no engine; nothing is random.
//
// Stability: the library's own; it is here for its types.
#ifndef CORE_STRATEGY_PATH_H
#define CORE_STRATEGY_PATH_H

#include <stdbool.h>
#include <stdint.h>

enum { SCT_BOUND_MAX = 100 };

enum sct_bound_kind { SCT_BOUND_NONE, SCT_BOUND_DELAYS, SCT_BOUND_PREEMPTIONS };

enum sct_frame_kind {
    SCT_FRAME_SCHEDULE,
    SCT_FRAME_VALUE,
    SCT_FRAME_STATE, // no decision: a state with one way to go on, remembered by the cache
};

struct sct_path_frame {
    uint16_t count;  // alternatives there are
    uint16_t limit;  // alternatives within the bound: the first ones
    uint16_t answer; // the one the path takes, < limit
    uint8_t kind;
    bool is_preempting; // alternatives but the first leave a task that is enabled
    uint32_t spent;     // of the bound, by the decisions before this one
    uint32_t width;     // the limit before alternatives were given away
    uint64_t entry;     // for the cache: what it has of the state here; 0: nothing
    uint64_t cuts;      // for the cache: subtrees left incomplete before this frame
    uint64_t barred;    // alternatives, of the first 64, that are not taken
};

struct sct_path {
    struct sct_path_frame *frames;
    uint32_t depth;    // decisions on the path
    uint32_t position; // decisions of the running execution so far
    uint32_t capacity;
    enum sct_bound_kind bound_kind;
    uint32_t bound_limit;  // the last bound to try
    uint32_t bound;        // the one being tried
    bool is_one_bound;     // the search ends with this bound: whether to go on is for others to say
    bool meets_bound;      // with this bound something was left out
    bool is_exhausted;     // there is no further leaf
    uint64_t cuts;         // for the cache: subtrees left incomplete so far
    uint32_t first_answer; // the alternative that the next new scheduling decision takes first
    uint64_t barred;       // of the next new value: as in its frame
    // A search that leaves out some of the alternatives: whether there is one to take next at the
    // scheduling decision frames[index], which then becomes frame->answer. NULL: take all in turn.
    bool (*on_turn)(void *context, uint32_t index, struct sct_path_frame *frame);
    // Whether it would find one, as far as is known; not NULL where that is not.
    bool (*has_turn)(const void *context, uint32_t index);
    void *turn_context;
    // Called before a frame is forgotten; may be NULL.
    void (*on_pop)(void *context, const struct sct_path_frame *frame);
    void *context; // of on_pop
};

// Frees what the path has allocated; it stands at the root again.
void sct_path_deinit(struct sct_path *path);

// The next decision of the running execution, and in *[answer] what the path says, lengthening it
// if it ends here. False if the path met another kind or number of alternatives here before: the
// system under test is not a function of its choices.
bool sct_path_answer(struct sct_path *path, enum sct_frame_kind kind, uint32_t count,
                     bool is_preempting, uint32_t *answer);

// Whether the running execution has left what earlier executions know of the path.
static inline bool sct_path_is_new(const struct sct_path *path) {
    return path->position == path->depth;
}

// Whether there is an alternative left at the decision frames[index].
bool sct_path_is_open(const struct sct_path *path, uint32_t index);

// The same of the last decision.
bool sct_path_has_turn(const struct sct_path *path);

// The last decision takes its next alternative; false, without a change, if there is none.
bool sct_path_turn(struct sct_path *path);

// Adds a frame with one alternative for the cache's sake.
struct sct_path_frame *sct_path_add_state(struct sct_path *path);

// What the decisions of the path have spent of the bound.
uint32_t sct_path_spent(const struct sct_path *path);

// Whether the execution that has just ended was in no search with a smaller bound.
bool sct_path_is_first_time(const struct sct_path *path);

// Moves to the next leaf, of the next bound if need be; false when there is none.
bool sct_path_advance(struct sct_path *path);

// ---- Shared trees ------------------------------------------------------------------------------

// A path whose first frames have no alternative left stands for a part of the tree: the leaves from
// the one it leads to up to the last that it would come to, neighbours all of them. Several
// searches share a tree by taking such parts.

// Whether there are two decisions with alternatives left: one to give away, one to keep.
bool sct_path_can_split(const struct sct_path *path);

// Gives away the last of the leaves that [path] would still come to: the alternatives left of its
// first decision that has some. (Where alternatives are not taken in turn: core/search/parts.h.)
// [right], which is overwritten, stands for them; it is not bound to anybody's callbacks. False,
// without a change, if the path cannot be split.
bool sct_path_split(struct sct_path *path, struct sct_path *right);

// Makes [path] stand at the first leaf of the part that [part] stands for, in place of its own.
void sct_path_take(struct sct_path *path, const struct sct_path *part);

// How much of the tree within the present bound [path] still has to go through, in the measure of
// sct_path_share.
double sct_path_left(const struct sct_path *path);

// How much of the tree within the present bound lies before the path, 0 .. 1, each alternative of a
// decision counting alike (0 if not all are taken in turn). With n leaves so far n / share
// estimates their number: the weighted backtrack estimator (Kilby, Slaney, Thiebaux, Walsh, AAAI
// 2006), after Knuth (1975).
double sct_path_share(const struct sct_path *path);

#endif
