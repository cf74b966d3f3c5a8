#include "core/trace/minimize.h"
#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/grow.h"
#include "core/trace/pattern.h"

#include <stdlib.h>
#include <string.h>

enum {
    PROGRESS_EVERY = 512, // tries
    SEARCH_RUNS = 160,    // random executions for each simpler input
    WAYS = 4,             // of scheduling those
    PLACED_RUNS = 20000,  // of one round of schedules with few switches
    DROP_LENGTH = 24,     // values left out together, when not all to the end
    LOWER_VALUES = 40,    // nonzero values up to which pairs of lowering and leaving out are tried
};

// The smaller the better, field by field.
struct cost {
    uint64_t fields[4];
};

// A failing execution.
struct found {
    struct sct_plan plan;
    struct cost cost;
    struct sct_measures measures;
    uint32_t schedule_count, task_count;
};

struct minimizer {
    struct sct_engine *engine;
    const struct sct_minimize_options *options;
    struct sct_minimum *minimum;
    struct sct_follower follower;
    struct sct_strategy *ways[WAYS];
    char *pattern;
    struct found best, other; // [other] is worked on when it comes from a search
    struct sct_plan candidate, input;
    uint64_t tries_max;
    double started_at; // seconds of the clock
};

static int compare(const struct cost *a, const struct cost *b) {
    for (int i = 0; i < 4; i++)
        if (a->fields[i] != b->fields[i])
            return a->fields[i] < b->fields[i] ? -1 : 1;
    return 0;
}

// ---- Trying ------------------------------------------------------------------------------------

// Looked at before every try: so one try more is the most that an interruption waits for.
static bool should_stop(struct minimizer *minimizer) {
    const struct sct_minimize_options *options = minimizer->options;
    struct sct_minimum *minimum = minimizer->minimum;
    minimum->looks++;
    minimum->elapsed_seconds = clock_seconds() - minimizer->started_at;
    if (options->interrupted && *options->interrupted)
        minimum->was_interrupted = true;
    if (minimum->tries >= minimizer->tries_max ||
        (options->seconds_max > 0 && minimum->elapsed_seconds >= options->seconds_max))
        minimum->reached_limit = true;
    return minimum->was_interrupted || minimum->reached_limit;
}

// Whether a limit or an interruption was met: nothing is run any more. Every loop of tries ends
// with it, for even what leads up to a try is work.
static bool is_over(const struct minimizer *minimizer) {
    return minimizer->minimum->was_interrupted || minimizer->minimum->reached_limit;
}

static struct cost measure(const struct sct_follower *follower, const struct sct_result *result,
                           struct sct_measures *measures) {
    const struct sct_plan *seen = &follower->seen;
    ASSERT(follower->preemption_count <= seen->switch_count);
    uint64_t sum = 0;
    *measures = (struct sct_measures){
        .deviations = seen->switch_count,
        .decisions = result->decision_count,
        .preemptions = follower->preemption_count,
        .operations = result->operation_count,
    };
    for (uint32_t i = 0; i < seen->value_count; i++) {
        measures->deviations += seen->values[i].answer > 0;
        sum += seen->values[i].answer;
    }
    // Fewer operations of the system under test first: they are what a reader must understand. A
    // preemption counts twice, since it is harder to follow than another answer. The sum of the
    // answers is last: it makes a lowered value an improvement although as much deviates as before.
    return (struct cost){{measures->operations, measures->deviations + measures->preemptions,
                          measures->decisions, sum}};
}

static bool is_same_failure(const struct minimizer *minimizer, const struct sct_result *result) {
    if (result->outcome != SCT_VIOLATED)
        return false;
    char *pattern = sct_violation_pattern(&result->violation);
    ASSERT(minimizer->pattern);
    // Patterns leave out numbers and the like: values of a smaller execution are other ones.
    // Without a pattern at all a minimum would often be another, simpler failure.
    bool is_same = strcmp(pattern, minimizer->pattern) == 0;
    free(pattern);
    return is_same;
}

