#include "harness/history/reader.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <stdlib.h>

// The format is described in harness/history/record.h.

static const char *const register_names[STORE_FUNCTION_COUNT] = {
    [STORE_READ] = "read",
    [STORE_WRITE] = "write",
    [STORE_CAS] = "cas",
    [STORE_APPEND] = "append",
};

static const char *const map_names[STORE_FUNCTION_COUNT] = {
    [STORE_READ] = "get",
    [STORE_WRITE] = "put",
    [STORE_CAS] = "cas",
    [STORE_APPEND] = "append",
};

// ---- Words -------------------------------------------------------------------------------------

// Takes a word: what stands before the next space.
static bool take_word(struct reader *reader, struct span *word) {
    const char *start = reader->at;
    while (!reader_at_end(reader) && (unsigned char)*reader->at > ' ' && *reader->at != '"')
        reader->at++;
    // A quote or a control character inside a word belongs to no word of the format.
    bool is_ended = reader_at_end(reader) || *reader->at == ' ' || *reader->at == '\t';
    *word = (struct span){start, (size_t)(reader->at - start)};
    if (word->length > 0 && is_ended)
        return true;
    reader->at = start;
    return false;
}

static bool is_word(struct span word, const char *text) {
    return word.length == strlen(text) && memcmp(word.text, text, word.length) == 0;
}

// Takes a string in double quotes. Its text lies in [buffer], which is as long as the line.
static bool take_quoted(struct reader *reader, char *buffer, struct span *string) {
    size_t length = 0;
    reader->at++;
    // Two escapes only: they are what the writer of the format makes.
    for (; !reader_at_end(reader) && *reader->at != '"'; reader->at++) {
        if (*reader->at == '\0')
            return reader_expected(reader, "text without NUL");
        if (*reader->at == '\\') {
            reader->at++;
            if (reader_at_end(reader) || (*reader->at != '"' && *reader->at != '\\'))
                return reader_expected(reader, "\" or \\ after \\");
        }
        buffer[length++] = *reader->at;
    }
    *string = (struct span){buffer, length};
    return reader_skip(reader, "\"") || reader_expected(reader, "a double quote");
}

typedef bool (*add_string)(struct reader *reader, struct span string, uint64_t *number);

static bool take_string(struct reader *reader, const char *expected, add_string add,
                        uint64_t *number) {
    struct span string = {0};
    if (!reader_skip_space(reader) || reader_at_end(reader))
        return reader_expected(reader, expected);
    if (*reader->at != '"')
        return take_word(reader, &string) ? add(reader, string, number)
                                          : reader_expected(reader, expected);
    // Without escapes a string could stay where it is; with them it gets shorter, so the line's
    // length will do.
    char *buffer = grow_to(NULL, (size_t)(reader->line_end - reader->at), 1, "a line of a history");
    ASSERT(reader->at < reader->line_end);
    bool is_taken = take_quoted(reader, buffer, &string) && add(reader, string, number);
    free(buffer);
    return is_taken;
}

// Takes [word], after a space, if that is what comes next.
static bool take_exactly(struct reader *reader, const char *word) {
    const char *start = reader->at;
    struct span found;
    if (reader_skip_space(reader) && take_word(reader, &found) && is_word(found, word))
        return true;
    reader->at = start;
    return false;
}

static bool take_value(struct reader *reader, const char *expected, uint64_t *value) {
    *value = STORE_NIL;
    return take_exactly(reader, "nil") || take_string(reader, expected, reader_value, value);
}

static bool check_line_end(struct reader *reader) {
    reader_skip_space(reader);
    return reader_at_end(reader) || reader_expected(reader, "the end of the line");
}

// ---- Lines -------------------------------------------------------------------------------------

static bool take_header(struct reader *reader) {
    struct store *store = &reader->record->store;
    static const char expected[] = "'mtcheck-history 1 register' or 'mtcheck-history 1 map'"
                                   " (other formats: --history-format)";
    const char *start = reader->at;
    if (!reader_skip(reader, "mtcheck-history") || !take_exactly(reader, "1")) {
        reader->at = start;
        return reader_expected(reader, expected);
    }
    // A register is a map of one key without a name.
    store->is_map = take_exactly(reader, "map");
    store->names = store->is_map ? map_names : register_names;
    if (!store->is_map && !take_exactly(reader, "register"))
        return reader_expected(reader, "'register' or 'map'");
    uint64_t key;
    return check_line_end(reader) &&
           (store->is_map || reader_key(reader, (struct span){"register", 8}, &key));
}

// Takes the name of a function. A remove is a write of nil.
static bool take_function(struct reader *reader, uint32_t *function, bool *is_remove) {
    const struct store *store = &reader->record->store;
    *is_remove = store->is_map && take_exactly(reader, "remove");
    *function = STORE_WRITE;
    if (*is_remove)
        return true;
    ASSERT(store->names); // the header was read
    for (*function = 0; *function < STORE_FUNCTION_COUNT; ++*function)
        if (take_exactly(reader, store->names[*function]))
            return true;
    return reader_expected(reader, store->is_map ? "get, put, cas, append or remove"
                                                 : "read, write, cas or append");
}

static bool take_arguments(struct reader *reader, struct sct_operation *call, bool is_remove) {
    struct store *store = &reader->record->store;
    if (store->is_map && !take_string(reader, "a key", reader_key, &call->key))
        return false;
    // Nil cannot be appended.
    bool needs_string = call->function == STORE_APPEND;
    if (needs_string)
        return take_string(reader, "a value", reader_value, &call->input[0]);
    if (call->function == STORE_READ || is_remove)
        return true;
    return take_value(reader, "a value", &call->input[0]) &&
           (call->function != STORE_CAS || take_value(reader, "a value", &call->input[1]));
}

// Takes what the call returned; [is_known] is false if it was ?.
static bool take_result(struct reader *reader, uint32_t function, uint64_t *result,
                        bool *is_known) {
    *result = 0;
    *is_known = !take_exactly(reader, "?");
    if (!*is_known || function == STORE_WRITE || function == STORE_APPEND)
        return true;
    if (function == STORE_READ)
        return take_value(reader, "a value, nil or ?", result);
    *result = take_exactly(reader, "ok");
    return *result || take_exactly(reader, "fail") || reader_expected(reader, "ok, fail or ?");
}

static bool add_event(struct reader *reader) {
    struct sct_operation call = {0};
    if (!reader_process(reader, &call.process))
        return reader_expected(reader, "a process number below 1048576");
    bool is_call = take_exactly(reader, "call");
    if (!is_call && !take_exactly(reader, "return"))
        return reader_expected(reader, "'call' or 'return'");
    bool is_remove;
    if (!take_function(reader, &call.function, &is_remove))
        return false;
    if (is_call)
        return take_arguments(reader, &call, is_remove) && check_line_end(reader) &&
               reader_call(reader, &call);
    uint64_t result;
    bool is_known;
    uint32_t index;
    // A return that is known not to be known: the call ended, so it happened before what comes
    // later.
    return take_result(reader, call.function, &result, &is_known) && check_line_end(reader) &&
           reader_find_open(reader, call.process, call.function, &index) &&
           reader_return(reader, index, is_known ? &result : NULL);
}

bool reader_native(struct reader *reader) {
    bool has_header = false;
    while (reader_next_line(reader)) {
        reader_skip_space(reader);
        if (reader_at_end(reader) || *reader->at == '#')
            continue;
        if (!(has_header ? add_event(reader) : take_header(reader)))
            return false;
        has_header = true;
    }
    return true;
}
