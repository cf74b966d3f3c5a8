#include "harness/merge/merge.h"
#include "core/base/grow.h"
#include "core/base/number.h"
#include "core/campaign/campaign.h"
#include "harness/report/campaign/report_coverage.h"
#include "harness/models.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// ---- Members -----------------------------------------------------------------------------------

static bool input_error(const struct merge_input *input, const char *what, struct error *error) {
    return error_set(error, "report '%.200s': %.200s", input->name, what);
}

static uint64_t count_of(const json_t *object, const char *name) {
    return (uint64_t)json_integer_value(json_object_get(object, name));
}

static void set_count(json_t *object, const char *name, uint64_t count) {
    json_object_set_new(object, name, json_integer((json_int_t)count));
}

static const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static uint64_t shard_index(const struct merge_input *input) {
    return count_of(json_object_get(input->report, "shard"), "index");
}

static bool is_set(const struct merge_input *input, const char *name) {
    return json_is_true(json_object_get(input->report, name));
}

// ---- Checks ------------------------------------------------------------------------------------

// All members with their types at once, so that nobody need ask afterwards.
static bool check_shape(const struct merge_input *input, struct error *error) {
    json_error_t where;
    int status = json_unpack_ex(
        input->report, &where, JSON_VALIDATE_ONLY,
        "{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:F, s:[], s:[], s:{s:[], s:{}, s:{}}, s:b, s:b, "
        "s:{s:I, s:I}}",
        "fingerprint", "iterations_run", "violations", "step_limit_hits", "checks_unknown",
        "decisions", "distinct_behaviours", "elapsed_seconds", "strategies", "violation_groups",
        "coverage", "cells", "bug_lines", "marks", "interrupted", "keep_going", "shard", "index",
        "count");
    if (status != 0)
        return error_set(error, "report '%.200s': expected a campaign by --format json: %.150s",
                         input->name, where.text);
    if (json_object_get(input->report, "failure"))
        return input_error(input, "its run did not end properly, see its member 'failure'", error);
    return true;
}

static uint64_t sum_in(const json_t *array, const char *name) {
    uint64_t sum = 0;
    size_t index;
    json_t *value;
    json_array_foreach(array, index, value) sum += count_of(value, name);
    return sum;
}

// What a report says twice it must say alike: a report that was edited, or put together of several,
// would spoil the sums unseen.
static bool check_counts(const struct merge_input *input, struct error *error) {
    const json_t *report = input->report, *shares = json_object_get(report, "strategies");
    const json_t *groups = json_object_get(report, "violation_groups");
    uint64_t runs = count_of(report, "iterations_run"), violations = count_of(report, "violations");
    if (sum_in(groups, "count") != violations)
        return input_error(input, "its violations are not those of its violation_groups", error);
    if (violations > runs || count_of(report, "step_limit_hits") > runs ||
        count_of(report, "distinct_behaviours") > runs)
        return input_error(input, "it counts more than its iterations_run", error);
    if (sum_in(shares, "iterations_run") != runs || sum_in(shares, "violations") != violations)
        return input_error(input, "its counts are not those of its strategies", error);
    const json_t *first = json_object_get(report, "first_violation");
    if (violations > 0 &&
        count_of(first, "iteration") != count_of(json_array_get(groups, 0), "iteration"))
        return input_error(input, "its first_violation is not that of its violation_groups", error);
    return true;
}

// What reports of one campaign have in common.
static bool check_same(const struct merge_input *first, const struct merge_input *other,
                       struct error *error) {
    // What decides what the campaign was; what was seen may differ.
    static const char *const names[] = {"tool",  "schema_version", "version",   "commit",
                                        "model", "test",           "bug",       "strategy",
                                        "seed",  "iterations",     "max_steps", "keep_going"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!json_equal(json_object_get(first->report, names[i]),
                        json_object_get(other->report, names[i])))
            return error_set(error, "reports '%.150s' and '%.150s' are of different campaigns: %s",
                             first->name, other->name, names[i]);
    return json_equal(json_object_get(first->report, "probe"),
                      json_object_get(other->report, "probe")) ||
           error_set(error,
                     "reports '%.150s' and '%.150s' are of builds in which the test decides "
                     "differently: probe",
                     first->name, other->name);
}