// Runs what the follower is set to; if that fails the same way and is smaller than *[found], or if
// [is_any], it becomes *[found].
static bool run(struct minimizer *minimizer, struct found *found, uint64_t seed, bool is_any) {
    struct sct_minimum *minimum = minimizer->minimum;
    if (should_stop(minimizer))
        return false;
    const struct sct_result *result = sct_engine_run(minimizer->engine, minimizer->options->program,
                                                     &minimizer->follower.base, seed);
    ASSERT(result->outcome != SCT_DIVERGED); // what does not fit a plan is answered by default
    minimum->tries++;
    if (minimum->tries % PROGRESS_EVERY == 0 && minimizer->options->progress)
        minimizer->options->progress(minimizer->options->context, minimum);
    if (!is_same_failure(minimizer, result))
        return false;
    struct sct_measures measures;
    struct cost cost = measure(&minimizer->follower, result, &measures);
    // With fewer switches a thread that waits may go round and round before the fair tail ends its
    // wait: such an execution is none that anybody would rather read.
    bool is_longer = measures.decisions > minimum->before.decisions;
    if (!is_any && (is_longer || compare(&cost, &found->cost) >= 0))
        return false;
    // What happened is kept, not what was planned: entries that fitted nothing fall away.
    sct_plan_copy(&found->plan, &minimizer->follower.seen);
    found->cost = cost;
    found->measures = measures;
    found->schedule_count = result->schedule_count;
    found->task_count = result->task_count;
    if (found == &minimizer->best)
        minimum->now = measures;
    return true;
}

static bool try_plan(struct minimizer *minimizer, const struct sct_plan *plan,
                     struct found *found) {
    ASSERT(plan != &minimizer->follower.seen);
    minimizer->follower.plan = plan;
    minimizer->follower.scheduler = NULL;
    minimizer->follower.places = NULL;
    return run(minimizer, found, 0, false);
}

// As it is, and with its switches moved to where the changed values have moved the steps.
static bool try_candidate(struct minimizer *minimizer, struct found *found) {
    if (try_plan(minimizer, &minimizer->candidate, found))
        return true;
    if (is_over(minimizer))
        return false; // it may not have been run
    return sct_follower_realign(&minimizer->follower, &minimizer->candidate) &&
           try_plan(minimizer, &minimizer->candidate, found);
}

// ---- Switches ----------------------------------------------------------------------------------

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

// Keeps only the switches from [first] on, at most [count].
static bool keep_switches(struct minimizer *minimizer, struct found *found, uint32_t first,
                          uint32_t count) {
    ASSERT(first < found->plan.switch_count);
    ASSERT(count > 0);
    struct sct_plan *candidate = &minimizer->candidate;
    sct_plan_copy(candidate, &found->plan);
    // What is behind first, so that [first] still means the same.
    uint32_t end = first + smaller(count, candidate->switch_count - first);
    sct_plan_drop_switches(candidate, end, candidate->switch_count - end);
    sct_plan_drop_switches(candidate, 0, first);
    return try_candidate(minimizer, found);
}

// Leaves out, or alone keeps, runs of switches: halves, quarters, ... single ones. Whether it
// helped.
static bool drop_switches(struct minimizer *minimizer, struct found *found) {
    bool is_better = false;
    // Delta debugging (Zeller, Hildebrandt 2002), with subsets and complements of one granularity
    // in one pass.
    for (uint32_t length = found->plan.switch_count; length > 0; length /= 2) {
        for (uint32_t i = 0; i < found->plan.switch_count && !is_over(minimizer);) {
            sct_plan_copy(&minimizer->candidate, &found->plan);
            sct_plan_drop_switches(&minimizer->candidate, i,
                                   smaller(length, found->plan.switch_count - i));
            bool is_fewer =
                try_candidate(minimizer, found) || keep_switches(minimizer, found, i, length);
            is_better |= is_fewer;
            // A success has replaced found->plan, which is shorter now: the bounds are read anew
            // each time.
            i += is_fewer ? 0 : length; // else others are at i now
        }
    }
    return is_better;
}

// Leaves out two switches that need not be neighbours.
// Of two preemptions each may need the other (one takes a lock, one gives it back): neither can be
// left out alone.
static bool drop_switch_pairs(struct minimizer *minimizer, struct found *found) {
    bool is_better = false;
    for (uint32_t i = 0; i + 1 < found->plan.switch_count; i++)
        for (uint32_t j = i + 1; j < found->plan.switch_count && !is_over(minimizer); j++) {
            sct_plan_copy(&minimizer->candidate, &found->plan);
            ASSERT(i < j); // the later one first: the other stays where it is
            sct_plan_drop_switches(&minimizer->candidate, j, 1);
            sct_plan_drop_switches(&minimizer->candidate, i, 1);
            is_better |= try_candidate(minimizer, found);
        }
    return is_better;
}

