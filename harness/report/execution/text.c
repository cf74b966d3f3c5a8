// The story as text for a terminal: what was expected and what came, the last steps with a column
// for each machine and what they changed, where everyone stands.
#include "harness/report/plain.h"
#include "harness/report/execution/report.h"
#include "harness/report/execution/symbols.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    LAST_STEPS = 12,    // told unless everything is
    CELL_LINES_MAX = 4, // of what a machine says in a step
    NUMBER_COLUMNS = 6,
    LINES_MAX = 200, // of expected or actual
};

struct printer {
    FILE *out;
    const struct report_text_options *options;
    const struct story *story;
};

enum style { PLAIN, BOLD, RED, GREEN, YELLOW, DIM };

static const char *code(const struct printer *printer, enum style style) {
    static const char *const codes[] = {
        [PLAIN] = "\033[0m",  [BOLD] = "\033[1m",    [RED] = "\033[31m",
        [GREEN] = "\033[32m", [YELLOW] = "\033[33m", [DIM] = "\033[2m"};
    return printer->options->use_color ? codes[style] : "";
}

// Counts characters, not bytes: continuation bytes of UTF-8 take no column.
static size_t columns_of(const char *text, size_t bytes) {
    size_t columns = 0;
    for (size_t i = 0; i < bytes; i++)
        columns += ((unsigned char)text[i] & 0xc0) != 0x80;
    return columns;
}

// The bytes of the first line of [text] in [width] columns: broken at a space if there is a late
// one.
static size_t line_bytes(const char *text, size_t width) {
    size_t bytes = 0, columns = 0, space = 0;
    for (; text[bytes]; bytes++) {
        bool is_start = ((unsigned char)text[bytes] & 0xc0) != 0x80;
        if (is_start && columns == width)
            // Not at a space in the first third: that would leave most of the line empty.
            return space > bytes / 3 ? space : bytes;
        columns += is_start;
        if (text[bytes] == ' ')
            space = bytes;
    }
    return bytes;
}

static void print_spaces(const struct printer *printer, size_t count) {
    fprintf(printer->out, "%*s", (int)count, "");
}

// [text] in [style], wrapped at the width; all lines but the first are indented.
static void print_wrapped(const struct printer *printer, size_t indent, enum style style,
                          const char *text) {
    size_t width = printer->options->width > indent + 20 ? printer->options->width - indent : 20;
    fputs(code(printer, style), printer->out);
    do {
        size_t bytes = line_bytes(text, width);
        plain_print(printer->out, text, bytes);
        fprintf(printer->out, "%s\n", text[bytes] ? "" : code(printer, PLAIN));
        text += bytes;
        text += strspn(text, " ");
        if (*text)
            print_spaces(printer, indent);
    } while (*text);
}

// ---- Expected and actual -----------------------------------------------------------------------

struct lines {
    const char *lines[LINES_MAX];
    size_t count;
};

static struct lines lines_of(const struct story *story, enum sct_note_class note) {
    struct lines lines = {.count = 0};
    for (uint32_t i = 0; i < story->item_count && lines.count < LINES_MAX; i++)
        if (story->items[i].kind == SCT_EVENT_NOTE && story->items[i].note == note)
            lines.lines[lines.count++] = story->items[i].text;
    return lines;
}

static void print_line(const struct printer *printer, char sign, enum style style,
                       const char *line) {
    fprintf(printer->out, "    %s%c ", code(printer, style), sign);
    print_wrapped(printer, 6, style, line);
}

// [common][i][j]: how many lines the rests from i and j on have in common, in order.
// The longest common subsequence by its table: quadratic in the lines, of which there are LINES_MAX
// at most. [static], for the table has 80 KB.
static void print_diff(const struct printer *printer, const struct lines *expected,
                       const struct lines *actual) {
    static uint16_t common[LINES_MAX + 1][LINES_MAX + 1];
    memset(common, 0, sizeof common);
    for (size_t i = expected->count; i-- > 0;)
        for (size_t j = actual->count; j-- > 0;) {
            uint16_t down = common[i + 1][j], right = common[i][j + 1];
            common[i][j] = strcmp(expected->lines[i], actual->lines[j]) == 0
                               ? (uint16_t)(common[i + 1][j + 1] + 1)
                               : (down > right ? down : right);
        }
    size_t i = 0, j = 0;
    while (i < expected->count || j < actual->count) {
        bool has_both = i < expected->count && j < actual->count;
        if (has_both && strcmp(expected->lines[i], actual->lines[j]) == 0) {
            print_line(printer, ' ', DIM, expected->lines[i]);
            i++, j++;
        } else if (j == actual->count || (has_both && common[i + 1][j] >= common[i][j + 1])) {
            print_line(printer, '-', GREEN, expected->lines[i++]);
        } else {
            print_line(printer, '+', RED, actual->lines[j++]);
        }
    }
}

