#define _GNU_SOURCE // raise
#include "harness/cli/break_at.h"
#include "core/engine/listener.h"
#include "harness/cli/status.h"

#include <inttypes.h>
#include <signal.h>

static bool is_traced(void) {
    char line[200];
    int tracer = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            break;
    if (status)
        fclose(status);
    return tracer != 0;
}

static struct {
    uint32_t index;
    FILE *out; // NULL: silent
} stop;

static void on_event(void *context, const struct sct_event *event) {
    (void)context;
    char line[4096];
    struct text text = text_in(line, sizeof line);
    bool is_told = sct_event_format(event, &text);
    if (is_told && stop.out)
        fprintf(stop.out, "%5" PRIu32 "  %-10s %s\n", event->decision, event->machine, line);
    bool is_decision = event->kind == SCT_EVENT_VALUE || event->kind == SCT_EVENT_TURN;
    if (!is_decision || event->count < 2 || event->decision != stop.index)
        return;
    complain("stopped at decision %" PRIu32 ": %s %s", event->decision, event->machine, line);
    if (stop.out)
        fflush(stop.out);
    raise(SIGTRAP); // the machine's own calls are above this frame: see 'backtrace', 'finish'
}

bool break_at(struct sct_engine *engine, const struct sct_trace *trace, uint32_t index, FILE *out,
              struct error *error) {
    if (index >= trace->decision_count)
        return error_set(error,
                         "option --break-at: expected one of the trace's %" PRIu32
                         " decisions, counted from 0, found %" PRIu32,
                         trace->decision_count, index);
    // Without a debugger the signal would end the process.
    if (!is_traced())
        return error_set(error, "option --break-at: expected a debugger, found none; "
                                "start the command as: gdb --args mtcheck --replay ...");
    stop.index = index;
    stop.out = out;
    sct_engine_listen(engine, on_event, NULL);
    return true;
}
