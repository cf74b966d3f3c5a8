// Is a recorded history linearizable? That is: can every operation be given one instant between its
// call and its return so that, in that order, a sequential specification allows every result?
//
// The search is the one of Wing and Gong (1993) with Lowe's memory of configurations (2017), done
// separately for every key where the specification says that keys are independent (Horn and
// Kroening 2015): each with few steps first, so that one hard key does not hide that another is
// wrong. Where all that is read was written once, no search is needed (Gibbons and Korach 1997). It
// knows nothing of the system. An operation that never returned may take effect
// at any time after its call, or not at all; one that returned with an unknown output took effect
// between its call and its return. Limits on work and memory make the answer unknown; the search
// never hangs. The same history, specification and limits give the same result. One thread.
//
// Stability: stays within 0.2; how many steps a check takes does not.
#ifndef CORE_HISTORY_LINEARIZE_H
#define CORE_HISTORY_LINEARIZE_H

#include "core/base/api.h"
#include "core/base/text.h"
#include "core/history/history.h"

// What a step answers when the specification itself gives up (it has no memory left).
#define LIN_GAVE_UP UINT32_MAX

// What an operation, with its output, does to a value: the state of a part, if it is one word.
enum lin_access {
    LIN_SEARCHED, // none of these
    LIN_WRITES,   // sets it, whatever it was
    LIN_APPENDS,  // adds something to it, whatever it was
    LIN_READS,    // fits if it is a certain one, and leaves it
    LIN_PASSES,   // fits always, and leaves it: a read whose output is not known
};

// What [take_apart] answers when a value may have come about in several ways.
#define LIN_SEVERAL_WAYS UINT32_MAX

// A sequential specification. It may look at function, key, input, data, has_output and output of
// an operation, and at nothing else of it.
struct lin_spec {
    void *context;        // passed to every function
    uint32_t state_words; // a state is that many 64-bit words, >= 1

    void (*init)(void *context, uint64_t *state);

    // In how many ways [operation] can take effect in [state] with its output (any output, without
    // has_output); 0: in none. Writes the state after way number [way] to [next], if there is it.
    uint32_t (*step)(void *context, const uint64_t *state, const struct sct_operation *operation,
                     uint32_t way, uint64_t *next);

    // Where states equal in meaning may differ in bits. Both or none; equal states hash equally.
    bool (*equal)(void *context, const uint64_t *a, const uint64_t *b);
    uint64_t (*hash)(void *context, const uint64_t *state);

    // For messages. Optional.
    void (*describe)(void *context, const struct sct_operation *operation, struct text *text);

    // Operations of different parts do not influence each other: parts are checked one by one, each
    // from the initial state. Must not look at the output. Optional.
    uint64_t (*part)(void *context, const struct sct_operation *operation);

    // Whether [operation], with its output, never changes the state. Such an operation is placed as
    // soon as it fits. Optional, but worth much.
    bool (*observes)(void *context, const struct sct_operation *operation);

    // Looking ahead to [goal], an operation that observes and has an output; both or none:
    // false if [goal] cannot fit in [state], nor later by operations for which [leads] is false;
    bool (*reaches)(void *context, const uint64_t *state, const struct sct_operation *goal);
    // false if no state after [operation] matters to [goal] more than the state before it did.
    bool (*leads)(void *context, const struct sct_operation *operation,
                  const struct sct_operation *goal);

    // Sets [value] to what [operation] writes, appends or reads. Parts of such operations alone are
    // decided without a search, where nothing that is read was written or appended twice. Only
    // where [state_words] is 1. Optional.
    enum lin_access (*access)(void *context, const struct sct_operation *operation,
                              uint64_t *value);

    // Of what [value], which was read, is made: pieces[0] was written, or is the initial value; the
    // others were appended to it in that order. Returns how many they are; 0, if what all
    // operations write and append does not make it, or it takes more than [pieces_max], which is
    // at least 1. Needed with LIN_APPENDS; without it a value is one piece.
    uint32_t (*take_apart)(void *context, uint64_t value, uint64_t *pieces, uint32_t pieces_max);

    // No state that was made so far will be looked at again: what is kept for them may be
    // forgotten. Optional.
    void (*forget)(void *context);
};

struct lin_limits {
    uint64_t steps_max;  // of one check: operations tried and configurations compared
    size_t memory_bytes; // reserved once; used as the search needs it
};

enum lin_verdict { LIN_LINEARIZABLE, LIN_NOT_LINEARIZABLE, LIN_UNKNOWN };

enum lin_limit { LIN_NO_LIMIT, LIN_STEPS, LIN_MEMORY, LIN_SPECIFICATION };

struct lin_result {
    enum lin_verdict verdict;
    enum lin_limit limit;    // which one was reached, LIN_UNKNOWN only
    uint32_t parts;          // checked separately
    uint64_t steps;          // done
    uint64_t configurations; // remembered

    // LIN_NOT_LINEARIZABLE only; of the part that is not. The history of the part can be linearized
    // up to, but not including, the return of [blocked]: so far nobody knows the outputs of
    // operations that return later, [blocked] included, and they may be in the order or not.
    uint32_t blocked;      // index of an operation
    uint32_t part_size;    // operations
    const uint32_t *order; // indices of operations: a linearization of all before that return;
    uint32_t order_count;  //   valid until the next check
    const uint64_t *state; // after them; as long
    bool is_longest;       // no later return would do for [blocked]; see lin_explain
};

struct lin_checker;

// Reserves the memory, for any number of checks: once for all executions, not in their setup.
// Without memory every check is LIN_UNKNOWN.
SCT_API struct lin_checker *lin_open(const struct lin_limits *limits);

SCT_API void lin_close(struct lin_checker *checker);

// Checks [history].
SCT_API void lin_check(struct lin_checker *checker, const struct lin_spec *spec,
                       const struct sct_history *history, struct lin_result *result);

// After a LIN_NOT_LINEARIZABLE of the same arguments: finds the first return before which the part
// can be linearized and after which it cannot, by bisection. Should a limit be reached, the result
// stays valid, with is_longest false.
SCT_API void lin_explain(struct lin_checker *checker, const struct lin_spec *spec,
                         const struct sct_history *history, struct lin_result *result);

#endif
