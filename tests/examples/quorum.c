// A register replicated on three machines, read and written by majorities (Attiya, Bar-Noy and
// Dolev 1995, one writer). A read must write back what it returns: else, while a write is under
// way, a read may return the new value and a later one the old value. The checker of core/
// linearize.h sees it in the history of the clients' calls.
#include "core/sct.h"

enum { REPLICAS = 3, MAJORITY = 2, READERS = 2 };
enum kind { READ, WRITE, ANSWER };

struct message {
    struct sct_message header; // first
    uint32_t request;          // of the sender
    uint64_t value;            // values are written in ascending order: one is its own version
};

static bool writes_back; // the correction
static struct sct_machine *replicas[REPLICAS];
static struct sct_history history;
static struct lin_checker *checker;

static void send(struct sct_machine *to, struct message content, const char *label) {
    struct message *message = ARENA_NEW(sct_arena(), struct message);
    *message = content;
    sct_send(to, &message->header, label, HERE);
}

static void replicate(void *argument) {
    (void)argument;
    for (uint64_t value = 0;;) {
        struct message *message = (struct message *)sct_receive(
            SCT_KIND_BIT(READ) | SCT_KIND_BIT(WRITE), true, "a request");
        if (message->header.kind == WRITE && message->value > value)
            value = message->value;
        send(message->header.sender, (struct message){{.kind = ANSWER}, message->request, value},
             "answer");
    }
}

// Asks all, waits for a majority, and returns the latest value of its answers.
static uint64_t ask(uint32_t *request, enum kind kind, uint64_t value) {
    uint64_t latest = 0;
    ++*request;
    for (int i = 0; i < REPLICAS; i++)
        send(replicas[i], (struct message){{.kind = kind}, *request, value},
             kind == READ ? "ask" : "write");
    for (int answers = 0; answers < MAJORITY;) {
        struct message *answer =
            (struct message *)sct_receive(SCT_KIND_BIT(ANSWER), false, "answers of a majority");
        if (answer->request != *request)
            continue; // a late one
        answers++;
        latest = answer->value > latest ? answer->value : latest;
    }
    return latest;
}

static void write_once(void *argument) {
    (void)argument;
    uint32_t request = 0;
    uint32_t call =
        sct_history_call(&history, &(struct sct_operation){.function = WRITE, .input = {1}});
    ask(&request, WRITE, 1);
    sct_history_return(&history, call, 0);
}

static void read_twice(void *argument) {
    uint32_t request = 0;
    for (int i = 0; i < 2; i++) {
        uint32_t call = sct_history_call(
            &history, &(struct sct_operation){.process = *(uint32_t *)argument, .function = READ});
        uint64_t value = ask(&request, READ, 0);
        if (writes_back)
            ask(&request, WRITE, value);
        sct_note("read %d", (int)value);
        sct_history_return(&history, call, value);
    }
}

static void setup(void *context) {
    static const char *const names[] = {"replica-0", "replica-1", "replica-2"};
    static const char *const readers[] = {"reader-0", "reader-1"};
    static uint32_t numbers[READERS] = {1, 2};
    writes_back = *(const bool *)context;
    sct_history_clear(&history);
    for (int i = 0; i < REPLICAS; i++) {
        replicas[i] = sct_machine_create(names[i]);
        sct_task_start(replicas[i], "main", replicate, NULL);
    }
    sct_task_start(sct_machine_create("writer"), "main", write_once, NULL);
    for (int i = 0; i < READERS; i++)
        sct_task_start(sct_machine_create(readers[i]), "main", read_twice, &numbers[i]);
}

// ---- The specification: a register ----

static void init(void *context, uint64_t *state) {
    (void)context;
    *state = 0;
}

static uint32_t step(void *context, const uint64_t *state, const struct sct_operation *operation,
                     uint32_t way, uint64_t *next) {
    (void)context, (void)way;
    bool is_write = operation->function == WRITE;
    *next = is_write ? operation->input[0] : *state;
    return is_write || !operation->has_output || operation->output == *state;
}

static void finish(void *context) {
    (void)context;
    const struct lin_spec reg = {.state_words = 1, .init = init, .step = step};
    struct lin_result result;
    lin_check(checker, &reg, &history, &result);
    if (result.verdict == LIN_UNKNOWN)
        sct_check_gave_up();
    sct_check(result.verdict != LIN_NOT_LINEARIZABLE, "not-linearizable",
              "no order of the calls explains what the clients read");
}

int main(int argc, char **argv) {
    static bool yes = true, no = false;
    static const struct sct_test tests[] = {
        {.name = "no-write-back",
         .summary = "a read does not write back",
         .program = {.setup = setup, .finish = finish, .context = &no}},
        {.name = "fixed",
         .summary = "a read writes back what it returns",
         .program = {.setup = setup, .finish = finish, .context = &yes}},
    };
    checker = lin_open(&(struct lin_limits){.steps_max = 1000000, .memory_bytes = 1 << 24});
    int status = sct_run(argc, argv, &(struct sct_suite){"quorum", tests, 2});
    sct_history_deinit(&history);
    lin_close(checker);
    return status;
}
