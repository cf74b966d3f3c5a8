#include "harness/programs/view.h"
#include "core/posix/inspect.h"

#include <inttypes.h>

static const struct panel_form locks_form = {
    .name = "locks",
    .kind = PANEL_ASIDE,
    .summary = "who holds each lock, and who waits for it",
    .columns = (const char *const[]){"lock", "kind", "held by", "waited for by", NULL},
    .key_count = 1,
};

static const struct panel_form atomics_form = {
    .name = "atomics",
    .kind = PANEL_ASIDE,
    .summary = "the newest value of each atomic variable; a thread may still read an older one",
    .columns = (const char *const[]){"variable", "value", NULL},
    .key_count = 1,
};

static void show_lock(void *sink, const struct posix_lock_state *state) {
    panel_cell(sink, "%s", state->name);
    panel_cell(sink, "%s", state->kind);
    panel_cell(sink, "%s", state->held_by);
    panel_cell(sink, "%s", state->waited_for_by);
}

static void show_atomic(void *sink, const char *name, uint64_t value) {
    panel_cell(sink, "%s", name);
    panel_cell(sink, "%" PRIu64, value);
}

static void show(const void *context, struct panel_sink *sink) {
    (void)context;
    panel_begin(sink, &locks_form);
    posix_locks_inspect(show_lock, sink);
    panel_begin(sink, &atomics_form);
    posix_atomics_inspect(show_atomic, sink);
}

static const struct term terms[] = {
    {"data-race",
     "two threads access the same bytes, at least one of them writes, not both by an "
     "atomic operation, and nothing orders the two: C gives such a program no meaning"},
    {"deadlock", "nobody can go on: each waits for what another would have to do"},
    {"livelock", "everybody goes on, and nobody gets anywhere"},
    {"use-after-free", "memory is accessed that was given back by free"},
    {"use-after-return", "a variable of a call that has returned is accessed through a pointer"},
    {"heap-overflow", "memory behind or before a block of malloc is accessed"},
    {"double-free", "a block is given back twice"},
    {"bad-free", "what is given back was not got from malloc"},
    {"program-error", "a primitive is used as it must not be"},
    {"assertion", "what the program asserts does not hold"},
    {"crash", "a signal ends the program"},
    {"hang", "the program runs without end, or waits in the kernel, and nobody else can run"},
    {"exit-status", "the program ends with another status than expected"},
    {NULL, NULL},
};

static const struct term steps[] = {{"thread", "begins"}, {NULL, NULL}};

const struct subject_view program_view = {
    .show = show,
    .terms = terms,
    .steps = steps,
    .has_places = true,
    .source = posix_source_line,
};
