#define _POSIX_C_SOURCE 200809L // sysconf
#include "harness/cli/option_values.h"
#include "core/base/number.h"
#include "core/jobs/jobs.h"

#include <string.h>
#include <unistd.h>

bool option_bad_value(struct parser *parser, enum option_id id, const char *value,
                      const char *expected) {
    return error_set(parser->error, "option --%s: expected %s, found '%.200s'",
                     parser->table[id].name, expected, value);
}

static bool set_number(struct parser *parser, enum option_id id, const char *value,
                       const char *expected, uint64_t *number) {
    return number_parse_any(value, INT64_MAX, number) ||
           option_bad_value(parser, id, value, expected);
}

bool set_max_steps(struct parser *parser, enum option_id id, const char *value) {
    uint64_t number = 0;
    if (!number_parse_any(value, SCT_STEPS_LIMIT, &number) || number == 0)
        return option_bad_value(parser, id, value, "a number from 1 to 100000000");
    parser->options->max_steps = (uint32_t)number;
    return true;
}

bool set_reduction(struct parser *parser, enum option_id id, const char *value) {
    static const char *const names[] = {
        [SCT_REDUCE_NONE] = "none", [SCT_REDUCE_SLEEP] = "sleep", [SCT_REDUCE_DPOR] = "dpor"};
    for (int i = 0; i <= SCT_REDUCE_DPOR; i++)
        if (strcmp(value, names[i]) == 0) {
            parser->options->reduction = (enum sct_reduction)i;
            return true;
        }
    return option_bad_value(parser, id, value, "'none', 'sleep' or 'dpor'");
}

bool set_cache(struct parser *parser, enum option_id id, const char *value) {
    parser->options->cache_bytes = 0;
    if (strcmp(value, "off") == 0)
        return true;
    return (number_parse_bytes(value, INT64_MAX, &parser->options->cache_bytes) &&
            parser->options->cache_bytes > 0) ||
           option_bad_value(parser, id, value, "'off' or a number of bytes (K, M or G)");
}