// Moves a switch by one step of its task, or gives the turn to another task.
static bool move_switches(struct minimizer *minimizer, struct found *found) {
    bool is_better = false;
    for (uint32_t i = 0; i < found->plan.switch_count; i++)
        for (uint32_t distance = 1;
             distance <= 8 && i < found->plan.switch_count && !is_over(minimizer); distance++) {
            sct_plan_copy(&minimizer->candidate, &found->plan);
            minimizer->candidate.switches[i].step += distance;
            is_better |= try_candidate(minimizer, found);
            if (i >= found->plan.switch_count || found->plan.switches[i].step < distance)
                continue;
            sct_plan_copy(&minimizer->candidate, &found->plan);
            minimizer->candidate.switches[i].step -= distance;
            is_better |= try_candidate(minimizer, found);
        }
    return is_better;
}

// Two clients of the same kind differ in their names only: the execution in which they have changed
// places often fails too, and by default the first of them runs first, without a switch.
static uint64_t exchanged(uint64_t task, uint64_t a, uint64_t b) {
    return task == a ? b : task == b ? a : task;
}

static void exchange(struct sct_plan *plan, uint64_t a, uint64_t b) {
    ASSERT(a != b);
    for (uint32_t i = 0; i < plan->value_count; i++)
        plan->values[i].asker = exchanged(plan->values[i].asker, a, b);
    for (uint32_t i = 0; i < plan->switch_count; i++) {
        plan->switches[i].task = exchanged(plan->switches[i].task, a, b);
        plan->switches[i].target = exchanged(plan->switches[i].target, a, b);
    }
}

enum {
    LISTED_TASKS_MAX = 12,
    TURNED_TASKS_MAX = 5, // up to so many tasks, roles of three go round, too
};

struct task_list {
    uint64_t tasks[LISTED_TASKS_MAX];
    uint32_t count;
};

static void list_task(struct task_list *list, uint64_t task) {
    ASSERT(list->count <= LISTED_TASKS_MAX);
    for (uint32_t i = 0; i < list->count; i++)
        if (list->tasks[i] == task)
            return;
    if (task != 0 && list->count < LISTED_TASKS_MAX)
        list->tasks[list->count++] = task;
}

// The tasks that a plan speaks of, those that asked for values first.
static struct task_list list_tasks(const struct sct_plan *plan) {
    struct task_list list = {.count = 0};
    for (uint32_t i = 0; i < plan->value_count; i++)
        list_task(&list, plan->values[i].asker);
    for (uint32_t i = 0; i < plan->switch_count; i++) {
        list_task(&list, plan->switches[i].task);
        list_task(&list, plan->switches[i].target);
    }
    return list;
}

// Exchanges the roles of two tasks; and, if [then] is not NULL, of all pairs of those after that.
static bool exchange_pairs(struct minimizer *minimizer, struct found *found,
                           const struct task_list *list, const uint64_t *then) {
    bool is_better = false;
    for (uint32_t i = 0; i < list->count; i++)
        for (uint32_t j = i + 1; j < list->count && !is_over(minimizer); j++) {
            const uint64_t pair[] = {list->tasks[i], list->tasks[j]};
            sct_plan_copy(&minimizer->candidate, &found->plan);
            if (then)
                exchange(&minimizer->candidate, then[0], then[1]);
            exchange(&minimizer->candidate, pair[0], pair[1]);
            is_better |= try_candidate(minimizer, found);
            if (!then && list->count <= TURNED_TASKS_MAX)
                is_better |= exchange_pairs(minimizer, found, list, pair);
        }
    return is_better;
}

// Exchanging all pairs of roles twice over is how three go round: (a b)(b c).
static bool exchange_tasks(struct minimizer *minimizer, struct found *found) {
    // Listed before: the tasks of a plan that gets better on the way may be fewer, and pairs of one
    // that is gone change nothing and fail.
    struct task_list list = list_tasks(&found->plan);
    return exchange_pairs(minimizer, found, &list, NULL);
}