static void print_expectation(const struct printer *printer) {
    struct lines expected = lines_of(printer->story, SCT_NOTE_EXPECTED);
    struct lines actual = lines_of(printer->story, SCT_NOTE_ACTUAL);
    if (expected.count + actual.count == 0)
        return;
    fprintf(printer->out, "  expected (-) and actual (+)\n");
    print_diff(printer, &expected, &actual);
}

static void print_evidence(const struct printer *printer) {
    struct lines evidence = lines_of(printer->story, SCT_NOTE_EVIDENCE);
    for (size_t i = 0; i < evidence.count; i++)
        print_line(printer, '-', PLAIN, evidence.lines[i]);
}

// ---- Steps -------------------------------------------------------------------------------------

// The machines with steps from [first] on get columns, in order of their numbers.
struct columns {
    uint32_t machines[STORY_MACHINES_MAX];
    size_t count;
    size_t width; // of each
};

static struct columns columns_from(const struct printer *printer, uint32_t first) {
    const struct story *story = printer->story;
    struct columns columns = {.count = 0};
    for (uint32_t m = 0; m < story->machine_count; m++) {
        bool acts = false;
        for (uint32_t i = first; i < story->step_count && !acts; i++)
            acts = story->steps[i].machine == m;
        if (acts)
            columns.machines[columns.count++] = m;
    }
    size_t width = printer->options->width > NUMBER_COLUMNS + 2
                       ? printer->options->width - NUMBER_COLUMNS - 2
                       : 20;
    columns.width = columns.count ? width / columns.count - 2 : 0;
    if (columns.width < 16)
        columns.width = 16;
    return columns;
}

static bool is_worth_telling(const struct story_item *item) {
    return item->kind == SCT_EVENT_NOTE && item->note != SCT_NOTE_CHECK &&
           item->note != SCT_NOTE_EXPECTED && item->note != SCT_NOTE_ACTUAL &&
           item->note != SCT_NOTE_EVIDENCE && item->note != SCT_NOTE_CHOICE;
}

// What the step says, as one text: the place in the source at the end of notes is left out.
static void describe_step(const struct story *story, const struct story_step *step,
                          struct text *text) {
    bool is_told = false;
    for (uint32_t i = 0; i < step->item_count; i++) {
        const struct story_item *item = &story->items[step->first_item + i];
        const char *place = strstr(item->text, "   (");
        if (!is_worth_telling(item))
            continue;
        size_t length = place ? (size_t)(place - item->text) : strlen(item->text);
        text_add(text, "%s%.*s", is_told ? "\n" : "", (int)length, item->text);
        is_told = true;
    }
    if (!is_told)
        text_add(text, "%s", step->label);
}

// One paragraph in one machine's column.
static void print_cell(const struct printer *printer, size_t indent, size_t width,
                       const char *number, const char *text) {
    for (int line = 0; *text; line++) {
        size_t bytes = line_bytes(text, width);
        bool is_cut = line == CELL_LINES_MAX - 1 && text[bytes] && !printer->options->shows_all;
        if (is_cut)
            bytes = line_bytes(text, width - 3);
        fprintf(printer->out, "%*s", NUMBER_COLUMNS, line == 0 ? number : "");
        print_spaces(printer, 2 + indent);
        plain_print(printer->out, text, bytes);
        fprintf(printer->out, "%s\n", is_cut ? "..." : "");
        if (is_cut)
            return;
        text += bytes;
        text += strspn(text, " ");
    }
}

