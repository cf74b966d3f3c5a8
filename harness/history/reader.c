// What the readers of formats share, below them: record.c knows the readers, they know this.
#include "harness/history/reader.h"
#include "core/base/grow.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

bool reader_next_line(struct reader *reader) {
    if (reader->next == reader->end)
        return false;
    size_t rest = (size_t)(reader->end - reader->next);
    const char *newline = memchr(reader->next, '\n', rest);
    reader->at = reader->next;
    reader->line_end = newline ? newline : reader->end;
    reader->next = newline ? newline + 1 : reader->end;
    reader->line++;
    while (reader->line_end > reader->at && strchr(" \t\r", reader->line_end[-1]) &&
           reader->line_end[-1])
        reader->line_end--;
    return true;
}

// printf, with file and line before it.
__attribute__((format(printf, 2, 3))) static bool fail(struct reader *reader, const char *format,
                                                       ...) {
    char message[300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return error_set(reader->error, "%.150s:%" PRIu32 ": %s", reader->name, reader->line, message);
}

bool reader_expected(struct reader *reader, const char *expected) {
    char found[64];
    size_t length = 0;
    // Foreign bytes go to a terminal: only printable ones are shown as they are.
    for (const char *at = reader->at; at < reader->line_end && length + 1 < sizeof found; at++)
        found[length++] = (char)(*at >= ' ' && *at <= '~' ? *at : '.');
    found[length] = '\0';
    if (length == 0)
        return fail(reader, "expected %s, found the end of the line", expected);
    return fail(reader, "expected %s, found '%s'", expected, found);
}

static const char memory_name[] = "a history";

static void note_line(struct reader *reader) {
    struct record *record = reader->record;
    uint32_t count = record->history.event_count;
    GROW(record->lines, count, record->line_capacity, memory_name);
    ASSERT(count > 0); // the event was added
    record->lines[count - 1] = reader->line;
}

// Where the open operation of [process] is kept.
static uint32_t *open_call(struct reader *reader, uint32_t process) {
    ASSERT(process < READER_PROCESSES_MAX);
    // By process number, which is bounded: an array, with 0 for no open call.
    uint32_t known = reader->open_capacity;
    GROW(reader->open_calls, process + 1, reader->open_capacity, memory_name);
    for (; known < reader->open_capacity; known++)
        reader->open_calls[known] = 0;
    return &reader->open_calls[process];
}

bool reader_call(struct reader *reader, const struct sct_operation *call) {
    uint32_t *open = open_call(reader, call->process);
    if (*open != 0)
        return fail(reader, "process %" PRIu32 " calls, but its call of line %" PRIu32 " is open",
                    call->process,
                    reader->record->lines[reader->record->history.operations[*open - 1].called_at]);
    ASSERT(call->process < reader->open_capacity);
    *open = sct_history_call(&reader->record->history, call) + 1;
    store_note(&reader->record->store, call);
    note_line(reader);
    return true;
}

bool reader_find_open(struct reader *reader, uint32_t process, uint32_t function, uint32_t *index) {
    uint32_t open = *open_call(reader, process);
    if (open == 0)
        return fail(reader, "process %" PRIu32 " returns, but it has no call open", process);
    *index = open - 1;
    ASSERT(*index < reader->record->history.operation_count);
    const struct sct_operation *operation = &reader->record->history.operations[*index];
    if (operation->function != function)
        return fail(reader,
                    "process %" PRIu32
                    " returns from something else than its call of line %" PRIu32,
                    process, reader->record->lines[operation->called_at]);
    return true;
}

bool reader_return(struct reader *reader, uint32_t index, const uint64_t *output) {
    struct sct_history *history = &reader->record->history;
    ASSERT(index < history->operation_count);
    *open_call(reader, history->operations[index].process) = 0;
    if (output)
        sct_history_return(history, index, *output);
    else
        sct_history_return_unknown(history, index);
    note_line(reader);
    return true;
}

static bool add(struct reader *reader, struct strings *strings, struct span span,
                uint64_t *number) {
    *number = strings_add(strings, span.text, span.length);
    return *number != STRINGS_FULL || fail(reader, "too much text in this history");
}

bool reader_value(struct reader *reader, struct span span, uint64_t *value) {
    return add(reader, &reader->record->store.values, span, value);
}

bool reader_key(struct reader *reader, struct span span, uint64_t *key) {
    return add(reader, &reader->record->store.keys, span, key);
}
