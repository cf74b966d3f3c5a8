#include "harness/cli/history.h"
#include "core/base/clock.h"
#include "harness/history/record.h"
#include "harness/report/json.h"
#include "harness/report/plain.h"

#include <inttypes.h>
#include <jansson.h>

// About a minute, and a quarter of the memory of a small machine.
static const struct lin_limits limits = {.steps_max = 1000000000, .memory_bytes = (size_t)1 << 30};

static const char *const verdict_names[] = {
    [LIN_LINEARIZABLE] = "linearizable",
    [LIN_NOT_LINEARIZABLE] = "not linearizable",
    [LIN_UNKNOWN] = "unknown",
};

static const char *const limit_names[] = {
    [LIN_NO_LIMIT] = "none",
    [LIN_STEPS] = "steps",
    [LIN_MEMORY] = "memory",
    [LIN_SPECIFICATION] = "memory for values",
};

struct check {
    const char *path;
    const struct record_format *format;
    struct record record;
    struct lin_spec spec;
    struct lin_result result;
    double seconds; // to read and check
};

static const struct sct_operation *operation_at(const struct check *check, uint32_t index) {
    return &check->record.history.operations[index];
}

static uint32_t line_at(const struct check *check, uint32_t position) {
    return check->record.lines[position];
}

// The value that the blocked operation would find.
static uint64_t value_found(const struct check *check) {
    const struct store *store = &check->record.store;
    uint64_t key = operation_at(check, check->result.blocked)->key;
    return check->result.state[store->is_whole ? key : 0];
}

// An operation as it was known just before the blocked one returned.
// What was not known by then must not explain the failure.
static struct sct_operation operation_before(const struct check *check, uint32_t index) {
    struct sct_operation operation = *operation_at(check, index);
    if (operation.returned_at >= operation_at(check, check->result.blocked)->returned_at)
        operation.has_output = false;
    return operation;
}

// ---- Text --------------------------------------------------------------------------------------

static void print_operation(FILE *out, const struct check *check,
                            const struct sct_operation *operation) {
    char buffer[512], lines[32];
    struct text text = text_in(buffer, sizeof buffer);
    struct text range = text_in(lines, sizeof lines);
    check->spec.describe(check->spec.context, operation, &text);
    text_add(&range, "%" PRIu32 "-", line_at(check, operation->called_at));
    if (operation->returned_at != SCT_NEVER)
        text_add(&range, "%" PRIu32, line_at(check, operation->returned_at));
    fprintf(out, "  lines %-13s process %-4" PRIu32 " ", lines, operation->process);
    plain_put(out, buffer);
    fprintf(out, "\n");
}

static void print_failure(FILE *out, const struct check *check) {
    const struct lin_result *result = &check->result;
    const struct sct_operation *blocked = operation_at(check, result->blocked);
    char buffer[256];
    struct text text = text_in(buffer, sizeof buffer);
    fprintf(out, "up to line %" PRIu32 " it can be linearized",
            line_at(check, blocked->returned_at) - 1);
    if (result->parts > 1)
        fprintf(out, ", key by key; the %" PRIu32 " operations of this one's key",
                result->part_size);
    fprintf(out, ", in this order (%" PRIu32 " operations%s):\n", result->order_count,
            result->is_longest ? "" : "; perhaps further, a limit was reached");
    for (uint32_t i = 0; i < result->order_count; i++) {
        struct sct_operation operation = operation_before(check, result->order[i]);
        print_operation(out, check, &operation);
    }
    store_describe_value(&check->record.store, value_found(check), &text);
    fprintf(out, "then the value is ");
    plain_put(out, buffer);
    fprintf(out, "\nand this operation, which must come before its return, cannot be placed "
                 "anywhere:\n");
    print_operation(out, check, blocked);
}

static void print_text(FILE *out, const struct check *check) {
    const struct lin_result *result = &check->result;
    fprintf(out, "%s: ", verdict_names[result->verdict]);
    plain_put(out, check->path);
    fprintf(out, ", %" PRIu32 " operations", check->record.history.operation_count);
    if (result->parts > 1)
        fprintf(out, " on %" PRIu32 " keys", result->parts);
    fprintf(out, ", %.3f ms\n", check->seconds * 1e3);
    if (result->verdict == LIN_UNKNOWN)
        fprintf(out, "the check gave up: its limit of %s was reached after %" PRIu64 " steps\n",
                limit_names[result->limit], result->steps);
    if (result->verdict == LIN_NOT_LINEARIZABLE)
        print_failure(out, check);
}

