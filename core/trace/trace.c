#define _GNU_SOURCE // open_memstream, stpcpy
#include "core/trace/trace.h"
#include "core/base/bytes.h"
#include "core/base/grow.h"
#include "core/base/hash.h"
#include "core/base/number.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char memory_name[] = "a trace";

static const char *const outcome_names[] = {
    [SCT_PASSED] = "passed",
    [SCT_VIOLATED] = "violation",
    [SCT_STEP_LIMIT] = "step-limit",
};
static const char *const kind_names[] = {
    [SCT_DECISION_SCHEDULE] = "schedule",
    [SCT_DECISION_VALUE] = "value",
};

const char *sct_decision_kind_name(enum sct_decision_kind kind) {
    return kind_names[kind];
}

// ---- Capturing and formatting ------------------------------------------------------------------

// As it stands in a header: not empty, on one line, as long as there is room.
static void copy_line(char *to, size_t bytes, const char *from) {
    snprintf(to, bytes, "%s", *from ? from : "-");
    // A message of the system under test may hold anything; a newline in it would be a header of
    // its own.
    for (char *c = to; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';
}

void sct_trace_capture(struct sct_trace *trace, const struct sct_engine *engine,
                       const struct sct_result *result) {
    ASSERT(result->outcome != SCT_DIVERGED && result->outcome != SCT_STOPPED);
    trace->outcome = result->outcome;
    trace->fingerprint = result->fingerprint;
    trace->decision_count = result->decision_count;
    // With the engine's texts, which the next execution overwrites: whoever wants to keep the trace
    // copies it.
    trace->decisions = grow_to(NULL, result->decision_count, sizeof *trace->decisions, memory_name);
    for (uint32_t i = 0; i < result->decision_count; i++)
        trace->decisions[i] = sct_engine_decision(engine, i);
    if (result->outcome != SCT_VIOLATED)
        return;
    copy_line(trace->kind, sizeof trace->kind, result->violation.kind);
    copy_line(trace->machine, sizeof trace->machine, result->violation.machine);
    copy_line(trace->message, sizeof trace->message, result->violation.message);
}

bool sct_trace_is_of(const struct sct_trace *trace, const struct sct_violation *violation) {
    char kind[sizeof trace->kind], machine[sizeof trace->machine], message[sizeof trace->message];
    // Cut and cleaned as they were when they were recorded, or a long message would never be the
    // same as its own recording.
    copy_line(kind, sizeof kind, violation->kind);
    copy_line(machine, sizeof machine, violation->machine);
    copy_line(message, sizeof message, violation->message);
    return strcmp(kind, trace->kind) == 0 && strcmp(machine, trace->machine) == 0 &&
           strcmp(message, trace->message) == 0;
}

bool sct_trace_is_of_kind(const struct sct_trace *trace, const char *kind) {
    char line[sizeof trace->kind];
    copy_line(line, sizeof line, kind);
    return strcmp(line, trace->kind) == 0;
}

// The bytes that the texts of [decision] need.
static size_t texts_size(const struct sct_decision *decision) {
    // Of a parsed trace they lie in its own storage, of a captured one in the engine: copied alike.
    const char *const texts[] = {decision->machine, decision->label, decision->where};
    size_t size = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        size += texts[i] ? strlen(texts[i]) + 1 : 0;
    return size;
}

// Copies [text] to *[storage], which moves behind it.
static const char *keep_text(char **storage, const char *text) {
    if (!text)
        return NULL;
    char *copy = *storage;
    *storage = stpcpy(copy, text) + 1;
    return copy;
}

void sct_trace_copy(struct sct_trace *to, const struct sct_trace *from) {
    ASSERT(to != from);
    size_t size = 0;
    for (uint32_t i = 0; i < from->decision_count; i++)
        size += texts_size(&from->decisions[i]);
    // One block for all texts: measured first, so that it is never moved and pointers into it stay.
    *to = *from;
    to->decisions = grow_to(NULL, from->decision_count, sizeof *to->decisions, memory_name);
    to->storage = grow_to(NULL, size, 1, memory_name);
    char *storage = to->storage;
    for (uint32_t i = 0; i < from->decision_count; i++) {
        struct sct_decision *decision = &to->decisions[i];
        *decision = from->decisions[i];
        decision->machine = keep_text(&storage, decision->machine);
        decision->label = keep_text(&storage, decision->label);
        decision->where = keep_text(&storage, decision->where);
    }
    ASSERT(storage == to->storage + size);
}

void sct_trace_free(struct sct_trace *trace) {
    free(trace->decisions);
    free(trace->storage);
    trace->decisions = NULL;
    trace->storage = NULL;
}

static void format_header(FILE *out, const struct sct_trace *trace) {
    fprintf(out, "mtcheck-trace %d\n", SCT_TRACE_VERSION);
    // In the order in which a reader needs them: what ran, how it was found, how it ended, what was
    // decided.
    fprintf(out, "model %s\ntest %s\nbug %s\n", trace->model, trace->test, trace->bug);
    if (*trace->binding)
        fprintf(out, "binding %s\n", trace->binding);
    fprintf(out, "max-steps %" PRIu32 "\n", trace->steps_max);
    fprintf(out, "strategy %s\n", trace->strategy);
    fprintf(out, "calibration %" PRIu32 " %" PRIu32 "\n", trace->calibration.decisions_max,
            trace->calibration.tasks_max);
    fprintf(out, "seed %" PRIu64 "\niteration %" PRIu64 "\n", trace->seed, trace->iteration);
    fprintf(out, "outcome %s\n", outcome_names[trace->outcome]);
    if (trace->outcome == SCT_VIOLATED)
        fprintf(out, "kind %s\nmachine %s\nmessage %s\n", trace->kind, trace->machine,
                trace->message);
    fprintf(out, "fingerprint %016" PRIx64 "\n", trace->fingerprint);
    fprintf(out, "decisions %" PRIu32 "\n", trace->decision_count);
}

// Labels and names stand on one line, whatever the system under test put into them.
static void format_word(FILE *out, const char *text) {
    // A semicolon ends a label in a line of defaults.
    for (const char *c = *text ? text : "-"; *c; c++)
        fputc((unsigned char)*c < ' ' ? ' ' : *c == ';' ? ',' : *c, out);
}

static void format_words(FILE *out, const struct sct_decision *decision) {
    if (decision->machine) {
        format_word(out, decision->machine);
        fputc(' ', out);
    }
    format_word(out, decision->label);
}

static void format_decision(FILE *out, uint32_t index, const struct sct_decision *decision) {
    fprintf(out, "%" PRIu32 " %s %" PRIu32 " %" PRIu32 " ", index, kind_names[decision->kind],
            decision->count, decision->answer);
    format_words(out, decision);
    fputc('\n', out);
}

// How many decisions from [first] on stand on one line.
static uint32_t line_length(const struct sct_trace *trace, uint32_t first) {
    uint32_t length = 0;
    // A minimal trace is nearly all defaults: what is not stands out, with a line of its own.
    while (length < SCT_TRACE_DEFAULTS_MAX && first + length < trace->decision_count &&
           trace->decisions[first + length].answer == 0)
        length++;
    return length > 0 ? length : 1;
}

static void format_defaults(FILE *out, const struct sct_trace *trace, uint32_t first,
                            uint32_t count) {
    fprintf(out, "%" PRIu32 " default %" PRIu32 ":", first, count);
    for (uint32_t i = first; i < first + count; i++) {
        const struct sct_decision *decision = &trace->decisions[i];
        fprintf(out, "%s %c%" PRIu32 " ", i > first ? ";" : "", kind_names[decision->kind][0],
                decision->count);
        format_words(out, decision);
    }
    fputc('\n', out);
}

char *sct_trace_format(const struct sct_trace *trace) {
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    if (!out)
        grow_failed(0, memory_name);
    format_header(out, trace);
    for (uint32_t i = 0, count; i < trace->decision_count; i += count) {
        count = line_length(trace, i);
        if (count > 1)
            format_defaults(out, trace, i, count);
        else
            format_decision(out, i, &trace->decisions[i]);
    }
    // For [text] and [length], which a memory stream sets when it is flushed: the checksum is of
    // all that stands before it.
    fflush(out);
    fprintf(out, "checksum %016" PRIx64 "\n", hash_bytes(text, length));
    if (fclose(out) != 0)
        grow_failed(length, memory_name);
    return text;
}

// ---- Parsing -----------------------------------------------------------------------------------

struct reader {
    char *next; // the rest of the text; NUL-terminated
    char *line; // the present line, its newline replaced by NUL
    size_t number;
    uint64_t version;
    struct error *error;
};

static bool next_line(struct reader *reader, const char *expected) {
    reader->number++;
    reader->line = reader->next;
    // A line without its newline is one that was being written when somebody died or a disk was
    // full: it may be cut in a number, and is not read.
    char *end = strchr(reader->next, '\n');
    if (!end)
        return error_set(reader->error, "line %zu: expected %s, found %s", reader->number, expected,
                         *reader->next ? "a line that is cut off" : "the end of the file");
    *end = '\0';
    reader->next = end + 1;
    return true;
}

static bool expected(struct reader *reader, const char *what) {
    return error_set(reader->error, "line %zu: expected %s, found '%.60s'", reader->number, what,
                     reader->line);
}

// Reads "name value" and stores where the value begins.
static bool read_field(struct reader *reader, const char *name, char **value) {
    char what[64];
    snprintf(what, sizeof what, "'%s ...'", name);
    if (!next_line(reader, what))
        return false;
    size_t length = strlen(name);
    // Fields stand in a fixed order and none twice: the first that is not as expected is what the
    // error names.
    if (strncmp(reader->line, name, length) != 0 || reader->line[length] != ' ' ||
        reader->line[length + 1] == '\0')
        return expected(reader, what);
    *value = reader->line + length + 1;
    return true;
}

static bool read_name(struct reader *reader, const char *name, char *to, size_t bytes) {
    char *value = NULL;
    if (!read_field(reader, name, &value))
        return false;
    // Refused and not cut: a name that is a little different would be looked up in vain, with a
    // message about something else.
    if (strlen(value) >= bytes)
        return expected(reader, "a shorter text");
    strcpy(to, value);
    return true;
}

// Consumes a number of the given base and the character [after] behind it.
static bool scan_number(char **text, unsigned base, uint64_t max, char after, uint64_t *number) {
    size_t length = number_scan(*text, base, max, number);
    // The character behind it belongs to the number: "12x" is no 12.
    if (length == 0 || (*text)[length] != after)
        return false;
    *text += length + (after != '\0');
    return true;
}

static bool read_number(struct reader *reader, const char *name, unsigned base, uint64_t max,
                        uint64_t *number) {
    char *value = NULL;
    if (!read_field(reader, name, &value))
        return false;
    return scan_number(&value, base, max, '\0', number) || expected(reader, "a number in range");
}

static bool read_number32(struct reader *reader, const char *name, uint32_t max, uint32_t *number) {
    uint64_t wide = 0;
    if (!read_number(reader, name, 10, max, &wide))
        return false;
    *number = (uint32_t)wide;
    return true;
}

static bool read_calibration(struct reader *reader, struct sct_calibration *calibration) {
    char *value = NULL;
    uint64_t decisions = 0, tasks = 0;
    if (!read_field(reader, "calibration", &value))
        return false;
    if (!scan_number(&value, 10, UINT32_MAX, ' ', &decisions) ||
        !scan_number(&value, 10, UINT32_MAX, '\0', &tasks))
        return expected(reader, "two numbers");
    calibration->decisions_max = (uint32_t)decisions;
    calibration->tasks_max = (uint32_t)tasks;
    return true;
}

static bool read_outcome(struct reader *reader, struct sct_trace *trace) {
    char *value = NULL;
    if (!read_field(reader, "outcome", &value))
        return false;
    size_t i = 0;
    // The outcomes behind that one are of searches and of replays, never of something recorded.
    while (i <= SCT_STEP_LIMIT && strcmp(value, outcome_names[i]) != 0)
        i++;
    if (i > SCT_STEP_LIMIT)
        return expected(reader, "'outcome passed', 'outcome violation' or 'outcome step-limit'");
    trace->outcome = (enum sct_outcome)i;
    return trace->outcome != SCT_VIOLATED ||
           (read_name(reader, "kind", trace->kind, sizeof trace->kind) &&
            read_name(reader, "machine", trace->machine, sizeof trace->machine) &&
            read_name(reader, "message", trace->message, sizeof trace->message));
}

static bool read_version(struct reader *reader) {
    char *value = NULL;
    if (!read_field(reader, "mtcheck-trace", &value))
        return false;
    if (!scan_number(&value, 10, SCT_TRACE_VERSION, '\0', &reader->version) || reader->version == 0)
        return expected(reader, "version 1 or 2 of the format ('mtcheck-trace 2')");
    return true;
}

// A line that only some have.
static bool read_binding(struct reader *reader, struct sct_trace *trace) {
    static const char name[] = "binding ";
    // Looked for in the text not yet cut into lines, as the next line is another one without it.
    return strncmp(reader->next, name, sizeof name - 1) != 0 ||
           read_name(reader, "binding", trace->binding, sizeof trace->binding);
}

static bool read_header(struct reader *reader, struct sct_trace *trace) {
    return read_version(reader) && read_name(reader, "model", trace->model, sizeof trace->model) &&
           read_name(reader, "test", trace->test, sizeof trace->test) &&
           read_name(reader, "bug", trace->bug, sizeof trace->bug) && read_binding(reader, trace) &&
           read_number32(reader, "max-steps", SCT_STEPS_LIMIT, &trace->steps_max) &&
           read_name(reader, "strategy", trace->strategy, sizeof trace->strategy) &&
           read_calibration(reader, &trace->calibration) &&
           read_number(reader, "seed", 10, UINT64_MAX, &trace->seed) &&
           read_number(reader, "iteration", 10, UINT64_MAX, &trace->iteration) &&
           read_outcome(reader, trace) &&
           read_number(reader, "fingerprint", 16, UINT64_MAX, &trace->fingerprint) &&
           read_number32(reader, "decisions", UINT32_MAX, &trace->decision_count);
}

static bool scan_kind(char **text, enum sct_decision_kind *kind) {
    for (int i = 0; i <= SCT_DECISION_VALUE; i++) {
        size_t length = strlen(kind_names[i]);
        if (strncmp(*text, kind_names[i], length) == 0 && (*text)[length] == ' ') {
            *text += length + 1;
            *kind = (enum sct_decision_kind)i;
            return true;
        }
    }
    return false;
}

static const char decision_form[] = "'INDEX schedule|value COUNT ANSWER LABEL'";
static const char defaults_form[] = "'INDEX default N: s|vCOUNT LABEL; ...'";

// What stands behind the index in the line of a decision.
static bool read_deviation(struct reader *reader, char *rest, struct sct_decision *decision) {
    uint64_t count = 0, answer = 0;
    *decision = (struct sct_decision){0};
    if (!scan_kind(&rest, &decision->kind) ||
        !scan_number(&rest, 10, SCT_CHOICES_MAX, ' ', &count) ||
        !scan_number(&rest, 10, SCT_CHOICES_MAX, ' ', &answer) || *rest == '\0')
        return expected(reader, decision_form);
    // Checked here, once: a replay hands answers on without a look.
    if (count < 2 || answer >= count)
        return expected(reader, "an answer below the number of alternatives, which is at least 2");
    decision->count = (uint32_t)count;
    decision->answer = (uint32_t)answer;
    decision->label = rest;
    return true;
}

// One decision of a line of defaults, which moves behind it; the last one ends the line.
static bool scan_default(char **text, bool is_last, struct sct_decision *decision) {
    uint64_t count = 0;
    *decision = (struct sct_decision){0};
    if (**text != 's' && **text != 'v')
        return false;
    decision->kind = *(*text)++ == 'v' ? SCT_DECISION_VALUE : SCT_DECISION_SCHEDULE;
    if (!scan_number(text, 10, SCT_CHOICES_MAX, ' ', &count) || count < 2)
        return false;
    decision->count = (uint32_t)count;
    decision->label = *text;
    // No label has one of its own: format_word writes a comma.
    size_t length = strcspn(*text, ";");
    if (length == 0 || is_last)
        return length > 0 && (*text)[length] == '\0';
    if (strncmp(*text + length, "; ", 2) != 0)
        return false;
    (*text)[length] = '\0';
    *text += length + 2;
    return true;
}

// What stands behind "INDEX default"; *[read] becomes the number of decisions.
static bool read_defaults(struct reader *reader, char *rest, uint32_t room,
                          struct sct_decision *decisions, uint32_t *read) {
    uint64_t count = 0;
    if (!scan_number(&rest, 10, SCT_TRACE_DEFAULTS_MAX, ':', &count) || count == 0 ||
        *rest++ != ' ')
        return expected(reader, defaults_form);
    if (count > room)
        return error_set(reader->error,
                         "line %zu: expected at most %" PRIu32 " decisions more, "
                         "found %" PRIu64,
                         reader->number, room, count);
    for (uint64_t i = 0; i < count; i++)
        if (!scan_default(&rest, i + 1 == count, &decisions[i]))
            return expected(reader, defaults_form);
    *read = (uint32_t)count;
    return true;
}

// The next line of decisions, the first of which is number [index] of [count].
static bool read_decision_line(struct reader *reader, uint32_t index, uint32_t count,
                               struct sct_decision *decisions, uint32_t *read) {
    static const char defaults[] = "default ";
    if (!next_line(reader, decision_form))
        return false;
    char *rest = reader->line;
    uint64_t number = 0;
    if (!scan_number(&rest, 10, UINT32_MAX, ' ', &number))
        return expected(reader, decision_form);
    // The index says nothing that counting would not, but a line that is lost or doubled shows at
    // once, with its number.
    if (number != index)
        return error_set(reader->error, "line %zu: expected decision %" PRIu32 ", found %" PRIu64,
                         reader->number, index, number);
    // Traces of version 1 have a line for every decision; they are read for ever.
    if (reader->version > 1 && strncmp(rest, defaults, sizeof defaults - 1) == 0)
        return read_defaults(reader, rest + sizeof defaults - 1, count - index, decisions, read);
    *read = 1;
    return read_deviation(reader, rest, decisions);
}

static bool read_decisions(struct reader *reader, struct sct_trace *trace, size_t length) {
    // Before anything is allocated: a number in a file of a hundred bytes must not ask for
    // gigabytes.
    // The shortest is in a line of defaults: "s2 a" and the character that ends it.
    enum { DECISION_BYTES_MIN = 5 };
    if (trace->decision_count > length / DECISION_BYTES_MIN)
        return error_set(reader->error,
                         "line %zu: expected at most the %zu decisions that a file of "
                         "%zu bytes can hold, found %" PRIu32,
                         reader->number, length / DECISION_BYTES_MIN, length,
                         trace->decision_count);
    trace->decisions = grow_to(NULL, trace->decision_count, sizeof *trace->decisions, memory_name);
    for (uint32_t i = 0, read = 0; i < trace->decision_count; i += read)
        if (!read_decision_line(reader, i, trace->decision_count, &trace->decisions[i], &read))
            return false;
    return true;
}

static bool read_checksum(struct reader *reader, uint64_t actual) {
    uint64_t stated = 0;
    if (!read_number(reader, "checksum", 16, UINT64_MAX, &stated))
        return false;
    // All digits, so that nothing can be cut off unseen at the very end.
    if (strlen(reader->line) != strlen("checksum 0123456789abcdef"))
        return expected(reader, "a checksum of 16 digits");
    if (stated != actual)
        return error_set(reader->error,
                         "line %zu: wrong checksum: expected %016" PRIx64 ", found %016" PRIx64
                         " (the file was changed)",
                         reader->number, actual, stated);
    if (*reader->next)
        return error_set(reader->error, "line %zu: expected the end of the file after the checksum",
                         reader->number + 1);
    return true;
}

// The hash of everything before the last line, taken before the lines are cut up.
static uint64_t checksum_of(const char *text, size_t length) {
    size_t end = length;
    if (end > 0)
        end--; // the last line's newline
    while (end > 0 && text[end - 1] != '\n')
        end--;
    return hash_bytes(text, end);
}

// The line in which the first NUL byte of [text] stands.
static size_t first_nul_line(const char *text) {
    size_t line = 1;
    for (; *text; text++)
        line += *text == '\n';
    return line;
}

bool sct_trace_parse(char *text, size_t length, struct sct_trace *trace, struct error *error) {
    *trace = (struct sct_trace){.storage = text};
    struct reader reader = {.next = text, .error = error};
    uint64_t checksum = checksum_of(text, length);
    // Functions on strings would take the text to end there, and pass what is behind it.
    if (memchr(text, '\0', length))
        return error_set(error, "line %zu: expected text, found a NUL byte", first_nul_line(text));
    return read_header(&reader, trace) && read_decisions(&reader, trace, length) &&
           read_checksum(&reader, checksum);
}
