#define _GNU_SOURCE // ppoll, MAP_ANONYMOUS, strsignal
#include "core/witness/witness.h"
#include "core/base/descriptor.h"
#include "core/base/grow.h"
#include "core/base/hash.h"
#include "core/jobs/process.h"
#include "core/trace/replay.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

// Seen by the campaign's process, the witness and the fresh process alike.
struct sct_witness_shared {
    volatile uint64_t iteration, executions;
    // What the fresh process says before it ends.
    bool has_answered, is_confirmed;
    struct error difference;
    bool is_violation; // what the execution was there, in these words
    char kind[SCT_TRACE_NAME_BYTES], machine[SCT_TRACE_NAME_BYTES], message[1024];
};

static sigset_t blocked_before; // signals, when there was no witness yet

// ---- The fresh process -------------------------------------------------------------------------

static void tell_violation(struct sct_witness_shared *shared, const struct sct_result *result) {
    const struct sct_violation *violation = &result->violation;
    shared->is_violation = result->outcome == SCT_VIOLATED;
    if (!shared->is_violation)
        return;
    snprintf(shared->kind, sizeof shared->kind, "%s", violation->kind);
    snprintf(shared->machine, sizeof shared->machine, "%s", violation->machine);
    snprintf(shared->message, sizeof shared->message, "%s", violation->message);
}

struct replaying {
    struct sct_witness *witness;
    const struct sct_trace *trace;
};

static void replay(void *context) {
    struct sct_witness *witness = ((struct replaying *)context)->witness;
    const struct sct_trace *trace = ((struct replaying *)context)->trace;
    struct sct_witness_shared *shared = witness->shared;
    // The mask is inherited from the witness, which holds some back: code under test must not see
    // it.
    sigprocmask(SIG_SETMASK, &blocked_before, NULL);
    // As many steps as the recording had: with fewer its fair tail would begin elsewhere.
    ASSERT(!shared->has_answered && trace->steps_max > 0);
    struct sct_engine_options options = witness->engine;
    options.steps_max = trace->steps_max;
    struct sct_engine *engine = sct_engine_open(&options);
    sct_engine_record_in(engine, witness->fresh);
    struct sct_replay replay;
    sct_replay_init(&replay, trace);
    // Any seed will do: a replay draws nothing, and answers in the fair tail, too.
    const struct sct_result *result = sct_engine_run(engine, witness->program, &replay.base, 0);
    shared->is_confirmed = sct_replay_confirms(&replay, result, &shared->difference);
    tell_violation(shared, result);
    shared->has_answered = true;
}

// Its wait status. What it has to say is in witness->shared.
static int run_fresh(struct sct_witness *witness, const struct sct_trace *trace) {
    // Forked from the witness, which has never run the program: what a campaign's executions have
    // left behind in its process is not here.
    witness->shared->has_answered = witness->shared->is_confirmed = false;
    witness->shared->is_violation = false;
    // What the last one left there must not be taken for this one's, should it end at once.
    witness->fresh->is_running = witness->fresh->words[0] = 0;
    return sct_process_run(replay, &(struct replaying){witness, trace});
}

static void describe_end(int status, struct text *text) {
    ASSERT(WIFSIGNALED(status) || WIFEXITED(status));
    text_add(text, "the process ended inside the execution: ");
    if (WIFSIGNALED(status))
        text_add(text, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        text_add(text, "exit status %d", WEXITSTATUS(status));
}

// Whether the fresh process, which is to end as the trace says, did.
static bool ends_likewise(const struct sct_witness *witness, const struct sct_trace *trace,
                          int status, struct error *difference) {
    char buffer[256];
    struct text text = text_in(buffer, sizeof buffer);
    describe_end(status, &text);
    ASSERT(strcmp(trace->kind, SCT_KIND_PROCESS_END) == 0);
    uint32_t count = sct_record_count(witness->fresh);
    if (!witness->fresh->is_running)
        return error_set(difference, "in a fresh process the execution does not end the process");
    if (count != trace->decision_count)
        return error_set(difference, "in a fresh process it ends at decision %u, recorded %u",
                         count, trace->decision_count);
    return strcmp(buffer, trace->message) == 0 ||
           error_set(difference, "recorded '%.200s', in a fresh process '%.200s'", trace->message,
                     buffer);
}

static bool confirm(struct sct_witness *witness, const struct sct_trace *trace,
                    struct error *difference) {
    const struct sct_witness_shared *shared = witness->shared;
    ASSERT(shared && witness->fresh != witness->record);
    int status = run_fresh(witness, trace);
    if (status == -1)
        return error_set(difference, "no fresh process: %s", strerror(errno));
    if (strcmp(trace->kind, SCT_KIND_PROCESS_END) == 0)
        return ends_likewise(witness, trace, status, difference);
    if (!shared->has_answered)
        return error_set(difference, "a fresh process ends before the execution does");
    return shared->is_confirmed ||
           error_set(difference, "in a fresh process: %.400s", shared->difference.text);
}

// ---- The witness -------------------------------------------------------------------------------

static volatile sig_atomic_t campaign_process;

// Also to one that is stopped: it goes on for that.
// (kill(2) is async-signal-safe. The process may have ended, but is not waited for yet: its number
// is nobody else's.)
static void pass_on(int number) {
    if (campaign_process <= 0)
        return;
    kill((pid_t)campaign_process, number);
    kill((pid_t)campaign_process, SIGCONT);
}

static void note_end(int number) {
    (void)number; // it interrupts ppoll
}

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP};
enum { PASSED_ON = sizeof passed_on / sizeof passed_on[0] };

