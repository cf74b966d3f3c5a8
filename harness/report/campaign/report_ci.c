#define _GNU_SOURCE // gethostname, gmtime_r, open_memstream
#include "harness/report/campaign/report_ci.h"
#include "core/base/grow.h"
#include "harness/report/output.h"
#include "harness/report/plain.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

// ---- XML ---------------------------------------------------------------------------------------

// The length of the UTF-8 character at [text]; 0 if it is none that XML can hold.
// XML 1.0 has no form for most control characters, not even an escape: they become "?".
static size_t character_length(const char *text) {
    const unsigned char *bytes = (const unsigned char *)text;
    if (bytes[0] < 0x80)
        return bytes[0] >= ' ' || bytes[0] == '\n' || bytes[0] == '\t' ? 1 : 0;
    size_t length = bytes[0] >= 0xc2 && bytes[0] < 0xe0   ? 2
                    : bytes[0] >= 0xe0 && bytes[0] < 0xf0 ? 3
                    : bytes[0] >= 0xf0 && bytes[0] < 0xf5 ? 4
                                                          : 0;
    for (size_t i = 1; i < length; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    bool is_overlong =
        (bytes[0] == 0xe0 && bytes[1] < 0xa0) || (bytes[0] == 0xf0 && bytes[1] < 0x90);
    bool is_outside = (bytes[0] == 0xed && bytes[1] >= 0xa0) || // surrogates
                      (bytes[0] == 0xf4 && bytes[1] >= 0x90) ||
                      (bytes[0] == 0xef && bytes[1] == 0xbf && bytes[2] >= 0xbe);
    return is_overlong || is_outside ? 0 : length;
}

static void print_xml(FILE *out, const char *text) {
    while (*text) {
        size_t length = character_length(text);
        const char *entity = *text == '&'   ? "&amp;"
                             : *text == '<' ? "&lt;"
                             : *text == '>' ? "&gt;"
                             : *text == '"' ? "&quot;"
                             : length == 0  ? "?"
                                            : NULL;
        if (entity)
            fputs(entity, out);
        else
            fwrite(text, 1, length, out);
        text += length ? length : 1;
    }
}

static void print_attribute(FILE *out, const char *name, const char *value) {
    fprintf(out, " %s=\"", name);
    print_xml(out, value);
    fprintf(out, "\"");
}

static void print_property(FILE *out, const char *name, const char *value) {
    fprintf(out, "      <property");
    print_attribute(out, "name", name);
    print_attribute(out, "value", value);
    fprintf(out, "/>\n");
}

// ---- JUnit -------------------------------------------------------------------------------------

// Why there is no verdict, or NULL.
static const char *error_message(const struct campaign_report *run,
                                 const struct sct_campaign *campaign) {
    return campaign->unrepeatable.is_found ? campaign->unrepeatable.difference.text : run->failure;
}

static void print_suite_start(FILE *out, const struct campaign_report *run,
                              const struct sct_campaign *campaign) {
    char host[256] = "localhost", stamp[32] = "1970-01-01T00:00:00";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc))
        strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    if (gethostname(host, sizeof host - 1) != 0 || !*host)
        strcpy(host, "localhost");
    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite");
    print_attribute(out, "name", run->what.test->name);
    print_attribute(out, "package", run->what.subject->name);
    print_attribute(out, "timestamp", stamp);
    print_attribute(out, "hostname", host);
    // One test case for a campaign: an execution is none that anybody could look up.
    fprintf(out, " id=\"0\" tests=\"1\" failures=\"%d\" errors=\"%d\" time=\"%.3f\">\n",
            campaign->violations > 0 && !error_message(run, campaign),
            error_message(run, campaign) != NULL, campaign->elapsed_seconds);
}

static void print_properties(FILE *out, const struct campaign_report *run,
                             const struct sct_campaign *campaign) {
    char number[32];
    fprintf(out, "    <properties>\n");
    print_property(out, "strategy", run->strategy);
    snprintf(number, sizeof number, "%" PRIu64, run->seed);
    print_property(out, "seed", number);
    print_property(out, "bug", run->what.variant ? run->what.variant->name : "none");
    snprintf(number, sizeof number, "%" PRIu64, campaign->iterations_run);
    print_property(out, "iterations_run", number);
    snprintf(number, sizeof number, "%016" PRIx64, campaign->fingerprint);
    print_property(out, "fingerprint", number);
    fprintf(out, "    </properties>\n");
}

// One failure element with the first violation; the others are in the report below.
static void print_failure(FILE *out, const struct campaign_report *run,
                          const struct sct_campaign *campaign) {
    const struct sct_group *group = campaign->groups;
    const char *trace = run->traces ? run->traces->path : "";
    fprintf(out, "      <failure");
    print_attribute(out, "type", group->violation.kind);
    print_attribute(out, "message", group->violation.message);
    fprintf(out, ">in ");
    print_xml(out, group->violation.machine);
    fprintf(out, ", iteration %" PRIu64 ", trace ", group->iteration);
    print_xml(out, trace);
    fprintf(out, "</failure>\n");
}

