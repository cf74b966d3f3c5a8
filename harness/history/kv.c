#include "harness/history/reader.h"

// `{:process 9, :type :invoke, :f :append, :key "0", :value "x 9 0 y"}`, every line of the file.
// The text of strings is taken as it stands, escapes included: only equality and order matter.

static const char *const function_names[STORE_FUNCTION_COUNT] = {
    [STORE_READ] = "get",
    [STORE_WRITE] = "put",
    [STORE_CAS] = "cas", // not in this format
    [STORE_APPEND] = "append",
};

// Takes what stands between double quotes.
static bool take_string(struct reader *reader, struct span *string) {
    if (!reader_skip(reader, "\""))
        return reader_expected(reader, "a string in double quotes");
    const char *start = reader->at;
    for (; !reader_at_end(reader) && *reader->at != '"'; reader->at++) {
        if (*reader->at == '\0')
            return reader_expected(reader, "text without NUL");
        // An escaped quote does not end the string.
        if (*reader->at == '\\' && reader->at + 1 < reader->line_end)
            reader->at++;
    }
    *string = (struct span){start, (size_t)(reader->at - start)};
    return reader_skip(reader, "\"") || reader_expected(reader, "a double quote");
}

static bool take(struct reader *reader, const char *text) {
    return reader_skip(reader, text) || reader_expected(reader, text);
}

// There is no type for a failure: an operation that did not return is not mentioned again.
static bool take_type(struct reader *reader, bool *is_call) {
    *is_call = reader_skip(reader, ":invoke");
    return *is_call || reader_skip(reader, ":ok") || reader_expected(reader, ":invoke or :ok");
}

static bool take_function(struct reader *reader, uint32_t *function) {
    if (reader_skip(reader, ":get"))
        *function = STORE_READ;
    else if (reader_skip(reader, ":put"))
        *function = STORE_WRITE;
    else if (reader_skip(reader, ":append"))
        *function = STORE_APPEND;
    else
        return reader_expected(reader, ":get, :put or :append");
    return true;
}

// The value: nil in the call of a get, else a string.
static bool take_value(struct reader *reader, bool is_nil, uint64_t *value) {
    struct span string = {0};
    if (is_nil)
        return take(reader, "nil");
    return take_string(reader, &string) && reader_value(reader, string, value);
}

static bool take_line(struct reader *reader, struct sct_operation *operation, uint64_t *value,
                      bool *is_call) {
    struct span key = {0};
    if (!take(reader, "{:process "))
        return false;
    if (!reader_process(reader, &operation->process))
        return reader_expected(reader, "a process number");
    return take(reader, ", :type ") && take_type(reader, is_call) && take(reader, ", :f ") &&
           take_function(reader, &operation->function) && take(reader, ", :key ") &&
           take_string(reader, &key) && reader_key(reader, key, &operation->key) &&
           take(reader, ", :value ") &&
           take_value(reader, *is_call && operation->function == STORE_READ, value) &&
           take(reader, "}") &&
           (reader_at_end(reader) || reader_expected(reader, "the end of the line"));
}

static bool add_return(struct reader *reader, const struct sct_operation *operation,
                       uint64_t value) {
    uint32_t index;
    if (!reader_find_open(reader, operation->process, operation->function, &index))
        return false;
    const struct sct_operation *call = &reader->record->history.operations[index];
    // The format says everything twice, which is looked at: a log that contradicts itself is no
    // evidence.
    if (call->key != operation->key)
        return reader_expected(reader, "the key of the call");
    if (operation->function != STORE_READ && call->input[0] != value)
        return reader_expected(reader, "the value of the call");
    return reader_return(reader, index, &value);
}

bool reader_kv(struct reader *reader) {
    struct store *store = &reader->record->store;
    store->names = function_names;
    store->is_map = true;
    uint64_t empty;
    if (!reader_value(reader, (struct span){"", 0}, &empty))
        return false;
    // In this format a key that nobody wrote reads as the empty string, not as nil.
    store->initial = (uint32_t)empty;
    while (reader_next_line(reader)) {
        struct sct_operation operation = {0};
        uint64_t value = 0;
        bool is_call = false;
        if (reader_at_end(reader))
            continue;
        if (!take_line(reader, &operation, &value, &is_call))
            return false;
        // Of a return it is the input again, or what a get has read; nil of a call of get is 0.
        operation.input[0] = value;
        if (!(is_call ? reader_call(reader, &operation) : add_return(reader, &operation, value)))
            return false;
    }
    return true;
}