// What signals were to do and which were blocked, before there was a witness.
struct signals {
    struct sigaction actions[PASSED_ON + 1];
    sigset_t blocked;
};

// They wait in both processes until each is ready for them.
static void hold_signals(struct signals *before) {
    // The old actions are kept for the campaign's process, which gets the handlers by the fork, and
    // must end by these signals as if there had been no witness.
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGCHLD);
    for (int i = 0; i < PASSED_ON; i++)
        sigaddset(&held, passed_on[i]);
    // Blocked before the fork, so that none comes to a process that does not yet know what to do
    // with it: the witness passes them on, the campaign ends as its user wants.
    sigprocmask(SIG_BLOCK, &held, &before->blocked);
    struct sigaction action = {.sa_handler = pass_on, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < PASSED_ON; i++)
        sigaction(passed_on[i], &action, &before->actions[i]);
    action.sa_handler = note_end;
    sigaction(SIGCHLD, &action, &before->actions[PASSED_ON]);
}

static void restore_actions(const struct signals *before) {
    for (int i = 0; i < PASSED_ON; i++)
        sigaction(passed_on[i], &before->actions[i], NULL);
    sigaction(SIGCHLD, &before->actions[PASSED_ON], NULL);
}

// A trace as text comes, a number and a text go. False: the campaign's process asks no more.
static bool answer_one(struct sct_witness *witness) {
    struct sct_bytes bytes = {NULL, 0, 0};
    if (sct_read_message(witness->socket, &bytes, NULL) != SCT_READ_ALL) {
        sct_bytes_free(&bytes);
        return false;
    }
    // As text, though both are one program: it is what a user would replay, so the way through the
    // file format is tried, too.
    struct sct_trace trace;
    struct error difference = {""};
    char *text = grow_new(bytes.size + 1, 1, "a trace");
    memcpy(text, bytes.data, bytes.size);
    bool is_confirmed = sct_trace_parse(text, bytes.size, &trace, &difference) &&
                        confirm(witness, &trace, &difference);
    sct_trace_free(&trace);
    bytes.size = 0;
    sct_bytes_add_number(&bytes, is_confirmed);
    sct_bytes_add_text(&bytes, difference.text);
    bool is_heard = sct_write_message(witness->socket, &bytes);
    sct_bytes_free(&bytes);
    return is_heard;
}

// Answers until the campaign's process has ended; its wait status.
static int wait_for_campaign(struct sct_witness *witness, pid_t process,
                             const sigset_t *while_waiting) {
    int status;
    for (bool asks = true;;) {
        // SIGCHLD is let in while it waits only: a death between the two lines is not missed.
        if (waitpid(process, &status, WNOHANG) == process)
            return status;
        // Behind the end of its questions the socket would always be ready: -1 is passed over
        // (poll(2)).
        struct pollfd poll = {.fd = asks ? witness->socket : -1, .events = POLLIN};
        if (ppoll(&poll, 1, NULL, while_waiting) > 0)
            asks = answer_one(witness);
    }
}

// SIGPIPE: of a campaign whose reader (`head`) has ended; a finding of it would go nowhere.
static bool is_passed_on(int number) {
    for (int i = 0; i < PASSED_ON; i++)
        if (passed_on[i] == number)
            return true;
    return number == SIGPIPE;
}

// As the campaign's process ended, if it did so by itself or was told to.
static void end_as(int status) {
    ASSERT(WIFEXITED(status) || WIFSIGNALED(status));
    if (WIFEXITED(status))
        exit(WEXITSTATUS(status));
    if (!is_passed_on(WTERMSIG(status)))
        return;
    // By the signal itself, not by 128 and its number: a shell tells the two apart, and stops a
    // loop of commands only for the former.
    sigset_t unblocked;
    sigemptyset(&unblocked);
    sigaddset(&unblocked, WTERMSIG(status));
    signal(WTERMSIG(status), SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &unblocked, NULL);
    raise(WTERMSIG(status));
}

// From what the dead process has left in the memory that it shared: its decisions.
static struct sct_trace trace_of_end(const struct sct_witness *witness, int status) {
    ASSERT(witness->record->is_running);
    struct sct_trace trace = {
        .bug = "none",
        .steps_max = witness->engine.steps_max,
        .calibration = {.decisions_max = 1, .tasks_max = 1},
        .iteration = witness->shared->iteration,
        .outcome = SCT_VIOLATED,
        .kind = SCT_KIND_PROCESS_END,
        .machine = "process",
        .decision_count = sct_record_count(witness->record),
    };
    struct text text = text_in(trace.message, sizeof trace.message);
    describe_end(status, &text);
    // As of an execution that came to its verdict: words and decisions are the same numbers.
    trace.fingerprint = hash_bytes(witness->record->words, sizeof(uint32_t) * trace.decision_count);
    trace.decisions = grow_new(trace.decision_count + 1, sizeof *trace.decisions, "a trace");
    for (uint32_t i = 0; i < trace.decision_count; i++)
        trace.decisions[i] = sct_record_decision(witness->record, i);
    return trace;
}

