#include "core/trace/minimize_internal.h"
#include "core/base/assert.h"
#include "core/base/clock.h"
#include "core/base/grow.h"
#include "core/trace/pattern.h"

#include <stdlib.h>
#include <string.h>

enum {
    SEARCH_RUNS = 160,   // random executions for each simpler input
    PLACED_RUNS = 20000, // of one round of schedules with few switches
};

// ---- Switches ----------------------------------------------------------------------------------

static uint32_t smaller(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

// Keeps only the switches from [first] on, at most [count].
static bool keep_switches(struct sct_minimizer *minimizer, struct sct_found *found, uint32_t first,
                          uint32_t count) {
    ASSERT(first < found->plan.switch_count);
    ASSERT(count > 0);
    struct sct_plan *candidate = &minimizer->candidate;
    sct_plan_copy(candidate, &found->plan);
    // What is behind first, so that [first] still means the same.
    uint32_t end = first + smaller(count, candidate->switch_count - first);
    sct_plan_drop_switches(candidate, end, candidate->switch_count - end);
    sct_plan_drop_switches(candidate, 0, first);
    return sct_minimizer_try(minimizer, found);
}

// Leaves out, or alone keeps, runs of switches: halves, quarters, ... single ones. Whether it
// helped.
static bool drop_switches(struct sct_minimizer *minimizer, struct sct_found *found) {
    bool is_better = false;
    // Delta debugging (Zeller, Hildebrandt 2002), with subsets and complements of one granularity
    // in one pass.
    for (uint32_t length = found->plan.switch_count; length > 0; length /= 2) {
        for (uint32_t i = 0; i < found->plan.switch_count && !sct_minimizer_is_over(minimizer);) {
            sct_plan_copy(&minimizer->candidate, &found->plan);
            sct_plan_drop_switches(&minimizer->candidate, i,
                                   smaller(length, found->plan.switch_count - i));
            bool is_fewer =
                sct_minimizer_try(minimizer, found) || keep_switches(minimizer, found, i, length);
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
static bool drop_switch_pairs(struct sct_minimizer *minimizer, struct sct_found *found) {
    bool is_better = false;
    for (uint32_t i = 0; i + 1 < found->plan.switch_count; i++)
        for (uint32_t j = i + 1; j < found->plan.switch_count && !sct_minimizer_is_over(minimizer);
             j++) {
            sct_plan_copy(&minimizer->candidate, &found->plan);
            ASSERT(i < j); // the later one first: the other stays where it is
            sct_plan_drop_switches(&minimizer->candidate, j, 1);
            sct_plan_drop_switches(&minimizer->candidate, i, 1);
            is_better |= sct_minimizer_try(minimizer, found);
        }
    return is_better;
}

// Moves a switch by one step of its task, or gives the turn to another task.
static bool move_switches(struct sct_minimizer *minimizer, struct sct_found *found) {
    bool is_better = false;
    for (uint32_t i = 0; i < found->plan.switch_count; i++)
        // All distances, not up to the first that does not help: one further may.
        for (uint32_t distance = 1;
             distance <= 8 && i < found->plan.switch_count && !sct_minimizer_is_over(minimizer);
             distance++) {
            sct_plan_copy(&minimizer->candidate, &found->plan);
            minimizer->candidate.switches[i].step += distance;
            is_better |= sct_minimizer_try(minimizer, found);
            if (i >= found->plan.switch_count || found->plan.switches[i].step < distance)
                continue;
            sct_plan_copy(&minimizer->candidate, &found->plan);
            minimizer->candidate.switches[i].step -= distance;
            is_better |= sct_minimizer_try(minimizer, found);
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
    // Steps and answers stay: the one is to do what the other did.
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
static bool exchange_pairs(struct sct_minimizer *minimizer, struct sct_found *found,
                           const struct task_list *list, const uint64_t *then) {
    bool is_better = false;
    for (uint32_t i = 0; i < list->count; i++)
        for (uint32_t j = i + 1; j < list->count && !sct_minimizer_is_over(minimizer); j++) {
            const uint64_t pair[] = {list->tasks[i], list->tasks[j]};
            sct_plan_copy(&minimizer->candidate, &found->plan);
            if (then)
                exchange(&minimizer->candidate, then[0], then[1]);
            exchange(&minimizer->candidate, pair[0], pair[1]);
            is_better |= sct_minimizer_try(minimizer, found);
            if (!then && list->count <= TURNED_TASKS_MAX)
                is_better |= exchange_pairs(minimizer, found, list, pair);
        }
    return is_better;
}

// Exchanging all pairs of roles twice over is how three go round: (a b)(b c).
static bool exchange_tasks(struct sct_minimizer *minimizer, struct sct_found *found) {
    // Listed before: the tasks of a plan that gets better on the way may be fewer, and pairs of one
    // that is gone change nothing and fail.
    struct task_list list = list_tasks(&found->plan);
    return exchange_pairs(minimizer, found, &list, NULL);
}

// ---- Searching schedules -----------------------------------------------------------------------

// Runs random schedules with the values of minimizer->input; the first that fails is shrunk and, if
// smaller, becomes the best.
static bool search_randomly(struct sct_minimizer *minimizer) {
    struct sct_found *best = &minimizer->best, *other = &minimizer->other;
    ASSERT(best->schedule_count < UINT32_MAX);
    struct sct_calibration calibration = {.decisions_max = best->schedule_count + 1,
                                          .tasks_max = best->task_count};
    bool is_found = false;
    for (uint32_t i = 0; i < SEARCH_RUNS && !is_found && !sct_minimizer_is_over(minimizer); i++) {
        // The ways share a length that was measured on the failure: their change points fall within
        // it.
        struct sct_strategy *way = minimizer->ways[i % SCT_MINIMIZE_WAYS];
        way->calibration = calibration;
        minimizer->follower.plan = &minimizer->input;
        minimizer->follower.scheduler = way;
        minimizer->follower.places = NULL;
        is_found = sct_minimizer_run(minimizer, other,
                                     sct_execution_seed(minimizer->options->seed, i), true);
    }
    if (!is_found)
        return false;
    // Shrunk before it is compared: a random schedule has more switches than any that was shrunk,
    // and would never win as it is.
    while (drop_switches(minimizer, other) && sct_minimize_zero(minimizer, other)) {
    }
    return sct_minimizer_try_plan(minimizer, &other->plan, best);
}

// All schedules with up to [depth] more switches than the [used] ones in places, behind those.
struct placing {
    struct sct_minimizer *minimizer;
    const struct sct_plan *values; // of which plan
    struct sct_plan_place places[4];
    uint64_t tries_end;
};

static bool place(struct placing *placing, uint32_t used, uint32_t depth) {
    struct sct_minimizer *minimizer = placing->minimizer;
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
    if (sct_minimizer_run(minimizer, &minimizer->best, 0, false))
        return true;
    if (depth == 0 || sct_minimizer_should_stop(minimizer))
        return false;
    uint32_t count = follower->decision_count;
    uint32_t first = used > 0 ? placing->places[used - 1].ordinal : 0;
    // No decision came behind the last place: there is nowhere to put another.
    if (first >= count)
        return false;
    // The follower's counts are of its last execution, which the recursion below runs over.
    uint32_t *counts = grow_to(NULL, count, sizeof *counts, "a search of schedules");
    memcpy(counts, follower->counts, count * sizeof *counts);
    bool is_better = false;
    for (uint32_t i = first; i < count && !is_better && !sct_minimizer_is_over(minimizer); i++)
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
static bool search_placed(struct sct_minimizer *minimizer, const struct sct_plan *plan,
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
static bool search_few_switches(struct sct_minimizer *minimizer) {
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
static bool search_input(struct sct_minimizer *minimizer) {
    // Cheap and complete within a switch before expensive and by chance.
    return search_placed(minimizer, &minimizer->input, 1, SEARCH_RUNS) ||
           search_randomly(minimizer);
}

static bool search_inputs(struct sct_minimizer *minimizer) {
    struct sct_found *best = &minimizer->best;
    for (uint32_t i = 0; i < best->plan.value_count && !sct_minimizer_is_over(minimizer); i++) {
        if (best->plan.values[i].answer == 0)
            continue; // before the plan is copied
        sct_plan_copy(&minimizer->input, &best->plan);
        sct_plan_zero_values(&minimizer->input, i, 1);
        if (search_input(minimizer))
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
static bool search_shorter_inputs(struct sct_minimizer *minimizer) {
    const struct sct_plan *best = &minimizer->best.plan;
    for (uint32_t i = 0; i < best->value_count && !sct_minimizer_is_over(minimizer); i++) {
        uint32_t next = next_of_asker(best, i);
        if (best->values[i].answer == 0 || next == best->value_count)
            continue;
        uint32_t rest =
            sct_minimizer_count_from(best, best->values[i].asker, next, SCT_DROP_LENGTH);
        for (uint32_t length = 1; length <= rest; length++) {
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
static void polish(struct sct_minimizer *minimizer, struct sct_found *found) {
    bool is_better;
    do {
        // Values first: fewer calls are fewer steps, and with them go the switches that fell among
        // them.
        is_better = sct_minimize_zero(minimizer, found);
        is_better |= drop_switches(minimizer, found);
        is_better |= sct_minimize_drop(minimizer, found);
        is_better |= exchange_tasks(minimizer, found);
        is_better |= sct_minimize_lower(minimizer, found);
    } while (is_better && !sct_minimizer_should_stop(minimizer));
}

// The expensive ones, cheapest first; the first that helps gives the cheap ones another chance.
static bool improve(struct sct_minimizer *minimizer) {
    struct sct_found *best = &minimizer->best;
    // Each of these costs a number of tries that is quadratic, or a search.
    return sct_minimize_lower_and_drop(minimizer, best) || drop_switch_pairs(minimizer, best) ||
           move_switches(minimizer, best) || search_few_switches(minimizer) ||
           search_inputs(minimizer) || search_shorter_inputs(minimizer);
}

static void open_search(struct sct_minimizer *minimizer) {
    ASSERT(minimizer->engine);
    ASSERT(minimizer->options->program);
    static const char *const ways[SCT_MINIMIZE_WAYS] = {"pct:2", "pct:3", "sticky:3", "delay:2"};
    struct error error;
    for (int i = 0; i < SCT_MINIMIZE_WAYS; i++) {
        minimizer->ways[i] = sct_strategy_new(ways[i], &error);
        ASSERT(minimizer->ways[i]);
    }
    sct_follower_init(&minimizer->follower);
    minimizer->started_at = clock_seconds();
}

static void close_search(struct sct_minimizer *minimizer) {
    ASSERT(!minimizer->follower.leader);
    for (int i = 0; i < SCT_MINIMIZE_WAYS; i++)
        sct_strategy_free(minimizer->ways[i]);
    sct_follower_free(&minimizer->follower);
    sct_plan_free(&minimizer->best.plan);
    sct_plan_free(&minimizer->other.plan);
    sct_plan_free(&minimizer->candidate);
    sct_plan_free(&minimizer->input);
    free(minimizer->pattern);
}

// Runs the start; whether it fails.
static bool run_start(struct sct_minimizer *minimizer) {
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
    struct sct_found *best = &minimizer->best;
    sct_plan_copy(&best->plan, &minimizer->follower.seen);
    best->cost = sct_minimizer_measure(&minimizer->follower, result, &best->measures);
    best->schedule_count = result->schedule_count;
    best->task_count = result->task_count;
    ASSERT(best->measures.preemptions <= best->measures.deviations);
    minimizer->minimum->before = minimizer->minimum->now = best->measures;
    return true;
}

// The best once more, so that it is the engine's last run. False: it is the start, which is long,
// and was left.
static bool run_best(struct sct_minimizer *minimizer, struct sct_plan *plan) {
    const struct sct_minimum *minimum = minimizer->minimum;
    ASSERT(plan != &minimizer->best.plan);
    // What was found is worth the time that it takes, also to somebody who wants no more.
    bool is_start = memcmp(&minimum->now, &minimum->before, sizeof minimum->now) == 0;
    sct_engine_stop(minimizer->engine, is_start ? minimizer->options->interrupted : NULL, 0);
    sct_plan_copy(plan, &minimizer->best.plan);
    minimizer->follower.plan = plan;
    minimizer->follower.scheduler = NULL;
    minimizer->follower.places = NULL;
    const struct sct_result *result = sct_engine_run(minimizer->engine, minimizer->options->program,
                                                     &minimizer->follower.base, 0);
    bool is_left = result->outcome == SCT_STOPPED;
    ASSERT(is_left || sct_is_same_failure(minimizer, result));
    return !is_left;
}

bool sct_minimize(struct sct_engine *engine, const struct sct_minimize_options *options,
                  struct sct_plan *plan, struct sct_minimum *minimum) {
    struct sct_minimizer minimizer = {
        .engine = engine,
        .options = options,
        .minimum = minimum,
        .tries_max = options->tries_max ? options->tries_max : SCT_MINIMIZE_TRIES,
    };
    *minimum = (struct sct_minimum){0};
    open_search(&minimizer);
    // A try that is long is left; the start, too, and then there is nothing to be minimised.
    sct_engine_stop(engine, options->interrupted,
                    options->seconds_max > 0 ? minimizer.started_at + options->seconds_max : 0);
    bool is_failing = run_start(&minimizer);
    if (is_failing) {
        do
            polish(&minimizer, &minimizer.best);
        while (!sct_minimizer_should_stop(&minimizer) && improve(&minimizer));
        is_failing = run_best(&minimizer, plan);
    }
    sct_minimizer_should_stop(&minimizer); // for the time
    sct_engine_stop(engine, NULL, 0);
    close_search(&minimizer);
    return is_failing;
}
