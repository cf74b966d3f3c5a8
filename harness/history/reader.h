// What the readers of the formats share: lines, words, and who has which call open. Used inside
// harness/history only.
#ifndef HARNESS_HISTORY_READER_H
#define HARNESS_HISTORY_READER_H

#include "harness/history/record.h"

#include <string.h>

enum { READER_PROCESSES_MAX = 1 << 20 };

struct reader {
    const char *name; // of the file
    const char *next; // the line after this one
    const char *end;  // of the file
    uint32_t line;    // number of this one, from 1
    const char *at;   // the rest of this line
    const char *line_end;
    struct record *record;
    uint32_t *open_calls; // of every process: its open operation + 1, 0: none
    uint32_t open_capacity;
    struct error *error;
};

struct span {
    const char *text;
    size_t length;
};

// The readers, one a file.
bool reader_jepsen(struct reader *reader);
bool reader_kv(struct reader *reader);
bool reader_native(struct reader *reader);

// Goes to the next line, without the white space at its end. False at the end of the file.
bool reader_next_line(struct reader *reader);

// Fails, saying what was expected where the reader is.
bool reader_expected(struct reader *reader, const char *expected);

// Records a call; [call]'s function, key and input are set. Fails if the process has a call open.
bool reader_call(struct reader *reader, const struct sct_operation *call);

// The operation that [process] has open. Fails if it has none, or one of another function.
bool reader_find_open(struct reader *reader, uint32_t process, uint32_t function, uint32_t *index);

// Records its return; [output] is NULL if it is unknown.
bool reader_return(struct reader *reader, uint32_t index, const uint64_t *output);

// The number of a value or key. Fails if there are too many.
bool reader_value(struct reader *reader, struct span span, uint64_t *value);
bool reader_key(struct reader *reader, struct span span, uint64_t *key);

static inline bool reader_at_end(const struct reader *reader) {
    return reader->at == reader->line_end;
}

// Skips [text], if it is what comes next.
static inline bool reader_skip(struct reader *reader, const char *text) {
    size_t length = strlen(text);
    if ((size_t)(reader->line_end - reader->at) < length || memcmp(reader->at, text, length) != 0)
        return false;
    reader->at += length;
    return true;
}

// Skips spaces and tabs; whether there were any.
static inline bool reader_skip_space(struct reader *reader) {
    const char *start = reader->at;
    while (!reader_at_end(reader) && (*reader->at == ' ' || *reader->at == '\t'))
        reader->at++;
    return reader->at > start;
}

// Takes a number of digits only, without zeros before it.
static inline bool reader_digits(struct reader *reader, struct span *digits) {
    const char *start = reader->at;
    while (!reader_at_end(reader) && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    while (start + 1 < reader->at && *start == '0')
        start++;
    *digits = (struct span){start, (size_t)(reader->at - start)};
    return digits->length > 0;
}

// Takes a process's number.
static inline bool reader_process(struct reader *reader, uint32_t *process) {
    struct span digits;
    *process = 0;
    if (!reader_digits(reader, &digits) || digits.length > 7)
        return false;
    for (size_t i = 0; i < digits.length; i++)
        *process = *process * 10 + (uint32_t)(digits.text[i] - '0');
    return *process < READER_PROCESSES_MAX;
}

#endif