static int by_shard(const void *left, const void *right) {
    uint64_t a = shard_index(left), b = shard_index(right);
    return a < b ? -1 : a > b;
}

static uint64_t shard_count(const struct merge_input *input) {
    return count_of(json_object_get(input->report, "shard"), "count");
}

// The inputs, in the order of shards, are those 0 .. count - 1.
static bool check_complete(const struct merge_input *inputs, size_t count, struct error *error) {
    for (size_t i = 0; i < count; i++) {
        uint64_t index = shard_index(&inputs[i]);
        if (i > 0 && index == shard_index(&inputs[i - 1]))
            return error_set(error, "reports '%.150s' and '%.150s' are both of shard %" PRIu64,
                             inputs[i - 1].name, inputs[i].name, index);
        if (index > i)
            return error_set(error, "expected a report of shard %zu/%" PRIu64 ", found none", i,
                             shard_count(&inputs[i]));
    }
    for (size_t i = 0; i < count; i++)
        if (shard_count(&inputs[i]) != count)
            return error_set(error,
                             "report '%.200s': expected all of %" PRIu64 " shards, found %zu",
                             inputs[i].name, shard_count(&inputs[i]), count);
    return true;
}

static bool check_inputs(struct merge_input *inputs, size_t count, struct error *error) {
    for (size_t i = 0; i < count; i++)
        if (!check_shape(&inputs[i], error) || !check_counts(&inputs[i], error) ||
            !check_same(&inputs[0], &inputs[i], error))
            return false;
    // So the merged report does not depend on the order on the command line.
    qsort(inputs, count, sizeof *inputs, by_shard);
    return check_complete(inputs, count, error);
}

// ---- Sums --------------------------------------------------------------------------------------

static uint64_t sum_of(const struct merge_input *inputs, size_t count, const char *name) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += count_of(inputs[i].report, name);
    return sum;
}

static uint64_t largest_of(const struct merge_input *inputs, size_t count, const char *name) {
    uint64_t largest = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t number = count_of(inputs[i].report, name);
        largest = number > largest ? number : largest;
    }
    return largest;
}

static void add_times(json_t *merged, const struct merge_input *inputs, size_t count) {
    double longest = 0;
    for (size_t i = 0; i < count; i++) {
        double seconds = json_number_value(json_object_get(inputs[i].report, "elapsed_seconds"));
        longest = seconds > longest ? seconds : longest;
    }
    double runs = (double)count_of(merged, "iterations_run");
    // Shards run side by side: the longest is how long it took.
    json_object_set_new(merged, "elapsed_seconds", json_real(longest));
    json_object_set_new(merged, "executions_per_second",
                        json_real(longest > 0 ? runs / longest : 0));
}

// Unites what [inputs] have seen. False if one of them does not tell it, or tells it wrongly.
// A sketch of a union is the greater of each place, so it does not matter how executions were
// divided.
static bool unite_sketches(const struct merge_input *inputs, size_t count,
                           struct sct_sketch *united) {
    struct sct_sketch sketch;
    for (size_t i = 0; i < count; i++) {
        if (!sct_sketch_read(&sketch, text_of(inputs[i].report, "distinct_sketch")))
            return false;
        sct_sketch_unite(united, &sketch);
    }
    return true;
}