static void print_error(FILE *out, const struct campaign_report *run,
                        const struct sct_campaign *campaign) {
    const char *type = campaign->unrepeatable.is_found ? "unrepeatable" : "tool";
    fprintf(out, "      <error type=\"%s\"", type);
    print_attribute(out, "message", error_message(run, campaign));
    fprintf(out, "/>\n");
}

static void print_case(FILE *out, const struct campaign_report *run,
                       const struct sct_campaign *campaign) {
    char name[200];
    struct text text = text_in(name, sizeof name);
    text_add(&text, "%s, seed %" PRIu64 "%s%s", run->strategy, run->seed,
             run->what.variant ? ", bug " : "", run->what.variant ? run->what.variant->name : "");
    fprintf(out, "    <testcase");
    print_attribute(out, "name", name);
    fprintf(out, " classname=\"");
    print_xml(out, run->what.subject->name);
    fprintf(out, ".");
    print_xml(out, run->what.test->name);
    fprintf(out, "\" time=\"%.3f\">\n", campaign->elapsed_seconds);
    if (error_message(run, campaign))
        print_error(out, run, campaign);
    else if (campaign->violations > 0)
        print_failure(out, run, campaign);
    fprintf(out, "    </testcase>\n");
}

static void print_junit(FILE *out, const struct campaign_report *run,
                        const struct sct_campaign *campaign) {
    char *report = NULL;
    size_t bytes = 0;
    FILE *memory = open_memstream(&report, &bytes);
    if (!memory)
        grow_failed(0, "the report");
    struct campaign_report plain = *run;
    // The text goes into the file, where colours would be control characters.
    plain.use_color = plain.look.use_color = false;
    report_campaign_text(memory, &plain, campaign);
    if (fclose(memory) != 0)
        grow_failed(0, "the report");
    print_suite_start(out, run, campaign);
    print_properties(out, run, campaign);
    print_case(out, run, campaign);
    fprintf(out, "    <system-out>");
    print_xml(out, report);
    fprintf(out, "</system-out>\n    <system-err></system-err>\n  </testsuite>\n</testsuites>\n");
    free(report);
}

bool report_junit(const char *path, const struct campaign_report *run,
                  const struct sct_campaign *campaign, struct error *error) {
    struct output output;
    struct error inner;
    output_begin(&output);
    print_junit(output.stream, run, campaign);
    return output_end(&output, path, &inner) ||
           error_set(error, "cannot write '%.300s': %.150s", path, inner.text);
}

// ---- GitHub ------------------------------------------------------------------------------------

// Text of a workflow command; in a property ':' and ',' are escaped too.
// A message has a line of its own, in which a line break would begin a new command.
static void print_command_text(FILE *out, const char *text, bool is_property) {
    for (; *text; text++) {
        bool is_special = *text == '%' || *text == '\n' || *text == '\r' ||
                          (is_property && (*text == ':' || *text == ','));
        if (is_special)
            fprintf(out, "%%%02X", (unsigned char)*text);
        else
            fputc(*text, out);
    }
}

static void print_place(FILE *out, const char *where) {
    const char *colon = where ? strrchr(where, ':') : NULL;
    if (!colon)
        return;
    char file[256];
    snprintf(file, sizeof file, "%.*s", (int)(colon - where), where);
    fprintf(out, "file=");
    print_command_text(out, file, true);
    fprintf(out, ",line=%s,", colon + 1);
}

static void print_annotation(FILE *out, const struct campaign_report *run,
                             const struct sct_group *group, const char *trace) {
    char title[160];
    snprintf(title, sizeof title, "%s %s: %s in %s", run->what.subject->name, run->what.test->name,
             group->violation.kind, group->violation.machine);
    fprintf(out, "::error ");
    print_place(out, group->violation.where);
    fprintf(out, "title=");
    print_command_text(out, title, true);
    fprintf(out, "::");
    print_command_text(out, group->violation.message, false);
    fprintf(out, "%%0Aiteration %" PRIu64 " of seed %" PRIu64 ", %" PRIu64 " like it",
            group->iteration, run->seed, group->count);
    if (trace && *trace) {
        char word[2 * REPORT_PATH_MAX];
        struct text text = text_in(word, sizeof word);
        plain_add_word(&text, trace);
        fprintf(out, "%%0Areplay: %s --verbose --replay ", run->call.command);
        print_command_text(out, word, false);
        print_command_text(out, report_call_end(run->call), false);
    }
    fprintf(out, "\n");
}

void report_campaign_github(FILE *out, const struct campaign_report *run,
                            const struct sct_campaign *campaign) {
    const struct group_trace *trace = run->traces;
    for (const struct sct_group *group = campaign->groups; group; group = group->next) {
        print_annotation(out, run, group, trace ? trace->path : NULL);
        trace = trace ? trace->next : NULL;
    }
    if (run->failure) {
        fprintf(out, "::error title=%s %s::", run->what.subject->name, run->what.test->name);
        print_command_text(out, run->failure, false);
        fprintf(out, "\n");
    }
    if (campaign->violations > 0 || run->failure)
        return;
    fprintf(out,
            "::notice title=%s %s::no violation in %" PRIu64 " executions (seed %" PRIu64
            "); a failure rate above %.3g %%25 is excluded at 95 %%25 confidence\n",
            run->what.subject->name, run->what.test->name, campaign->iterations_run, run->seed,
            campaign->rate.high95 * 100);
}
