// A log with vector clocks: each event is a line of text and a line "machine {clock}", the order
// that ShiViz takes by default. The first line is the expression for it, the second is empty (there
// is one execution), as ShiViz reads them from uploaded files.
#include "harness/report/execution/report.h"
#include "core/base/grow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

// An entry for each machine: the events of it that are known. Clocks are merged by the greater
// entry.
typedef uint32_t clock_row[STORY_MACHINES_MAX];

struct log {
    FILE *out;
    const struct story *story;
    clock_row *clocks;  // by machine
    clock_row *at_send; // by arrow: its sender's clock
    // Which arrows arrive in a step: lists through the arrows' numbers. 0 ends one, number - 1 is
    // the index.
    uint32_t *first_taken, *next_taken;
    uint32_t sent; // the arrows before this one have been sent
};

static void merge(clock_row into, const clock_row from) {
    for (size_t i = 0; i < STORY_MACHINES_MAX; i++)
        into[i] = from[i] > into[i] ? from[i] : into[i];
}

// Names with neither spaces nor quotes, lines without breaks: the format has no escapes.
static void write_word(FILE *out, const char *text, bool is_name) {
    for (const char *c = text; *c; c++) {
        bool is_bad = (unsigned char)*c < ' ' || (is_name && strchr(" \"\\{}", *c));
        fputc(is_bad ? (is_name ? '_' : ' ') : *c, out);
    }
}

static void write_clock(const struct log *log, uint32_t machine) {
    const char *separator = "";
    write_word(log->out, log->story->machines[machine], true);
    fputs(" {", log->out);
    for (uint32_t i = 0; i < log->story->machine_count; i++) {
        if (log->clocks[machine][i] == 0)
            continue;
        fprintf(log->out, "%s\"", separator);
        write_word(log->out, log->story->machines[i], true);
        fprintf(log->out, "\":%" PRIu32, log->clocks[machine][i]);
        separator = ", ";
    }
    fputs("}\n", log->out);
}

static void write_step(const struct log *log, const struct story_step *step) {
    const struct story *story = log->story;
    write_word(log->out, *step->label ? step->label : "-", false);
    for (uint32_t i = 0; i < step->item_count; i++) {
        const struct story_item *item = &story->items[step->first_item + i];
        if (item->kind != SCT_EVENT_NOTE || item->note == SCT_NOTE_CHOICE)
            continue;
        fputs(" | ", log->out);
        write_word(log->out, item->text, false);
    }
    fputc('\n', log->out);
    write_clock(log, step->machine);
}

// What arrived in the step [index], which its machine knows from the step on.
static void receive(struct log *log, uint32_t index) {
    for (uint32_t i = log->first_taken[index]; i > 0; i = log->next_taken[i - 1]) {
        const struct story_arrow *arrow = &log->story->arrows[i - 1];
        if (arrow->sent != index && arrow->from != arrow->to)
            merge(log->clocks[arrow->to], log->at_send[i - 1]);
    }
}

// A call served within its caller's step: an event of the server, known to the caller afterwards.
static void serve(struct log *log, const struct story_arrow *arrow) {
    uint32_t from = arrow->from, to = arrow->to;
    merge(log->clocks[to], log->clocks[from]);
    log->clocks[to][to]++;
    fputs("serves ", log->out);
    write_word(log->out, arrow->label, false);
    fputc('\n', log->out);
    write_clock(log, to);
    merge(log->clocks[from], log->clocks[to]);
}

static void send(struct log *log, uint32_t index) {
    const struct story *story = log->story;
    for (; log->sent < story->arrow_count && story->arrows[log->sent].sent == index; log->sent++) {
        const struct story_arrow *arrow = &story->arrows[log->sent];
        if (arrow->from == arrow->to)
            continue;
        if (arrow->taken == index)
            serve(log, arrow);
        else
            memcpy(log->at_send[log->sent], log->clocks[arrow->from], sizeof(clock_row));
    }
}

static void *array(size_t count, size_t bytes) {
    return grow_new(count, bytes, "the clocks of an export");
}

// From the last arrow on, so that each list is in the order of the arrows.
static void index_arrivals(struct log *log) {
    const struct story *story = log->story;
    for (uint32_t i = story->arrow_count; i-- > 0;) {
        uint32_t taken = story->arrows[i].taken;
        if (taken == STORY_NOWHERE)
            continue;
        log->next_taken[i] = log->first_taken[taken];
        log->first_taken[taken] = i + 1;
    }
}

void report_write_shiviz(FILE *out, const struct execution_report *run, const struct story *story) {
    (void)run;
    struct log log = {
        .out = out,
        .story = story,
        .clocks = array(STORY_MACHINES_MAX, sizeof *log.clocks),
        .at_send = array(story->arrow_count, sizeof *log.at_send),
        .first_taken = array(story->step_count, sizeof *log.first_taken),
        .next_taken = array(story->arrow_count, sizeof *log.next_taken),
    };
    index_arrivals(&log);
    fputs("(?<event>.*)\\n(?<host>\\S*) (?<clock>{.*})\n\n", out);
    for (uint32_t i = 0; i < story->step_count; i++) {
        const struct story_step *step = &story->steps[i];
        // In this order: what arrived, the step itself, what it sends.
        receive(&log, i);
        log.clocks[step->machine][step->machine]++;
        write_step(&log, step);
        send(&log, i);
    }
    free(log.clocks);
    free(log.at_send);
    free(log.first_taken);
    free(log.next_taken);
}
