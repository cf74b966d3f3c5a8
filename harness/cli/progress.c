#include "harness/cli/progress.h"
#include "core/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static bool is_set(const char *variable) {
    const char *value = getenv(variable);
    return value && *value;
}

void progress_begin(struct progress *progress, bool is_wanted, uint64_t iterations,
                    double seconds_max) {
    const char *terminal = getenv("TERM");
    *progress = (struct progress){
        .is_shown = is_wanted && isatty(STDERR_FILENO) && !is_set("CI") && terminal &&
                    strcmp(terminal, "dumb") != 0,
        .iterations = iterations,
        .seconds_max = seconds_max,
        .started_at = clock_seconds(),
    };
    progress->told_at = progress->started_at;
}

// The time that is left by the iterations, or by the clock, whichever is shorter; -1: unknown.
static double seconds_left(const struct progress *progress, uint64_t done, double rate,
                           double elapsed) {
    double left = -1;
    if (progress->iterations != SCT_UNLIMITED && rate > 0)
        left = (double)(progress->iterations - done) / rate;
    double until_limit = progress->seconds_max - elapsed;
    if (progress->seconds_max > 0 && (left < 0 || until_limit < left))
        left = until_limit > 0 ? until_limit : 0;
    return left;
}

static void describe_duration(struct text *text, double seconds) {
    unsigned long whole = (unsigned long)(seconds + 0.5);
    if (whole >= 3600)
        text_add(text, "%lu h %02lu min", whole / 3600, whole / 60 % 60);
    else if (whole >= 60)
        text_add(text, "%lu min %02lu s", whole / 60, whole % 60);
    else
        text_add(text, "%lu s", whole);
}

void progress_tell(struct progress *progress, const struct sct_campaign *campaign) {
    if (!progress->is_shown)
        return;
    double time = clock_seconds(), elapsed = time - progress->started_at;
    // Ten times a second is as often as anybody looks, and costs nothing.
    if (time - progress->told_at < 0.1)
        return;
    progress->told_at = time;
    uint64_t done = campaign->iterations_run;
    // Of this run: what a checkpoint brought took none of its time.
    double rate = (double)(done - campaign->iterations_resumed) / elapsed;
    char buffer[200];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "%" PRIu64, done);
    if (progress->iterations != SCT_UNLIMITED)
        text_add(&text, " of %" PRIu64, progress->iterations);
    text_add(&text, " executions, %.0f/s, %" PRIu64 " violations", rate, campaign->violations);
    if (campaign->search.estimate > 0)
        text_add(&text, ", about %.3g in all", campaign->search.estimate);
    double left = seconds_left(progress, done, rate, elapsed);
    if (left >= 0) {
        text_add(&text, ", ");
        describe_duration(&text, left);
        text_add(&text, " left");
    }
    // A line that wraps could not be rewritten.
    struct winsize size;
    int width = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col : 80;
    fprintf(stderr, "\r%.*s\033[K", width - 1, text.data);
    fflush(stderr);
}

void progress_end(struct progress *progress) {
    if (!progress->is_shown)
        return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
}
