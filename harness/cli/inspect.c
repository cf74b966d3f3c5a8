#define _GNU_SOURCE // ioctl
#include "harness/cli/inspect.h"
#include "core/base/grow.h"
#include "core/base/number.h"
#include "core/trace/replay.h"
#include "harness/cli/process.h"
#include "harness/cli/status.h"
#include "harness/report/output.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { USUAL_WIDTH = 80, WIDTH_MIN = 40, WIDTH_MAX = 400 };

// ---- Files -------------------------------------------------------------------------------------

bool inspect_is_asked_for(const struct options *options) {
    return options->report || options->export_shiviz || options->export_chrome;
}

static bool write_file(const char *what, const char *path, report_writer writer,
                       const struct execution_report *run, const struct story *story) {
    struct output output;
    struct error error;
    output_begin(&output);
    writer(output.stream, run, story);
    if (output_end(&output, path, &error))
        return true;
    complain("cannot write the %s '%s': %s", what, path, error.text);
    return false;
}

static bool write_files(const struct options *options, const struct execution_report *run,
                        const struct story *story) {
    bool is_written = true;
    if (options->report)
        is_written &= write_file("report", options->report, report_write_page, run, story);
    if (options->export_shiviz)
        is_written &= write_file("export", options->export_shiviz, report_write_shiviz, run, story);
    if (options->export_chrome)
        is_written &= write_file("export", options->export_chrome, report_write_chrome, run, story);
    return is_written;
}

// ---- Explaining --------------------------------------------------------------------------------

bool inspect_trace(struct inspection *inspection, const struct sct_trace *trace) {
    struct sct_engine *engine = inspection->engine;
    struct sct_replay replay;
    struct error difference;
    sct_replay_init(&replay, trace);
    inspection->run.trace = trace;
    // The execution is run once more to be told: a campaign keeps nothing of executions but their
    // decisions.
    story_listen(&inspection->story, engine, &inspection->run.what, trace->decision_count);
    sct_engine_stop(engine, &process_interrupted, 0);
    const struct sct_result *result = sct_engine_run(engine, inspection->program, &replay.base, 0);
    sct_engine_stop(engine, NULL, 0);
    story_end(&inspection->story, engine, result);
    inspection->has_story = true;
    if (result->outcome == SCT_STOPPED) {
        complain("no report about the execution, which is long: interrupted");
        inspect_end(inspection);
        return false;
    }
    if (!sct_replay_confirms(&replay, result, &difference)) {
        complain("no report about the execution, which did not repeat: %s", difference.text);
        inspect_end(inspection);
        return false;
    }
    return write_files(inspection->options, &inspection->run, &inspection->story);
}

void inspect_end(struct inspection *inspection) {
    if (inspection->has_story)
        story_free(&inspection->story);
    inspection->has_story = false;
}

// ---- The terminal ------------------------------------------------------------------------------

static unsigned terminal_width(void) {
    const char *text = getenv("COLUMNS");
    uint32_t columns = 0;
    struct winsize size;
    if (text)
        number_parse32(text, 1, UINT32_MAX, &columns);
    if (columns == 0 && isatty(STDOUT_FILENO) && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        columns = size.ws_col;
    if (columns == 0)
        return USUAL_WIDTH;
    if (columns < WIDTH_MIN)
        return WIDTH_MIN;
    return columns > WIDTH_MAX ? WIDTH_MAX : columns;
}

struct report_text_options inspect_look(const struct options *options, bool use_color) {
    return (struct report_text_options){
        .use_color = use_color,
        .shows_all = options->verbose,
        .width = terminal_width(),
    };
}
