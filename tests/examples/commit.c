// Two-phase commit whose coordinator may crash at any moment and come back with nothing but its
// disk. It must have written the decision to disk before it tells anybody; the wrong one tells
// first. Then a crash in between lets one participant commit, while the recovered coordinator knows
// of no decision and tells the other to abort.
#include "core/sct.h"

enum { PARTICIPANTS = 2 };
enum kind { PREPARE, VOTE, DECISION };
enum decision { UNDECIDED, COMMIT, ABORT };

struct message {
    struct sct_message header; // first
    enum decision value;
};

static struct {
    bool writes_first; // the correction
    struct sct_machine *coordinator;
    struct sct_machine *participants[PARTICIPANTS];
    enum decision disk;                   // of the coordinator
    enum decision outcomes[PARTICIPANTS]; // what each participant did
} world;

static void send(struct sct_machine *to, enum kind kind, enum decision value, const char *label) {
    struct message *message = ARENA_NEW(sct_arena(), struct message);
    message->header.kind = kind;
    message->value = value;
    sct_send(to, &message->header, label, HERE);
}

static const struct message *receive(uint32_t kinds, bool may_idle, const char *label) {
    return (const struct message *)sct_receive(kinds, may_idle, label);
}

static void tell_all(enum decision decision) {
    for (int i = 0; i < PARTICIPANTS; i++)
        send(world.participants[i], DECISION, decision, "tell");
}

static void write_to_disk(enum decision decision) {
    sct_point("write to disk", HERE, &sct_access_unknown);
    world.disk = decision;
}

static void coordinate(void *argument) {
    (void)argument;
    for (int i = 0; i < PARTICIPANTS; i++)
        send(world.participants[i], PREPARE, UNDECIDED, "prepare");
    enum decision decision = COMMIT;
    for (int i = 0; i < PARTICIPANTS; i++)
        if (receive(SCT_KIND_BIT(VOTE), false, "a vote")->value == ABORT)
            decision = ABORT;
    if (world.writes_first)
        write_to_disk(decision);
    tell_all(decision);
    if (!world.writes_first)
        write_to_disk(decision);
}

// After a crash: what is not on disk was never decided.
static void recover(void *argument) {
    (void)argument;
    if (world.disk == UNDECIDED)
        write_to_disk(ABORT);
    tell_all(world.disk);
}

static void crash_and_recover(void *argument) {
    (void)argument;
    sct_point("crash", HERE, &sct_access_unknown);
    sct_machine_stop(world.coordinator);
    sct_task_start(world.coordinator, "recovery", recover, NULL);
}

// Votes when asked, and does what it is told first.
static void participate(void *argument) {
    enum decision *outcome = argument;
    while (true) {
        const struct message *message =
            receive(SCT_KIND_BIT(PREPARE) | SCT_KIND_BIT(DECISION), true, "a transaction");
        if (message->header.kind == PREPARE)
            send(world.coordinator, VOTE, sct_choose(2, "vote to abort") ? ABORT : COMMIT, "vote");
        else if (*outcome == UNDECIDED)
            *outcome = message->value;
    }
}

static void setup(void *context) {
    static const char *const names[PARTICIPANTS] = {"participant-0", "participant-1"};
    world.writes_first = *(const bool *)context;
    world.disk = UNDECIDED;
    world.coordinator = sct_machine_create("coordinator");
    for (int i = 0; i < PARTICIPANTS; i++) {
        world.outcomes[i] = UNDECIDED;
        world.participants[i] = sct_machine_create(names[i]);
        sct_task_start(world.participants[i], "main", participate, &world.outcomes[i]);
    }
    sct_task_start(world.coordinator, "main", coordinate, NULL);
    sct_task_start(sct_machine_create("fate"), "main", crash_and_recover, NULL);
}

static void finish(void *context) {
    (void)context;
    sct_check(world.outcomes[0] != UNDECIDED && world.outcomes[1] != UNDECIDED, "undecided",
              "a participant was never told what to do");
    sct_check(world.outcomes[0] == world.outcomes[1], "not-atomic",
              "one participant committed, the other aborted");
}

int main(int argc, char **argv) {
    static bool yes = true, no = false;
    static const struct sct_test tests[] = {
        {.name = "tells-first",
         .summary = "it tells, then writes",
         .program = {.setup = setup, .finish = finish, .context = &no}},
        {.name = "fixed",
         .summary = "it writes, then tells",
         .program = {.setup = setup, .finish = finish, .context = &yes}},
    };
    return sct_run(argc, argv, &(struct sct_suite){"commit", tests, 2});
}
