// mtcheck-merge: the reports of shards become the report of the whole campaign, on standard output.
#include "core/base/grow.h"
#include "harness/cli/process.h"
#include "harness/cli/status.h"
#include "harness/cli/version.h"
#include "harness/merge/merge.h"
#include "harness/report/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: mtcheck-merge FILE...\n"
    "Merges the reports that 'mtcheck --shard I/N --format json' printed, one file for each I, "
    "into\n"
    "the report of the whole campaign, on standard output. '-' is standard input.\n"
    "  -h, --help     this text\n"
    "  -V, --version  the version\n"
    "\n"
    "Exact for campaigns that ran to their end (clean, or --keep-going), but for\n"
    "distinct_behaviours, which is then a lower bound beside distinct_behaviours_at_most and\n"
    "distinct_behaviours_estimate; times are the longest of the shards. Of shards that stopped at "
    "a\n"
    "violation, the first violation and the failure rate are those of the whole, the counts those "
    "of\n"
    "what was run.\n"
    "\n"
    "Exit status: as the campaign's: 0 no violation, 1 violation, 130 a shard was interrupted;\n"
    "2 a file is not such a report, or they are not all the shards of one campaign.";

static bool read_report(struct merge_input *input, struct error *error) {
    bool is_stdin = strcmp(input->name, "-") == 0;
    FILE *in = is_stdin ? stdin : fopen(input->name, "re");
    if (!in)
        return error_set(error, "cannot read '%.300s': %s", input->name, strerror(errno));
    json_error_t where;
    input->report = json_loadf(in, 0, &where);
    if (!is_stdin)
        fclose(in);
    return input->report || error_set(error, "report '%.200s': line %d: %.150s", input->name,
                                      where.line, where.text);
}

static int status_of(const json_t *merged) {
    if (json_is_true(json_object_get(merged, "interrupted")))
        return 130;
    return json_integer_value(json_object_get(merged, "violations")) > 0;
}

static int print_merged(struct merge_input *inputs, size_t count, struct error *error) {
    for (size_t i = 0; i < count; i++)
        if (!read_report(&inputs[i], error))
            return 2;
    json_t *merged = merge_reports(inputs, count, error);
    if (!merged)
        return 2;
    int status = status_of(merged);
    bool is_printed = json_dumpf(merged, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6)) == 0;
    is_printed = fputs("\n", stdout) >= 0 && fflush(stdout) == 0 && is_printed;
    json_decref(merged);
    if (is_printed)
        return status;
    error_set(error, "cannot write the report: %s", strerror(errno));
    return 3;
}

static bool is_option(const char *word, const char *letter, const char *name) {
    return strcmp(word, letter) == 0 || strcmp(word, name) == 0;
}

// The status: 3 if it cannot be written.
static int print_plainly(const char *text) {
    if (puts(text) >= 0 && fflush(stdout) == 0)
        return 0;
    complain("cannot write: %s", strerror(errno));
    return 3;
}

int main(int argc, char **argv) {
    struct error error = {{0}};
    status_begin("mtcheck-merge");
    process_open_streams();
    process_watch_failures();
    json_allocates_or_fails();
    for (int i = 1; i < argc; i++) {
        if (is_option(argv[i], "-h", "--help"))
            return print_plainly(help);
        if (is_option(argv[i], "-V", "--version"))
            return print_plainly(version_line);
        if (argv[i][0] == '-' && argv[i][1]) {
            complain("unknown option '%.200s' (see --help)", argv[i]);
            return 2;
        }
    }
    if (argc < 2) {
        complain("expected reports, found none (see --help)");
        return 2;
    }
    size_t count = (size_t)argc - 1;
    struct merge_input *inputs = grow_new(count, sizeof *inputs, "reports");
    for (size_t i = 0; i < count; i++)
        inputs[i].name = argv[i + 1];
    int status = print_merged(inputs, count, &error);
    if (*error.text)
        complain("%s", error.text);
    for (size_t i = 0; i < count; i++)
        json_decref(inputs[i].report);
    free(inputs);
    return status;
}