// Whoever has seen what another has seen, too, is not known: by numbers alone there are bounds.
static void add_distinct(json_t *merged, const struct merge_input *inputs, size_t count) {
    struct sct_sketch united = {{0}};
    uint64_t least = largest_of(inputs, count, "distinct_behaviours");
    uint64_t most = sum_of(inputs, count, "distinct_behaviours");
    bool is_estimate = false;
    for (size_t i = 0; i < count; i++)
        is_estimate |= is_set(&inputs[i], "distinct_is_estimate");
    json_object_del(merged, "distinct_sketch");
    set_count(merged, "distinct_behaviours", least);
    json_object_set_new(merged, "distinct_is_estimate", json_boolean(is_estimate));
    if (count == 1)
        return;
    set_count(merged, "distinct_behaviours_at_most", most);
    if (!unite_sketches(inputs, count, &united))
        return;
    // Bounds that are estimates do not bind: of all that were seen there is the same estimate
    // however they were divided.
    uint64_t estimate = sct_sketch_estimate(&united);
    if (!is_estimate)
        estimate = estimate < least ? least : estimate > most ? most : estimate;
    set_count(merged, "distinct_behaviours_estimate", estimate);
}

static void add_sums(json_t *merged, const struct merge_input *inputs, size_t count) {
    static const char *const names[] = {"iterations_run", "violations", "step_limit_hits",
                                        "checks_unknown", "decisions"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        set_count(merged, names[i], sum_of(inputs, count, names[i]));
    uint64_t fingerprint = 0;
    bool was_interrupted = false;
    for (size_t i = 0; i < count; i++) {
        uint64_t part = 0;
        number_scan(text_of(inputs[i].report, "fingerprint"), 16, UINT64_MAX, &part);
        // A sum over executions, which any division leaves the same.
        fingerprint += part;
        was_interrupted |= is_set(&inputs[i], "interrupted");
    }
    char text[32];
    snprintf(text, sizeof text, "%016" PRIx64, fingerprint);
    json_object_set_new(merged, "fingerprint", json_string(text));
    json_object_set_new(merged, "interrupted", json_boolean(was_interrupted));
    json_object_set_new(merged, "shard", json_pack("{s:i, s:i}", "index", 0, "count", 1));
    add_distinct(merged, inputs, count);
    add_times(merged, inputs, count);
}

static void set_rate(json_t *object, const struct sct_rate *rate) {
    json_object_set_new(object, "failure_rate",
                        json_pack("{s:f, s:f, s:f}", "estimate", rate->estimate, "low95",
                                  rate->low95, "high95", rate->high95));
}

// The reports have the same strategies in the same order.
static void add_strategies(json_t *merged, const struct merge_input *inputs, size_t count) {
    json_t *all = json_array();
    size_t strategies = json_array_size(json_object_get(inputs[0].report, "strategies"));
    for (size_t s = 0; s < strategies; s++) {
        uint64_t runs = 0, violations = 0;
        const json_t *share = NULL;
        for (size_t i = 0; i < count; i++) {
            share = json_array_get(json_object_get(inputs[i].report, "strategies"), s);
            runs += count_of(share, "iterations_run");
            violations += count_of(share, "violations");
        }
        json_t *object = json_object();
        json_object_set_new(object, "name", json_string(text_of(share, "name")));
        set_count(object, "iterations_run", runs);
        set_count(object, "violations", violations);
        if (runs > 0 && violations <= runs) {
            struct sct_rate rate = sct_rate_fixed(violations, runs);
            set_rate(object, &rate);
        }
        json_array_append_new(all, object);
    }
    json_object_set_new(merged, "strategies", all);
}

// ---- Violations --------------------------------------------------------------------------------

// A group of one report. Those of all reports with the same pattern are one.
struct found_group {
    char *pattern;
    const json_t *group;
    uint64_t iteration, count;
};

static char *pattern_of(const json_t *group) {
    struct sct_violation violation = {.kind = text_of(group, "kind")};
    snprintf(violation.message, sizeof violation.message, "%s", text_of(group, "message"));
    return sct_violation_pattern(&violation);
}

static struct found_group *list_groups(const struct merge_input *inputs, size_t count,
                                       size_t *found) {
    size_t capacity = 0;
    for (size_t i = 0; i < count; i++)
        capacity += json_array_size(json_object_get(inputs[i].report, "violation_groups"));
    struct found_group *groups = grow_new(capacity + 1, sizeof *groups, "groups");
    *found = 0;
    for (size_t i = 0; i < count; i++) {
        size_t index;
        json_t *group;
        json_array_foreach(json_object_get(inputs[i].report, "violation_groups"), index, group)
            groups[(*found)++] = (struct found_group){.pattern = pattern_of(group),
                                                      .group = group,
                                                      .iteration = count_of(group, "iteration"),
                                                      .count = count_of(group, "count")};
    }
    return groups;
}

static int by_iteration(const void *left, const void *right) {
    const struct found_group *a = left, *b = right;
    return a->iteration < b->iteration ? -1 : a->iteration > b->iteration;
}

static int by_pattern(const void *left, const void *right) {
    const struct found_group *a = left, *b = right;
    int order = strcmp(a->pattern, b->pattern);
    return order != 0 ? order : by_iteration(left, right);
}

// Makes one of those that are alike: the lowest iteration speaks for them. How many are left.
// Sorted twice: by pattern to find those that are alike, by iteration to tell them in the order in
// which one campaign would have met them.
static size_t unite_groups(struct found_group *groups, size_t count) {
    size_t kept = 0;
    qsort(groups, count, sizeof *groups, by_pattern);
    for (size_t i = 0; i < count; i++) {
        if (kept > 0 && strcmp(groups[kept - 1].pattern, groups[i].pattern) == 0) {
            groups[kept - 1].count += groups[i].count;
            free(groups[i].pattern);
        } else {
            groups[kept++] = groups[i];
        }
    }
    qsort(groups, kept, sizeof *groups, by_iteration);
    return kept;
}

static void add_groups(json_t *merged, const struct merge_input *inputs, size_t count) {
    json_t *all = json_array(), *first = json_null();
    size_t found;
    struct found_group *groups = list_groups(inputs, count, &found);
    found = unite_groups(groups, found);
    for (size_t i = 0; i < found; i++) {
        json_t *group = json_deep_copy(groups[i].group);
        set_count(group, "count", groups[i].count);
        json_array_append_new(all, group);
        free(groups[i].pattern);
    }
    free(groups);
    if (found > 0) {
        first = json_deep_copy(json_array_get(all, 0));
        json_object_del(first, "count");
    }
    json_object_set_new(merged, "violation_groups", all);
    json_object_set_new(merged, "first_violation", first);
}

// How many executions were run up to the first violation, this included.
// Shard i has the iterations i, i + count, ...; it may have ended before the first violation of the
// whole.
static uint64_t runs_until(const struct merge_input *inputs, size_t count, uint64_t first) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t until = first >= i ? (first - i) / count + 1 : 0;
        uint64_t runs = count_of(inputs[i].report, "iterations_run");
        sum += until < runs ? until : runs;
    }
    return sum;
}