// ---- Values ------------------------------------------------------------------------------------

// How many of [count] answers from [first] on are not the default.
static uint32_t count_nonzero(const struct sct_plan *plan, uint32_t first, uint32_t count) {
    uint32_t end = first + smaller(count, plan->value_count - first), found = 0;
    ASSERT(first <= plan->value_count);
    for (uint32_t i = first; i < end; i++)
        found += plan->values[i].answer > 0;
    return found;
}

// All but a run of values by default: when only a short run matters this is a single try.
static bool zero_others(struct minimizer *minimizer, struct found *found, uint32_t first,
                        uint32_t count) {
    struct sct_plan *candidate = &minimizer->candidate;
    sct_plan_copy(candidate, &found->plan);
    uint32_t end = first + smaller(count, candidate->value_count - first);
    sct_plan_zero_values(candidate, 0, first);
    sct_plan_zero_values(candidate, end, candidate->value_count - end);
    return try_candidate(minimizer, found);
}

// Sets runs of values, or all others, to 0: halves, quarters, ... single ones. Whether it helped.
static bool zero_values(struct minimizer *minimizer, struct found *found) {
    bool is_better = false;
    for (uint32_t length = found->plan.value_count; length > 0; length /= 2) {
        // Kept up to date here, as counting costs as much as copying the plan.
        uint32_t all = count_nonzero(&found->plan, 0, UINT32_MAX);
        for (uint32_t i = 0; i < found->plan.value_count && !is_over(minimizer); i += length) {
            // Known before the plan is copied: most runs of a long one have nothing to set to 0.
            uint32_t inside = count_nonzero(&found->plan, i, length);
            bool has_helped = false;
            if (inside > 0) {
                sct_plan_copy(&minimizer->candidate, &found->plan);
                sct_plan_zero_values(&minimizer->candidate, i, length);
                has_helped = try_candidate(minimizer, found);
            }
            if (!has_helped && all > inside)
                has_helped = zero_others(minimizer, found, i, length);
            if (has_helped)
                all = count_nonzero(&found->plan, 0, UINT32_MAX);
            is_better |= has_helped;
        }
    }
    return is_better;
}

// Makes single values lower: the lowest that still fails, half, one less.
static bool lower_values(struct minimizer *minimizer, struct found *found) {
    // Upwards from 1, because the lowest is wanted, but only for a while; beyond that one less at a
    // time, which each success repeats with the new answer.
    enum { LOWEST_TRIED = 8 };
    bool is_better = false;
    for (uint32_t i = 0; i < found->plan.value_count; i++)
        for (uint32_t value = 1; i < found->plan.value_count && !is_over(minimizer); value++) {
            uint32_t answer = found->plan.values[i].answer;
            if (value >= answer)
                break;
            sct_plan_copy(&minimizer->candidate, &found->plan);
            minimizer->candidate.values[i].answer = value > LOWEST_TRIED ? answer - 1 : value;
            bool is_lower = try_candidate(minimizer, found);
            is_better |= is_lower;
            if (is_lower == (value <= LOWEST_TRIED))
                break; // the lowest, or not even one less
        }
    return is_better;
}

// How many values [asker] was given from the [first] one on.
static uint32_t count_from(const struct sct_plan *plan, uint64_t asker, uint32_t first) {
    uint32_t count = 0;
    for (uint32_t i = first; i < plan->value_count; i++)
        count += plan->values[i].asker == asker;
    return count;
}

// Longer runs first: a call and all its arguments go in one try, while a part of them leaves the
// rest of the arguments to be read by the wrong question.
static bool drop_values(struct minimizer *minimizer, struct found *found) {
    bool is_better = false;
    for (uint32_t i = 0; i < found->plan.value_count && !is_over(minimizer); i++) {
        uint64_t asker = found->plan.values[i].asker;
        uint32_t rest = count_from(&found->plan, asker, i);
        for (uint32_t length = rest < DROP_LENGTH ? rest : DROP_LENGTH; length > 0; length--) {
            sct_plan_copy(&minimizer->candidate, &found->plan);
            sct_plan_drop_values_of_asker(&minimizer->candidate, i, length);
            if (!try_candidate(minimizer, found))
                continue;
            is_better = true;
            break;
        }
    }
    return is_better;
}

