#define _GNU_SOURCE // dladdr, asprintf
#include "core/base/grow.h"
#include "core/posix/places.h"
#include "core/posix/aside.h"
#include "core/base/assert.h"
#include "core/posix/images.h"
#include "core/posix/inspect.h"
#include "core/posix/symbols.h"
#include "core/posix/world.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- A table of texts --------------------------------------------------------------------------

// By an address and what is asked of it; open addressing, at most half full.
struct entry {
    uintptr_t address;
    const void *question; // tells the kinds of text apart; NULL: free
    const char *text;     // NULL: there is none
};

static struct entry *entries;
static size_t capacity, count;

static struct entry *slot_of(struct entry *table, size_t size, uintptr_t address,
                             const void *question) {
    // A question is the address of a constant: texts of one kind share it, and no two kinds do.
    uint64_t hash = (address ^ (uintptr_t)question << 7) * UINT64_C(0x9e3779b97f4a7c15);
    size_t at = (size_t)(hash >> 20) & (size - 1);
    while (table[at].question && (table[at].address != address || table[at].question != question))
        at = (at + 1) & (size - 1);
    return &table[at];
}

static void grow(void) {
    ASSERT(posix_world.in_tool > 0); // calloc is the tester's
    size_t size = capacity ? 2 * capacity : 4096;
    struct entry *table = calloc(size, sizeof *table);
    if (!table)
        grow_failed(size * sizeof *table, "names of places");
    for (size_t i = 0; i < capacity; i++)
        if (entries[i].question)
            *slot_of(table, size, entries[i].address, entries[i].question) = entries[i];
    free(entries);
    entries = table;
    capacity = size;
}

// Makes the text for [address]; allocated, or NULL.
typedef char *describer(uintptr_t address, const void *question, const void *context);

// A text that is not there yet.
struct making {
    uintptr_t address;
    const void *question, *context;
    describer *describe;
    const char *text;
};

static void make_text(void *argument) {
    struct making *making = argument;
    if (2 * count >= capacity)
        grow();
    ASSERT(count < capacity);
    // Before the slot is looked for: to describe one address may ask for others, and grow the
    // table.
    char *text = making->describe(making->address, making->question, making->context);
    struct entry *entry = slot_of(entries, capacity, making->address, making->question);
    ASSERT(!entry->question); // what describes has asked for nothing of the same kind
    *entry = (struct entry){making->address, making->question, text};
    count++;
    making->text = text;
}

// Outside of control: what describes addresses opens files and allocates.
__attribute__((noinline, cold)) static const char *make(uintptr_t address, const void *question,
                                                        describer *describe, const void *context) {
    struct making making = {address, question, context, describe, NULL};
    ASSERT(question && describe);
    posix_enter_tool();
    posix_aside(make_text, &making);
    posix_leave_tool();
    return making.text;
}

static inline const char *look_up(uintptr_t address, const void *question, describer *describe,
                                  const void *context) {
    if (capacity > 0) {
        const struct entry *entry = slot_of(entries, capacity, address, question);
        if (entry->question)
            return entry->text;
    }
    return make(address, question, describe, context);
}

static char *format(const char *pattern, ...) __attribute__((format(printf, 1, 2)));
static char *format(const char *pattern, ...) {
    ASSERT(posix_world.in_tool > 0);
    char *text;
    va_list arguments;
    va_start(arguments, pattern);
    int length = vasprintf(&text, pattern, arguments);
    va_end(arguments);
    if (length < 0)
        grow_failed(0, "a name");
    return text;
}

// ---- Code --------------------------------------------------------------------------------------

static const char place_question[] = "place", function_question[] = "function",
                  variable_question[] = "variable";

// ---- Source ------------------------------------------------------------------------------------

// Where the text of each place comes from.
struct place_source {
    const char *place, *path;
    int line;
    char *text; // once it was asked for
    bool is_read;
};

static struct place_source *sources;
static uint32_t source_count, source_room;

static void remember_source(const char *place, const struct posix_source *source) {
    ASSERT(place && source->path);
    GROW(sources, source_count + 1, source_room, "places");
    sources[source_count++] =
        (struct place_source){.place = place, .path = source->path, .line = source->line};
}