// A campaign that stops at its first violation is no sample of a fixed size: its rate is estimated
// by how long it took.
static void add_rate(json_t *merged, const struct merge_input *inputs, size_t count) {
    uint64_t runs = count_of(merged, "iterations_run"), violations = count_of(merged, "violations");
    struct sct_rate rate = {.high95 = 1};
    const json_t *first = json_object_get(merged, "first_violation");
    bool stops = !is_set(&inputs[0], "keep_going") && json_is_object(first);
    uint64_t until = stops ? runs_until(inputs, count, count_of(first, "iteration")) : 0;
    if (until > 0)
        rate = sct_rate_until_first(until);
    else if (runs > 0 && violations <= runs)
        rate = sct_rate_fixed(violations, runs);
    set_rate(merged, &rate);
}

// ---- Coverage ----------------------------------------------------------------------------------

// The position of the text among the axis's values, or its count.
static size_t axis_index(const struct coverage_axis *axis, const char *value) {
    size_t i = 0;
    while (i < axis->count && strcmp(axis->values[i], value) != 0)
        i++;
    return i;
}

static bool add_cells(const struct coverage *coverage, const json_t *cells) {
    size_t index;
    json_t *cell;
    json_array_foreach(cells, index, cell) {
        size_t values[COVERAGE_AXES];
        for (size_t i = 0; i < COVERAGE_AXES; i++) {
            const struct coverage_axis *axis = &coverage->axes[i];
            values[i] = axis_index(axis, text_of(cell, axis->name));
            if (values[i] == axis->count)
                return false;
        }
        coverage->counts[coverage_index(coverage, values)] += count_of(cell, "count");
    }
    return true;
}