// Lowers the [i]-th value by one and leaves out values of the same task behind it: one call fewer,
// and not the last.
static bool lower_and_drop(struct minimizer *minimizer, struct found *found, uint32_t i) {
    ASSERT(i < found->plan.value_count);
    ASSERT(found->plan.values[i].answer > 0);
    uint64_t asker = found->plan.values[i].asker;
    for (uint32_t first = i + 1; first < found->plan.value_count && !is_over(minimizer); first++) {
        if (found->plan.values[first].asker != asker)
            continue;
        uint32_t rest = count_from(&found->plan, asker, first);
        for (uint32_t length = rest < DROP_LENGTH ? rest : DROP_LENGTH; length > 0; length--) {
            sct_plan_copy(&minimizer->candidate, &found->plan);
            minimizer->candidate.values[i].answer--;
            sct_plan_drop_values_of_asker(&minimizer->candidate, first, length);
            if (try_candidate(minimizer, found))
                return true;
        }
    }
    return false;
}

static bool lower_and_drop_values(struct minimizer *minimizer, struct found *found) {
    bool is_better = false;
    uint32_t nonzero = count_nonzero(&found->plan, 0, UINT32_MAX);
    for (uint32_t i = 0; i < found->plan.value_count && !is_over(minimizer); i++) {
        // A try for each pair of a value and a run behind it: with many values that is not to be
        // had.
        if (found->plan.values[i].answer == 0 || nonzero > LOWER_VALUES ||
            !lower_and_drop(minimizer, found, i))
            continue;
        is_better = true;
        nonzero = count_nonzero(&found->plan, 0, UINT32_MAX);
    }
    return is_better;
}

// ---- Searching schedules -----------------------------------------------------------------------

// Runs random schedules with the values of minimizer->input; the first that fails is shrunk and, if
// smaller, becomes the best.
static bool search_randomly(struct minimizer *minimizer) {
    struct found *best = &minimizer->best, *other = &minimizer->other;
    ASSERT(best->schedule_count < UINT32_MAX);
    struct sct_calibration calibration = {.decisions_max = best->schedule_count + 1,
                                          .tasks_max = best->task_count};
    bool is_found = false;
    for (uint32_t i = 0; i < SEARCH_RUNS && !is_found && !is_over(minimizer); i++) {
        // The ways share a length that was measured on the failure: their change points fall within
        // it.
        struct sct_strategy *way = minimizer->ways[i % WAYS];
        way->calibration = calibration;
        minimizer->follower.plan = &minimizer->input;
        minimizer->follower.scheduler = way;
        minimizer->follower.places = NULL;
        is_found = run(minimizer, other, sct_execution_seed(minimizer->options->seed, i), true);
    }
    if (!is_found)
        return false;
    // Shrunk before it is compared: a random schedule has more switches than any that was shrunk,
    // and would never win as it is.
    while (drop_switches(minimizer, other) && zero_values(minimizer, other)) {
    }
    return try_plan(minimizer, &other->plan, best);
}

// All schedules with up to [depth] more switches than the [used] ones in places, behind those.
struct placing {
    struct minimizer *minimizer;
    const struct sct_plan *values; // of which plan
    struct sct_plan_place places[4];
    uint64_t tries_end;
};

static bool place(struct placing *placing, uint32_t used, uint32_t depth) {
    struct minimizer *minimizer = placing->minimizer;
    struct sct_follower *follower = &minimizer->follower;
    ASSERT(used + depth <= sizeof placing->places / sizeof placing->places[0]);
    ASSERT(used == 0 || placing->places[used - 1].ordinal > 0);
    // Not a limit of the whole: the search of schedules is given up, and others go on.
    if (minimizer->minimum->tries >= placing->tries_end)
        return false;
    follower->plan = placing->values;
    follower->scheduler = NULL;
    follower->places = placing->places;
    follower->place_count = used;
    // The prefix alone, too: its run tells how many alternatives there are behind it.
    if (run(minimizer, &minimizer->best, 0, false))
        return true;
    if (depth == 0 || should_stop(minimizer))
        return false;
    uint32_t count = follower->decision_count;
    uint32_t first = used > 0 ? placing->places[used - 1].ordinal : 0;
    if (first >= count)
        return false;
    // The follower's counts are of its last execution, which the recursion below runs over.
    uint32_t *counts = grow_to(NULL, count, sizeof *counts, "a search of schedules");
    memcpy(counts, follower->counts, count * sizeof *counts);
    bool is_better = false;
    for (uint32_t i = first; i < count && !is_better && !is_over(minimizer); i++)
        for (uint32_t answer = 1; answer < counts[i] && !is_better; answer++) {
            // Behind the last one only: the places are an increasing sequence, so no set of them is
            // tried twice.
            placing->places[used] = (struct sct_plan_place){i + 1, answer};
            is_better = place(placing, used + 1, depth - 1);
        }
    free(counts);
    return is_better;
}