// The same decisions violated something in the fresh process and went no further: that is what it
// was. (A sanitizer reports once in a process; a second time it ends it.)
static bool is_told_apart(const struct sct_witness *witness, struct sct_trace *trace) {
    const struct sct_witness_shared *shared = witness->shared;
    if (!shared->is_violation || sct_record_count(witness->fresh) != trace->decision_count)
        return false;
    snprintf(trace->kind, sizeof trace->kind, "%s", shared->kind);
    snprintf(trace->machine, sizeof trace->machine, "%s", shared->machine);
    snprintf(trace->message, sizeof trace->message, "%s", shared->message);
    return true;
}

_Noreturn static void end_as_witness(struct sct_witness *witness, int status,
                                     int (*on_death)(void *, const struct sct_death *),
                                     void *context) {
    struct error difference = {""};
    ASSERT(witness->socket > 0);
    // It died outside of any execution: that is the tool's end or its user's wish, no finding.
    if (!witness->record->is_running) {
        end_as(status);
        error_set(&difference, "killed by signal %d (%s) while no execution was running",
                  WTERMSIG(status), strsignal(WTERMSIG(status)));
        exit(on_death(context, &(struct sct_death){.difference = &difference}));
    }
    struct sct_trace trace = trace_of_end(witness, status);
    const struct sct_death death = {
        .iteration = witness->shared->iteration,
        .executions = witness->shared->executions,
        .trace = &trace,
        .is_reproduced = confirm(witness, &trace, &difference) || is_told_apart(witness, &trace),
        .difference = &difference,
    };
    int own_status = on_death(context, &death);
    sct_trace_free(&trace);
    exit(own_status);
}

static bool open_shared(struct sct_witness *witness, int sockets[2]) {
    ASSERT(witness->program && witness->engine.steps_max > 0);
    witness->shared = sct_map_shared(sizeof *witness->shared);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return false;
    for (int i = 0; i < 2; i++)
        sockets[i] = sct_descriptor_keep(sockets[i]);
    if (sockets[0] < 0 || sockets[1] < 0)
        return false;
    witness->record = sct_record_new(witness->engine.steps_max, true);
    witness->fresh = sct_record_new(witness->engine.steps_max, true);
    return true;
}

int sct_witness_run(struct sct_witness *witness, int (*campaign)(void *context),
                    int (*on_death)(void *context, const struct sct_death *death), void *context) {
    int sockets[2];
    struct signals before;
    ASSERT(!witness->shared);
    if (!open_shared(witness, sockets))
        return campaign(context); // without one: a death is not explained then
    hold_signals(&before);
    blocked_before = before.blocked;
    fflush(NULL); // the other must not write it again
    pid_t first_process = getpid(), process = fork();
    campaign_process = process;
    if (process > 0) {
        close(sockets[1]);
        witness->socket = sockets[0];
        int status = wait_for_campaign(witness, process, &before.blocked);
        end_as_witness(witness, status, on_death, context);
    }
    restore_actions(&before);
    witness->socket = process == 0 ? sockets[1] : -1;
    close(sockets[0]);
    if (process == 0)
        // It ends with the witness, which is the process that its user has started and waits for.
        sct_process_end_with(first_process);
    else
        close(sockets[1]);
    return campaign(context);
}

// ---- The campaign's process --------------------------------------------------------------------

void sct_witness_watch(struct sct_witness *witness, struct sct_engine *engine) {
    if (!witness->shared)
        return;
    if (witness->socket > 0)
        sct_engine_record_in(engine, witness->record);
    sigprocmask(SIG_SETMASK, &blocked_before, NULL);
}

void sct_witness_note(struct sct_witness *witness, uint64_t iteration, uint64_t executions) {
    if (!witness->shared)
        return;
    ASSERT(witness->record);
    witness->shared->iteration = iteration;
    witness->shared->executions = executions;
}

bool sct_witness_confirms(struct sct_witness *witness, const char *text, struct error *difference) {
    if (witness->socket <= 0)
        return true;
    struct sct_bytes bytes = {NULL, 0, 0};
    sct_bytes_add(&bytes, text, strlen(text));
    bool is_answered = sct_write_message(witness->socket, &bytes) &&
                       sct_read_message(witness->socket, &bytes, NULL) == SCT_READ_ALL;
    struct sct_reader reader = {bytes.data, bytes.data + bytes.size, false};
    bool is_confirmed = is_answered && sct_take_number(&reader) == 1;
    const char *found = is_answered ? sct_take_text(&reader) : strerror(errno);
    error_set(difference, is_answered ? "%s" : "the witness does not answer: %s",
              found ? found : "");
    sct_bytes_free(&bytes);
    return is_confirmed;
}