static bool add_variants(const struct subject *subject, uint64_t *reached, json_t *lines) {
    const char *name;
    json_t *value;
    json_object_foreach(lines, name, value) {
        struct variant variant = subject_variant(subject, name);
        if (!variant.name)
            return false;
        reached[variant.index] += (uint64_t)json_integer_value(value);
    }
    return true;
}

static bool add_coverage(const struct subject_run *what, uint64_t *reached, const json_t *part) {
    const struct coverage *coverage = subject_view(what->test)->coverage;
    const json_t *cells = json_object_get(part, "cells");
    return add_variants(what->subject, reached, json_object_get(part, "bug_lines")) &&
           (coverage ? add_cells(coverage, cells) : json_array_size(cells) == 0);
}

static int by_name(const void *left, const void *right) {
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

// The marks of all reports, by name as in each.
static json_t *merge_marks(const struct merge_input *inputs, size_t count) {
    json_t *sums = json_object(), *marks = json_object(), *value;
    const char *name;
    for (size_t i = 0; i < count; i++) {
        json_t *part = json_object_get(json_object_get(inputs[i].report, "coverage"), "marks");
        json_object_foreach(part, name, value)
            set_count(sums, name, count_of(sums, name) + (uint64_t)json_integer_value(value));
    }
    const char **names = grow_new(json_object_size(sums) + 1, sizeof *names, "names");
    size_t found = 0;
    json_object_foreach(sums, name, value) names[found++] = name;
    qsort(names, found, sizeof *names, by_name);
    for (size_t i = 0; i < found; i++)
        json_object_set(marks, names[i], json_object_get(sums, names[i]));
    free(names);
    json_decref(sums);
    return marks;
}

// By the counters of the test itself: the report of one process lists them in their order. A suite
// of somebody's is not known here, and has marks only.
static bool merge_coverage(json_t *merged, const struct merge_input *inputs, size_t count,
                           struct error *error) {
    const struct subject_test other_test = {.name = text_of(merged, "test")};
    const struct subject other = {.name = text_of(merged, "model")};
    struct subject_run what = {.subject = subject_find(models, other.name), .test = &other_test};
    if (what.subject)
        what.test = subject_test(what.subject, other_test.name);
    else
        what.subject = &other;
    if (!what.test)
        return input_error(&inputs[0], "its test is unknown to this version", error);
    if (subject_view(what.test)->coverage)
        coverage_reset(subject_view(what.test)->coverage);
    uint64_t *reached =
        grow_new(subject_variant_count(what.subject) + 1, sizeof *reached, "counters");
    size_t added = 0;
    while (added < count &&
           add_coverage(&what, reached, json_object_get(inputs[added].report, "coverage")))
        added++;
    struct campaign_report run = {.what = what, .reached = reached};
    json_t *coverage = report_coverage_json(&run);
    json_object_set_new(coverage, "marks", merge_marks(inputs, count));
    json_object_set_new(merged, "coverage", coverage);
    free(reached);
    return added == count ||
           input_error(&inputs[added], "its coverage is unknown to this version", error);
}

// ---- Merging -----------------------------------------------------------------------------------

json_t *merge_reports(struct merge_input *inputs, size_t count, struct error *error) {
    if (!check_inputs(inputs, count, error))
        return NULL;
    json_t *merged = json_copy(inputs[0].report);
    add_sums(merged, inputs, count);
    add_strategies(merged, inputs, count);
    add_groups(merged, inputs, count);
    add_rate(merged, inputs, count);
    if (merge_coverage(merged, inputs, count, error))
        return merged;
    json_decref(merged);
    return NULL;
}
