#include "harness/history/reader.h"

// `INFO  jepsen.util - <process>` then, parted by tabs or spaces, `:<type> :<function> <value>`.
// Much else is in such a log; what does not have the beginning of an event is ignored. What has it,
// of a type and function that are known, must be whole: a damaged line is an error, not an
// operation that never returned.

enum type { TYPE_INVOKE, TYPE_OK, TYPE_FAIL, TYPE_COUNT };

struct event {
    uint32_t process;
    enum type type;
    enum store_function function;
};

static const char *const function_names[STORE_FUNCTION_COUNT] = {
    [STORE_READ] = "read",
    [STORE_WRITE] = "write",
    [STORE_CAS] = "cas",
    [STORE_APPEND] = "append", // not in this format
};

// Takes one of the [count] words; its index, or -1.
static int take_name(struct reader *reader, const char *const *words, int count) {
    if (!reader_skip_space(reader) || !reader_skip(reader, ":"))
        return -1;
    // The whole word: "cas" is not the beginning of "cast". What does not fit is given back.
    for (int i = 0; i < count; i++) {
        const char *start = reader->at;
        if (reader_skip(reader, words[i]) &&
            (reader_at_end(reader) || *reader->at == ' ' || *reader->at == '\t'))
            return i;
        reader->at = start;
    }
    return -1;
}

// Whether the line begins as an event does.
static bool take_event(struct reader *reader, struct event *event) {
    static const char *const types[TYPE_COUNT] = {"invoke", "ok", "fail"};
    if (!reader_skip(reader, "INFO") || !reader_skip_space(reader) ||
        !reader_skip(reader, "jepsen.util") || !reader_skip_space(reader) ||
        !reader_skip(reader, "-") || !reader_skip_space(reader) ||
        !reader_process(reader, &event->process))
        return false;
    int type = take_name(reader, types, TYPE_COUNT);
    int function = type < 0 ? -1 : take_name(reader, function_names, STORE_CAS + 1);
    event->type = (enum type)type;
    event->function = (enum store_function)function;
    return function >= 0;
}

static bool take_number(struct reader *reader, uint64_t *value) {
    struct span digits;
    if (!reader_digits(reader, &digits))
        return reader_expected(reader, "a number");
    return reader_value(reader, digits, value);
}

// Digits are kept as text: a value is an identity here, not a quantity.
static bool take_nil_or_number(struct reader *reader, uint64_t *value) {
    *value = STORE_NIL;
    return reader_skip(reader, "nil") || take_number(reader, value);
}

static bool take_pair(struct reader *reader, uint64_t *pair) {
    if (!reader_skip(reader, "["))
        return reader_expected(reader, "[EXPECTED NEW]");
    reader_skip_space(reader);
    if (!take_number(reader, &pair[0]))
        return false;
    if (!reader_skip_space(reader))
        return reader_expected(reader, "a space");
    if (!take_number(reader, &pair[1]))
        return false;
    reader_skip_space(reader);
    return reader_skip(reader, "]") || reader_expected(reader, "]");
}

// The value of a call, and of the return of a write or a compare-and-set.
static bool take_input(struct reader *reader, enum store_function function, uint64_t *input) {
    if (function == STORE_READ)
        return reader_skip(reader, "nil") || reader_expected(reader, "nil");
    return function == STORE_CAS ? take_pair(reader, input) : take_number(reader, &input[0]);
}

static bool check_line_end(struct reader *reader) {
    return reader_at_end(reader) || reader_expected(reader, "the end of the line");
}

static bool add_call(struct reader *reader, const struct event *event) {
    struct sct_operation call = {.process = event->process, .function = event->function};
    return take_input(reader, event->function, call.input) && check_line_end(reader) &&
           reader_call(reader, &call);
}

static bool add_return(struct reader *reader, const struct event *event) {
    // A write that returned did happen; a compare-and-set says by the type whether it did.
    uint64_t output = event->type == TYPE_OK, input[2] = {0};
    bool is_read = event->function == STORE_READ;
    if (!(is_read ? take_nil_or_number(reader, &output)
                  : take_input(reader, event->function, input)) ||
        !check_line_end(reader))
        return false;
    uint32_t index;
    if (!reader_find_open(reader, event->process, event->function, &index))
        return false;
    // The format repeats the input in the return: if it is another one, the log is not what it
    // seems.
    const uint64_t *called = reader->record->history.operations[index].input;
    if (!is_read && (called[0] != input[0] || called[1] != input[1]))
        return reader_expected(reader, "the value of the call");
    return reader_return(reader, index, &output);
}

// A read that timed out returned, with an unknown value. Other failures are not told apart from
// silence: the operation stays open.
static bool add_failure(struct reader *reader, const struct event *event) {
    // Of a compare-and-set a failure with its values is the answer "no", one without is a time-out.
    if (event->function == STORE_CAS && !reader_at_end(reader) && *reader->at == '[')
        return add_return(reader, event);
    if (event->function != STORE_READ || !reader_skip(reader, ":timed-out") ||
        !reader_at_end(reader))
        return true;
    uint32_t index;
    return reader_find_open(reader, event->process, STORE_READ, &index) &&
           reader_return(reader, index, NULL);
}

bool reader_jepsen(struct reader *reader) {
    struct event event;
    uint64_t key;
    reader->record->store.names = function_names;
    // The whole log is about one register: a store of one key.
    if (!reader_key(reader, (struct span){"register", strlen("register")}, &key))
        return false;
    while (reader_next_line(reader)) {
        if (!take_event(reader, &event))
            continue;
        if (!reader_skip_space(reader))
            return reader_expected(reader, "a value");
        bool is_added = event.type == TYPE_INVOKE ? add_call(reader, &event)
                        : event.type == TYPE_OK   ? add_return(reader, &event)
                                                  : add_failure(reader, &event);
        if (!is_added)
            return false;
    }
    return true;
}