// Without the white space around it.
static char *read_line(const char *path, int number) {
    ASSERT(posix_world.in_tool > 0); // the file is none of the program's
    // From its begin, each time: only lines that a page shows are asked for, once each.
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    ssize_t length = 0;
    for (int i = 0; file && i < number && length >= 0; i++)
        length = getline(&line, &room, file);
    if (file)
        fclose(file);
    if (!file || length <= 0) {
        free(line);
        return NULL;
    }
    while (length > 0 && isspace((unsigned char)line[length - 1]))
        line[--length] = '\0';
    size_t indent = strspn(line, " \t");
    memmove(line, line + indent, (size_t)length - indent + 1);
    return line;
}

const char *posix_source_line(const char *place) {
    ASSERT(place);
    for (uint32_t i = 0; i < source_count; i++) {
        struct place_source *source = &sources[i];
        if (strcmp(source->place, place) != 0)
            continue;
        posix_enter_tool();
        if (!source->is_read)
            source->text = read_line(source->path, source->line);
        posix_leave_tool();
        source->is_read = true; // also if it cannot be: it is tried once
        return source->text;
    }
    return NULL;
}

static char *describe_place(uintptr_t address, const void *question, const void *context) {
    (void)question;
    (void)context;
    // A return address is that of the next instruction, which may be of another line, or, behind a
    // call that does not return, of another function.
    uintptr_t inside = address - 1;
    ASSERT(address > 0);
    struct posix_source source;
    uintptr_t offset;
    const char *function = posix_symbol(inside, &offset);
    // Without lines: the offset in the file, which is the same wherever the file was loaded.
    if (!posix_source_of(inside, &source)) {
        const char *object = posix_object_name(inside, &offset);
        return function ? format("%s (%s)", object, function)
                        : format("%s+0x%" PRIxPTR, object, offset);
    }
    function = source.function ? source.function : function;
    char *place = function ? format("%s:%d (%s)", source.file, source.line, function)
                           : format("%s:%d", source.file, source.line);
    remember_source(place, &source);
    return place;
}

const char *posix_place(const void *code) {
    return look_up((uintptr_t)code, place_question, describe_place, NULL);
}

const char *posix_call(const void *code) {
    return posix_is_system_code(code) ? NULL : posix_place(code);
}

static char *describe_function(uintptr_t address, const void *question, const void *context) {
    (void)question;
    (void)context;
    uintptr_t offset;
    const char *name = posix_symbol(address, &offset);
    return format("%s", name ? name : "thread");
}

const char *posix_function(const void *code) {
    return look_up((uintptr_t)code, function_question, describe_function, NULL);
}

// ---- Variables ---------------------------------------------------------------------------------

static char *describe_variable(uintptr_t address, const void *question, const void *context) {
    (void)question;
    (void)context;
    uintptr_t offset;
    const char *name =
        posix_is_static((const void *)address) ? posix_symbol(address, &offset) : NULL;
    if (!name)
        return NULL;
    return offset ? format("%s+%" PRIuPTR, name, offset) : format("%s", name);
}

const char *posix_variable(const void *address) {
    // What has no symbol is not remembered: there would be no end to it.
    if (!posix_is_static(address))
        return NULL;
    return look_up((uintptr_t)address, variable_question, describe_variable, NULL);
}

static char *describe_step(uintptr_t address, const void *question, const void *name) {
    (void)address;
    return format("%s %s", (const char *)question, (const char *)name);
}

// The verb is the question: what a step on a variable is called is looked up once for each verb.
const char *posix_step(const char *verb, const void *address, const char *otherwise) {
    ASSERT(verb && otherwise);
    const char *name = posix_variable(address);
    if (name)
        return look_up((uintptr_t)address, verb, describe_step, name);
    // By the address of the constant: one text for all of the heap, where each block's own would
    // have no end.
    return look_up((uintptr_t)otherwise, verb, describe_step, otherwise);
}

static char *describe_number(uintptr_t number, const void *question, const void *context) {
    (void)context;
    ASSERT(number > 0);
    return number == 1 ? format("%s", (const char *)question)
                       : format("%s-%" PRIuPTR, (const char *)question, number);
}

const char *posix_numbered(const char *name, uint32_t number) {
    // A number in the place of the address, as the name is a question of its own: one table has
    // them all.
    return look_up(number, name, describe_number, NULL);
}