// Schedules with fewer and fewer switches than the best has, for the values of [plan].
static bool search_placed(struct minimizer *minimizer, const struct sct_plan *plan,
                          uint32_t depth_max, uint64_t tries_max) {
    for (uint32_t depth = 0; depth <= depth_max; depth++) {
        // Depth by depth: all schedules with one switch before any with two, so the first that is
        // found has the fewest.
        struct placing placing = {.minimizer = minimizer, .values = plan};
        placing.tries_end = minimizer->minimum->tries + tries_max;
        if (place(&placing, 0, depth))
            return true;
    }
    return false;
}

// As many switches as can all be tried, and fewer than the best has.
static bool search_few_switches(struct minimizer *minimizer) {
    enum { DEPTH_MAX = 3 };
    ASSERT(DEPTH_MAX < 4); // places of struct placing
    uint32_t switches = minimizer->best.plan.switch_count;
    if (switches == 0)
        return false;
    sct_plan_copy(&minimizer->input, &minimizer->best.plan);
    // With n decisions there are some n^depth schedules: three switches are what PLACED_RUNS covers
    // of a short failure.
    uint32_t depth = switches - 1 < DEPTH_MAX ? switches - 1 : DEPTH_MAX;
    return search_placed(minimizer, &minimizer->input, depth, PLACED_RUNS);
}

// Simpler inputs for which the present schedule does not fail: perhaps another does.
static bool search_input(struct minimizer *minimizer) {
    // Cheap and complete within a switch before expensive and by chance.
    return search_placed(minimizer, &minimizer->input, 1, SEARCH_RUNS) ||
           search_randomly(minimizer);
}

static bool search_inputs(struct minimizer *minimizer) {
    struct found *best = &minimizer->best;
    for (uint32_t i = 0; i < best->plan.value_count && !is_over(minimizer); i++) {
        sct_plan_copy(&minimizer->input, &best->plan);
        if (sct_plan_zero_values(&minimizer->input, i, 1) && search_input(minimizer))
            return true;
    }
    return false;
}

// The next value of the asker of the [i]-th one; the number of values if there is none.
static uint32_t next_of_asker(const struct sct_plan *plan, uint32_t i) {
    ASSERT(i < plan->value_count);
    uint32_t next = i + 1;
    while (next < plan->value_count && plan->values[next].asker != plan->values[i].asker)
        next++;
    return next;
}

// One call fewer: a value lowered by one, with a run of the values behind it left out.
static bool search_shorter_inputs(struct minimizer *minimizer) {
    const struct sct_plan *best = &minimizer->best.plan;
    for (uint32_t i = 0; i < best->value_count && !is_over(minimizer); i++) {
        uint32_t next = next_of_asker(best, i);
        if (best->values[i].answer == 0 || next == best->value_count)
            continue;
        uint32_t rest = count_from(best, best->values[i].asker, next);
        for (uint32_t length = 1; length <= rest && length <= DROP_LENGTH; length++) {
            sct_plan_copy(&minimizer->input, best);
            minimizer->input.values[i].answer--;
            sct_plan_drop_values_of_asker(&minimizer->input, next, length);
            if (search_randomly(minimizer))
                return true;
        }
    }
    return false;
}

// ---- The whole ---------------------------------------------------------------------------------

