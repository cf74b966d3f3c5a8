#include "harness/table/retell.h"

#include <string.h>

// A piece of a note.
struct piece {
    const char *data;
    int length;
};

static struct piece piece_to(const char *begin, const char *end) {
    return (struct piece){begin, (int)(end - begin)};
}

// What [note] says without the place in the source at its end.
// The last one: an argument may have such characters in it.
static const char *end_of(const char *note) {
    const char *end = strstr(note, "   (");
    for (const char *next = end; next; next = strstr(next + 1, "   ("))
        end = next;
    return end ? end : note + strlen(note);
}

static bool begins(const char *text, const char *word) {
    return strncmp(text, word, strlen(word)) == 0;
}

// "WHAT ARGUMENTS -> ANSWER": the two parts behind WHAT.
static void cut(const char *rest, const char *end, struct piece *arguments, struct piece *answer) {
    const char *arrow = strstr(rest, " -> ");
    if (!arrow || arrow > end) {
        *arguments = piece_to(rest, end);
        *answer = piece_to(end, end);
        return;
    }
    *arguments = piece_to(rest, arrow);
    *answer = piece_to(arrow + 4, end);
}

// The calls to the backend tables: label, words before the arguments, words before the answer.
static const struct backend_call {
    const char *label, *before, *between;
    bool is_write;
} backend_calls[] = {
    {"old.execute ", "writes to the old table: ", " -> ", true},
    {"new.execute ", "writes to the new table: ", " -> ", true},
    {"old.query ", "asks the old table for ", ", gets ", false},
    {"new.query ", "asks the new table for ", ", gets ", false},
    {"old.open-stream ", "opens a stream of the old table, ", " -> ", false},
    {"new.open-stream ", "opens a stream of the new table, ", " -> ", false},
    {"old.read-stream", "reads on in the old table's stream", ", gets ", false},
    {"new.read-stream", "reads on in the new table's stream", ", gets ", false},
    {"control.execute ", "writes to the control table: ", " -> ", true},
    {"control.query ", "asks the control table for ", ", gets ", false},
    {"table.execute ", "writes to the table: ", " -> ", true},
    {"table.query ", "asks the table for ", ", gets ", false},
    {"table.open-stream ", "opens a stream of the table, ", " -> ", false},
    {"table.read-stream", "reads on in its stream", ", gets ", false},
};

static enum retold retell_backend_call(struct text *text, const struct backend_call *call,
                                       const char *note) {
    struct piece arguments, answer;
    cut(note + strlen(call->label), end_of(note), &arguments, &answer);
    text_add(text, "%s%.*s", call->before, arguments.length, arguments.data);
    if (answer.length > 0) // else it was not made yet
        text_add(text, "%s%.*s", call->between, answer.length, answer.data);
    return call->is_write ? RETOLD_ACT : RETOLD_DETAIL;
}

// What needs other words only at its beginning.
static const struct {
    enum sct_note_class about;
    const char *note, *words;
    enum retold weight;
} beginnings[] = {
    {SCT_NOTE_POINT, "annotation -> LINEARIZATION POINT; the reference table: ",
     "there its call takes effect; the reference table says ", RETOLD_ACT},
    {SCT_NOTE_PLAIN, "annotation -> the ETag of ",
     "tells the checker that without a visible change the ETag of ", RETOLD_ACT},
    {SCT_NOTE_PLAIN, "annotation -> ", NULL, RETOLD_NOTHING},
    {SCT_NOTE_CALL, "calls ", "begins to ", RETOLD_ACT},
    {SCT_NOTE_STATE, "pushes ", "announces ", RETOLD_ACT},
    {SCT_NOTE_STATE, "receives ", "takes the configuration ", RETOLD_ACT},
};

enum retold table_retell(struct text *text, enum sct_note_class about, const char *note) {
    const char *colon = begins(note, "for ") ? strstr(note, ": ") : NULL;
    if (colon) { // the tables' machine serves somebody
        text_add(text, "%.*s", (int)(colon + 2 - note), note);
        note = colon + 2;
    }
    // Linear: only who reads a report waits for it.
    for (size_t i = 0; i < sizeof backend_calls / sizeof backend_calls[0]; i++)
        if (begins(note, backend_calls[i].label))
            return retell_backend_call(text, &backend_calls[i], note);
    const char *end = end_of(note);
    // In order: "annotation -> " alone is what is left of those that say more.
    for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++) {
        const char *rest = note + strlen(beginnings[i].note);
        if (about != beginnings[i].about || !begins(note, beginnings[i].note))
            continue;
        if (beginnings[i].words)
            text_add(text, "%s%.*s", beginnings[i].words, (int)(end - rest), rest);
        return beginnings[i].weight;
    }
    text_add(text, "%.*s", (int)(end - note), note);
    return RETOLD_ACT;
}

const struct term table_steps[] = {
    {"lock", "takes a lock"},
    {"push", "sends the new state to all machines"},
    {"old.execute", "writes to the old table"},
    {"new.execute", "writes to the new table"},
    {"old.query", "asks the old table"},
    {"new.query", "asks the new table"},
    {"old.open-stream", "opens a stream of the old table"},
    {"new.open-stream", "opens a stream of the new table"},
    {"old.read-stream", "reads on in the old table's stream"},
    {"new.read-stream", "reads on in the new table's stream"},
    {"control.execute", "writes to the control table"},
    {"control.query", "asks the control table"},
    {"fence", "waits for what is under way in a table"},
    {"table.execute", "writes to the table"},
    {"table.query", "asks the table"},
    {"table.open-stream", "opens a stream of the table"},
    {"table.read-stream", "reads on in its stream"},
    {"annotation", "tells the checker about its last call"},
    {"reference.rows", "looks at the rows of the reference"},
    {"reference.revision", "notes which version of the reference is the present one"},
    {"reference.is-valid", "has its stream's answer checked"},
    {NULL, NULL},
};