// The index of [value] among the NULL-terminated [names], or -1.
static int name_index(const char *value, const char *const *names) {
    for (int i = 0; names[i]; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    return -1;
}

bool set_format(struct parser *parser, enum option_id id, const char *value) {
    int index = name_index(value, (const char *const[]){"text", "json", "github", NULL});
    if (index < 0)
        return option_bad_value(parser, id, value, "'text', 'json' or 'github'");
    parser->options->format = (enum report_format)index;
    return true;
}

bool set_color(struct parser *parser, enum option_id id, const char *value) {
    int index = name_index(value, (const char *const[]){"auto", "always", "never", NULL});
    if (index < 0)
        return option_bad_value(parser, id, value, "'auto', 'always' or 'never'");
    parser->options->color = (enum color_mode)index;
    return true;
}

bool set_list(struct parser *parser, enum option_id id, const char *value) {
    static const char *const names[] = {"tests", "strategies", "bugs", "models", NULL};
    bool has_models = parser->front == FRONT_MODELS;
    int index = name_index(value, names);
    if (index < 0 || (index > 1 && !has_models))
        return option_bad_value(parser, id, value,
                                has_models ? "'bugs', 'strategies', 'models' or 'tests'"
                                           : "'tests' or 'strategies'");
    parser->options->list = value;
    return true;
}

bool set_history_format(struct parser *parser, enum option_id id, const char *value) {
    static const char *const names[] = {"native", "jepsen-register", "kv", NULL};
    if (name_index(value, names) < 0)
        return option_bad_value(parser, id, value, "'native', 'jepsen-register' or 'kv'");
    parser->options->history_format = value;
    return true;
}

bool set_seed(struct parser *parser, enum option_id id, const char *value) {
    parser->options->is_seed_random = strcmp(value, "random") == 0;
    return parser->options->is_seed_random ||
           number_parse_any(value, UINT64_MAX, &parser->options->seed) ||
           option_bad_value(parser, id, value, "a 64-bit number or 'random'");
}

bool set_iterations(struct parser *parser, enum option_id id, const char *value) {
    if (strcmp(value, "unlimited") == 0) {
        parser->options->iterations = SCT_UNLIMITED;
        return true;
    }
    return set_number(parser, id, value, "a number or 'unlimited'", &parser->options->iterations);
}

bool set_only_iteration(struct parser *parser, enum option_id id, const char *value) {
    return set_number(parser, id, value, "an iteration's number", &parser->options->only_iteration);
}

bool set_jobs(struct parser *parser, enum option_id id, const char *value) {
    uint64_t jobs = 0;
    if (!number_parse_any(value, SCT_WORKERS_MAX, &jobs))
        return option_bad_value(parser, id, value, "a number from 0 to 256");
    // 0: as many as there are cores; one at least, if the system does not tell.
    long cores = jobs == 0 ? sysconf(_SC_NPROCESSORS_ONLN) : 1;
    cores = cores > SCT_WORKERS_MAX ? SCT_WORKERS_MAX : cores;
    parser->options->jobs = jobs > 0 ? (unsigned)jobs : cores > 0 ? (unsigned)cores : 1;
    return true;
}

bool set_shard(struct parser *parser, enum option_id id, const char *value) {
    char index[24];
    const char *slash = strchr(value, '/');
    size_t length = slash ? (size_t)(slash - value) : 0;
    if (length == 0 || length >= sizeof index)
        return option_bad_value(parser, id, value, "I/N with 0 <= I < N");
    memcpy(index, value, length);
    index[length] = '\0';
    struct options *options = parser->options;
    return (number_parse_any(index, INT64_MAX, &options->shard_index) &&
            number_parse_any(slash + 1, INT64_MAX, &options->shard_count) &&
            options->shard_index < options->shard_count) ||
           option_bad_value(parser, id, value, "I/N with 0 <= I < N");
}

bool set_trace(struct parser *parser, enum option_id id, const char *value) {
    if (strlen(value) > REPORT_PATH_MAX)
        return option_bad_value(parser, id, value, "a path of at most 4000 bytes");
    parser->options->trace = value;
    return true;
}

bool set_break_at(struct parser *parser, enum option_id id, const char *value) {
    uint64_t number = 0;
    if (!number_parse_any(value, UINT32_MAX, &number))
        return option_bad_value(parser, id, value, "a decision's number");
    parser->options->break_at = (uint32_t)number;
    return true;
}

// [value] says for which tool; the file is the next word.
bool set_export(struct parser *parser, enum option_id id, const char *value) {
    int index = name_index(value, (const char *const[]){"shiviz", "chrome", NULL});
    if (index < 0)
        return option_bad_value(parser, id, value, "'shiviz' or 'chrome', and a file");
    const char **path =
        index == 0 ? &parser->options->export_shiviz : &parser->options->export_chrome;
    if (*path)
        return error_set(parser->error, "option --export: expected one file for %s, found two",
                         value);
    if (!parser->next || !*parser->next)
        return error_set(parser->error, "option --export: expected a file after '%s', found %s",
                         value, parser->next ? "''" : "the end of the line");
    *path = parser->next;
    parser->has_used_next = true;
    return true;
}

// ---- Values by the kind of their field ---------------------------------------------------------

static void *field_of(struct parser *parser, enum option_id id) {
    return (char *)parser->options + parser->table[id].offset;
}

bool set_flag(struct parser *parser, enum option_id id, const char *value) {
    (void)value;
    *(bool *)field_of(parser, id) = true;
    return true;
}

bool set_text(struct parser *parser, enum option_id id, const char *value) {
    *(const char **)field_of(parser, id) = value;
    return true;
}

bool set_seconds(struct parser *parser, enum option_id id, const char *value) {
    return number_parse_seconds(value, field_of(parser, id)) ||
           option_bad_value(parser, id, value, "a positive number of seconds");
}