// The row of [view] with the same key as row [r] of [other], or NULL.
// Linear: tables of a test have a few rows.
static const char **same_row(const struct story_panel *panel, const struct story_view *view,
                             const struct story_view *other, uint32_t r) {
    const char **wanted = &other->cells[r * panel->column_count];
    for (uint32_t i = 0; i < view->row_count; i++) {
        const char **row = &view->cells[i * panel->column_count];
        bool is_same = true;
        for (size_t c = 0; c < panel->form->key_count; c++)
            is_same = is_same && strcmp(row[c], wanted[c]) == 0;
        if (is_same)
            return row;
    }
    return NULL;
}

static bool is_same_row(const struct story_panel *panel, const char **a, const char **b) {
    for (uint32_t c = 0; c < panel->column_count; c++)
        if (strcmp(a[c], b[c]) != 0)
            return false;
    return true;
}

static void print_row(const struct printer *printer, const struct story_panel *panel, char sign,
                      enum style style, const char **row) {
    char buffer[3000];
    struct text text = text_in(buffer, sizeof buffer);
    for (uint32_t c = 0; c < panel->column_count; c++)
        if (*row[c])
            text_add(&text, "%s%s", text.length ? "  " : "", row[c]);
    print_spaces(printer, NUMBER_COLUMNS + 2);
    fprintf(printer->out, "%s%c %s: ", code(printer, style), sign, panel->form->name);
    print_wrapped(printer, NUMBER_COLUMNS + 6 + strlen(panel->form->name), style, text.data);
}

static void print_panel_changes(const struct printer *printer, const struct story_panel *panel,
                                const struct story_view *before, const struct story_view *after) {
    for (uint32_t r = 0; r < before->row_count; r++)
        if (!same_row(panel, after, before, r))
            print_row(printer, panel, '-', RED, &before->cells[r * panel->column_count]);
    for (uint32_t r = 0; r < after->row_count; r++) {
        const char **row = &after->cells[r * panel->column_count];
        const char **old = same_row(panel, before, after, r);
        if (!old)
            print_row(printer, panel, '+', GREEN, row);
        else if (!is_same_row(panel, old, row))
            print_row(printer, panel, '~', YELLOW, row);
    }
}

static void print_changes(const struct printer *printer, uint32_t index) {
    const struct story *story = printer->story;
    const struct story_step *before = &story->steps[index - 1], *after = &story->steps[index];
    if (!before->views || !after->views)
        return;
    for (uint32_t p = 0; p < story->panel_count; p++) {
        const struct story_panel *panel = &story->panels[p];
        // A view is kept when it differs from the one before: the same number is the same content.
        if (panel->form->kind != PANEL_ASIDE && before->views[p] != after->views[p])
            print_panel_changes(printer, panel, &panel->views[before->views[p]],
                                &panel->views[after->views[p]]);
    }
}

static void print_step(const struct printer *printer, const struct columns *columns,
                       uint32_t index) {
    const struct story *story = printer->story;
    const struct story_step *step = &story->steps[index];
    char buffer[6000], number[32];
    struct text text = text_in(buffer, sizeof buffer);
    size_t column = 0;
    while (columns->machines[column] != step->machine)
        column++;
    describe_step(story, step, &text);
    snprintf(number, sizeof number, "%" PRIu32, step->decision);
    const char *part = buffer;
    while (part) {
        char *end = strchr(part, '\n');
        if (end)
            *end = '\0';
        print_cell(printer, column * (columns->width + 2), columns->width,
                   part == buffer ? number : "", part);
        part = end ? end + 1 : NULL;
    }
    if (index > 0)
        print_changes(printer, index);
}

static void print_steps(const struct printer *printer) {
    const struct story *story = printer->story;
    bool is_short = !printer->options->shows_all && story->step_count > LAST_STEPS;
    uint32_t first = is_short ? story->step_count - LAST_STEPS : 0;
    struct columns columns = columns_from(printer, first);
    if (story->step_count == 0)
        return;
    if (is_short)
        fprintf(printer->out, "the last %d of %" PRIu32 " steps (--verbose: all)\n", LAST_STEPS,
                story->step_count + story->skipped_steps);
    else
        fprintf(printer->out, "all steps\n");
    fprintf(printer->out, "%s%*s  ", code(printer, BOLD), NUMBER_COLUMNS, "dec.");
    for (size_t i = 0; i < columns.count; i++)
        fprintf(printer->out, "%-*s%s", i + 1 < columns.count ? (int)columns.width + 2 : 0,
                story->machines[columns.machines[i]], i + 1 < columns.count ? "" : "\n");
    fputs(code(printer, PLAIN), printer->out);
    for (uint32_t i = first; i < story->step_count; i++)
        print_step(printer, &columns, i);
}

