#include "harness/report/execution/minimized.h"
#include "harness/report/execution/report.h"
#include "harness/report/json.h"

#include <inttypes.h>

void minimized_free(struct minimized *minimized) {
    explanation_free(&minimized->explanation);
    sct_trace_free(&minimized->trace);
}

static void print_measure(FILE *out, const char *name, uint32_t before, uint32_t now,
                          const char *meaning) {
    fprintf(out, "  %-12s %" PRIu32 " -> %" PRIu32 "%s\n", name, before, now, meaning);
}

void minimized_print(FILE *out, const struct minimized *minimized, struct report_call call) {
    const struct sct_minimum *minimum = &minimized->minimum;
    const struct sct_measures *before = &minimum->before, *now = &minimum->now;
    fprintf(out, "minimized in %" PRIu64 " tries, %.2f s%s\n", minimum->tries,
            minimum->elapsed_seconds,
            minimum->was_interrupted ? " (interrupted: the best so far)"
            : minimum->reached_limit ? " (the limit: perhaps not the minimum)"
                                     : "");
    if (before->operations > 0)
        print_measure(out, "operations", before->operations, now->operations, "");
    print_measure(out, "preemptions", before->preemptions, now->preemptions, "");
    print_measure(out, "deviations", before->deviations, now->deviations,
                  " (answers that are not the default)");
    print_measure(out, "decisions", before->decisions, now->decisions, "");
    if (*minimized->machines)
        fprintf(out, "  without      %s\n", minimized->machines);
    if (*minimized->values) {
        fprintf(out, "  by default   ");
        explanation_print_wrapped(out, 15, minimized->values);
    }
    if (*minimized->path)
        report_paths(out, 12, minimized->path, call);
    explanation_print(out, &minimized->explanation);
}

json_t *minimized_json(const struct minimized *minimized) {
    const struct sct_minimum *minimum = &minimized->minimum;
    json_t *object = json_object();
    const struct {
        const char *name;
        uint64_t value;
    } numbers[] = {
        {"deviations", minimum->now.deviations},
        {"decisions", minimum->now.decisions},
        {"preemptions", minimum->now.preemptions},
        {"operations", minimum->now.operations},
        {"tries", minimum->tries},
    };
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        json_object_set_new(object, numbers[i].name, value_number(numbers[i].value));
    json_object_set_new(object, "trace",
                        *minimized->path ? value_text(minimized->path) : json_null());
    const struct sct_measures *before = &minimum->before;
    json_object_set_new(object, "before",
                        json_pack("{s:i, s:i, s:i, s:i}", "deviations", (int)before->deviations,
                                  "decisions", (int)before->decisions, "preemptions",
                                  (int)before->preemptions, "operations", (int)before->operations));
    json_object_set_new(object, "elapsed_seconds", json_real(minimum->elapsed_seconds));
    json_object_set_new(object, "complete",
                        json_boolean(!minimum->reached_limit && !minimum->was_interrupted));
    return object;
}