// ---- JSON --------------------------------------------------------------------------------------

static json_t *json_operation(const struct check *check, const struct sct_operation *operation) {
    char buffer[512];
    struct text text = text_in(buffer, sizeof buffer);
    check->spec.describe(check->spec.context, operation, &text);
    json_t *object = json_object();
    json_object_set_new(object, "process", json_integer(operation->process));
    json_object_set_new(object, "operation", value_text(buffer));
    json_object_set_new(object, "call_line", json_integer(line_at(check, operation->called_at)));
    json_object_set_new(object, "return_line",
                        operation->returned_at == SCT_NEVER
                            ? json_null()
                            : json_integer(line_at(check, operation->returned_at)));
    return object;
}

static void set_failure(json_t *object, const struct check *check) {
    const struct lin_result *result = &check->result;
    json_t *array = json_array();
    for (uint32_t i = 0; i < result->order_count; i++) {
        struct sct_operation operation = operation_before(check, result->order[i]);
        json_array_append_new(array, json_operation(check, &operation));
    }
    json_object_set_new(object, "linearized", array);
    json_object_set_new(object, "is_longest", json_boolean(result->is_longest));
    json_object_set_new(object, "not_placed",
                        json_operation(check, operation_at(check, result->blocked)));
    if (check->record.store.is_map) {
        char buffer[256];
        struct text text = text_in(buffer, sizeof buffer);
        const struct strings *keys = &check->record.store.keys;
        uint32_t key = (uint32_t)operation_at(check, result->blocked)->key;
        text_add(&text, "%.*s", (int)strings_length(keys, key), strings_text(keys, key));
        json_object_set_new(object, "key", value_text(buffer));
    }
}

static void print_json(FILE *out, const struct check *check) {
    const struct lin_result *result = &check->result;
    json_t *object = json_object();
    json_object_set_new(object, "tool", json_string("mtcheck"));
    json_object_set_new(object, "schema_version", json_integer(1));
    json_object_set_new(object, "version", json_string(MTCHECK_VERSION));
    json_object_set_new(object, "history", value_text(check->path));
    json_object_set_new(object, "history_format", json_string(check->format->name));
    json_object_set_new(object, "verdict", json_string(verdict_names[result->verdict]));
    json_object_set_new(object, "operations", json_integer(check->record.history.operation_count));
    json_object_set_new(object, "parts", json_integer(result->parts));
    json_object_set_new(object, "steps", value_number(result->steps));
    json_object_set_new(object, "configurations", value_number(result->configurations));
    json_object_set_new(object, "elapsed_seconds", json_real(check->seconds));
    if (result->verdict == LIN_UNKNOWN)
        json_object_set_new(object, "limit", json_string(limit_names[result->limit]));
    if (result->verdict == LIN_NOT_LINEARIZABLE)
        set_failure(object, check);
    json_dumpf(object, out, JSON_INDENT(2));
    fprintf(out, "\n");
    json_decref(object);
}

// ---- The check ---------------------------------------------------------------------------------

bool history_check(FILE *out, const struct options *options, enum lin_verdict *verdict,
                   struct error *error) {
    const char *format = options->history_format ? options->history_format : "native";
    struct check check = {
        .path = options->check_history,
        .format = record_format_find(format),
    };
    double start = clock_seconds();
    if (!record_read(&check.record, check.path, check.format, error))
        return false;
    check.spec = store_spec(&check.record.store);
    struct lin_checker *checker = lin_open(&limits);
    lin_check(checker, &check.spec, &check.record.history, &check.result);
    check.seconds = clock_seconds() - start;
    *verdict = check.result.verdict;
    if (*verdict == LIN_NOT_LINEARIZABLE)
        lin_explain(checker, &check.spec, &check.record.history, &check.result);
    if (options->format == FORMAT_JSON)
        print_json(out, &check);
    else if (!options->quiet)
        print_text(out, &check);
    lin_close(checker);
    record_free(&check.record);
    return true;
}