// ---- Where everyone stands ---------------------------------------------------------------------

// The last call that [machine] has begun, whether it has returned or not.
static const char *last_call(const struct story *story, const char *machine) {
    for (uint32_t i = story->item_count; i-- > 0;) {
        const struct story_item *item = &story->items[i];
        if (item->kind != SCT_EVENT_NOTE || strcmp(story->machines[item->machine], machine) != 0)
            continue;
        if (item->note == SCT_NOTE_CALL)
            return item->text;
    }
    return NULL;
}

static void describe_place(const struct story_place *place, struct text *text) {
    if (place->was_running)
        text_add(text, "was running");
    else if (place->is_idle)
        text_add(text, "waits for messages");
    else if (place->waits_for)
        text_add(text, "waits for %s", place->waits_for);
    else
        text_add(text, "could go on with %s", *place->label ? place->label : "its step");
    if (place->where && !place->was_running)
        text_add(text, ", at %s", place->where);
}

static void print_place(const struct printer *printer, const struct symbols *symbols,
                        const struct story_place *place) {
    char buffer[1500];
    struct text text = text_in(buffer, sizeof buffer);
    text_add(&text, "  %-11s ", place->machine);
    size_t indent = columns_of(buffer, text.length);
    text_add(&text, "%s: ", place->name);
    describe_place(place, &text);
    char calls[400];
    struct text calls_text = text_in(calls, sizeof calls);
    symbols_calls(symbols, place->frames, place->frame_count, printer->options->shows_all ? 16 : 4,
                  &calls_text);
    if (calls_text.length)
        text_add(&text, ", in %s", calls);
    print_wrapped(printer, indent, PLAIN, buffer);
}

static void print_calls(const struct printer *printer) {
    const struct story *story = printer->story;
    bool has_title = false;
    for (uint32_t m = 0; m < story->machine_count; m++) {
        const char *call = last_call(story, story->machines[m]);
        if (!call)
            continue;
        if (!has_title)
            fprintf(printer->out, "the last call of each machine\n");
        has_title = true;
        char buffer[2200];
        struct text text = text_in(buffer, sizeof buffer);
        text_add(&text, "  %-11s %s", story->machines[m], call);
        print_wrapped(printer, 14, PLAIN, buffer);
    }
}

static void print_places(const struct printer *printer, const struct symbols *symbols) {
    const struct story *story = printer->story;
    if (story->place_count > 0)
        fprintf(printer->out, "where everyone stands\n");
    for (uint32_t i = 0; i < story->place_count; i++)
        print_place(printer, symbols, &story->places[i]);
}

static bool is_fault(const char *kind) {
    return strcmp(kind, SCT_KIND_CRASH) == 0 || strcmp(kind, SCT_KIND_HANG) == 0 ||
           strcmp(kind, SCT_KIND_STACK_OVERFLOW) == 0 || strcmp(kind, SCT_KIND_ASSERTION) == 0;
}

static void print_backtrace(const struct printer *printer, const struct symbols *symbols) {
    const struct sct_violation *violation = &printer->story->violation;
    if (printer->story->outcome != SCT_VIOLATED || violation->frame_count == 0 ||
        !is_fault(violation->kind))
        return;
    fprintf(printer->out, "  backtrace\n");
    uint32_t number = 0;
    for (uint32_t i = 0; i < violation->frame_count; i++) {
        const char *name = symbols_name(symbols, violation->frames[i]);
        if (name || !symbols_are_described())
            fprintf(printer->out, "    #%-2" PRIu32 " %s\n", number++, name ? name : "?");
    }
}

void report_write_text(FILE *out, const struct report_text_options *options,
                       const struct story *story) {
    struct printer printer = {out, options, story};
    struct symbols *symbols = symbols_open();
    print_expectation(&printer);
    print_evidence(&printer);
    print_backtrace(&printer, symbols);
    print_steps(&printer);
    print_calls(&printer);
    print_places(&printer, symbols);
    symbols_close(symbols);
}