// The cheap steps until none of them helps.
static void polish(struct minimizer *minimizer, struct found *found) {
    bool is_better;
    do {
        // Values first: fewer calls are fewer steps, and with them go the switches that fell among
        // them.
        is_better = zero_values(minimizer, found);
        is_better |= drop_switches(minimizer, found);
        is_better |= drop_values(minimizer, found);
        is_better |= exchange_tasks(minimizer, found);
        is_better |= lower_values(minimizer, found);
    } while (is_better && !should_stop(minimizer));
}

// The expensive ones, cheapest first; the first that helps gives the cheap ones another chance.
static bool improve(struct minimizer *minimizer) {
    struct found *best = &minimizer->best;
    // Each of these costs a number of tries that is quadratic, or a search.
    return lower_and_drop_values(minimizer, best) || drop_switch_pairs(minimizer, best) ||
           move_switches(minimizer, best) || search_few_switches(minimizer) ||
           search_inputs(minimizer) || search_shorter_inputs(minimizer);
}

static void open_search(struct minimizer *minimizer) {
    ASSERT(minimizer->engine);
    ASSERT(minimizer->options->program);
    static const char *const ways[WAYS] = {"pct:2", "pct:3", "sticky:3", "delay:2"};
    struct error error;
    for (int i = 0; i < WAYS; i++) {
        minimizer->ways[i] = sct_strategy_new(ways[i], &error);
        ASSERT(minimizer->ways[i]);
    }
    sct_follower_init(&minimizer->follower);
    minimizer->started_at = clock_seconds();
}

static void close_search(struct minimizer *minimizer) {
    ASSERT(!minimizer->follower.leader);
    for (int i = 0; i < WAYS; i++)
        sct_strategy_free(minimizer->ways[i]);
    sct_follower_free(&minimizer->follower);
    sct_plan_free(&minimizer->best.plan);
    sct_plan_free(&minimizer->other.plan);
    sct_plan_free(&minimizer->candidate);
    sct_plan_free(&minimizer->input);
    free(minimizer->pattern);
}

// Runs the start; whether it fails.
static bool run_start(struct minimizer *minimizer) {
    const struct sct_minimize_options *options = minimizer->options;
    ASSERT(options->start);
    // What leads decides everything in its own way once; what it has done is a plan from then on,
    // that can be changed entry by entry.
    minimizer->follower.leader = options->start;
    const struct sct_result *result = sct_engine_run(
        minimizer->engine, options->program, &minimizer->follower.base, options->start_seed);
    minimizer->follower.leader = NULL;
    minimizer->minimum->tries = 1;
    if (result->outcome != SCT_VIOLATED)
        return false;
    minimizer->pattern = sct_violation_pattern(&result->violation);
    struct found *best = &minimizer->best;
    sct_plan_copy(&best->plan, &minimizer->follower.seen);
    best->cost = measure(&minimizer->follower, result, &best->measures);
    best->schedule_count = result->schedule_count;
    best->task_count = result->task_count;
    ASSERT(best->measures.preemptions <= best->measures.deviations);
    minimizer->minimum->before = minimizer->minimum->now = best->measures;
    return true;
}

// The best once more, so that it is the engine's last run.
static void run_best(struct minimizer *minimizer, struct sct_plan *plan) {
    ASSERT(plan != &minimizer->best.plan);
    sct_plan_copy(plan, &minimizer->best.plan);
    minimizer->follower.plan = plan;
    minimizer->follower.scheduler = NULL;
    minimizer->follower.places = NULL;
    const struct sct_result *result = sct_engine_run(minimizer->engine, minimizer->options->program,
                                                     &minimizer->follower.base, 0);
    ASSERT(is_same_failure(minimizer, result));
}

bool sct_minimize(struct sct_engine *engine, const struct sct_minimize_options *options,
                  struct sct_plan *plan, struct sct_minimum *minimum) {
    struct minimizer minimizer = {
        .engine = engine,
        .options = options,
        .minimum = minimum,
        .tries_max = options->tries_max ? options->tries_max : SCT_MINIMIZE_TRIES,
    };
    *minimum = (struct sct_minimum){0};
    open_search(&minimizer);
    bool is_failing = run_start(&minimizer);
    if (is_failing) {
        do
            polish(&minimizer, &minimizer.best);
        while (!should_stop(&minimizer) && improve(&minimizer));
        run_best(&minimizer, plan);
        should_stop(&minimizer); // for the time
    }
    close_search(&minimizer);
    return is_failing;
}
