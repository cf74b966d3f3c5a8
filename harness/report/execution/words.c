#include "harness/report/execution/report.h"
#include "harness/report/output.h"
#include "harness/report/plain.h"

#include <string.h>

const char *report_note_word(enum sct_note_class note) {
    static const char *const words[] = {
        [SCT_NOTE_PLAIN] = "note",    [SCT_NOTE_CALL] = "call",
        [SCT_NOTE_RETURN] = "return", [SCT_NOTE_POINT] = "point",
        [SCT_NOTE_STATE] = "state",   [SCT_NOTE_CHECK] = "check",
        [SCT_NOTE_FAULT] = "fault",   [SCT_NOTE_EXPECTED] = "expected",
        [SCT_NOTE_ACTUAL] = "actual", [SCT_NOTE_EVIDENCE] = "evidence",
        [SCT_NOTE_CHOICE] = "choice"};
    ASSERT((size_t)note < sizeof words / sizeof words[0]);
    return words[note];
}

static bool begins_call_of(const struct story *story, const struct story_step *step,
                           const char *machine) {
    for (uint32_t i = 0; i < step->item_count; i++) {
        const struct story_item *item = &story->items[step->first_item + i];
        if (item->kind == SCT_EVENT_NOTE && item->note == SCT_NOTE_CALL &&
            strcmp(story->machines[item->machine], machine) == 0)
            return true;
    }
    return false;
}

uint32_t report_beginning(const struct story *story) {
    if (story->outcome != SCT_VIOLATED)
        return 0;
    for (uint32_t i = story->step_count; i-- > 0;)
        if (begins_call_of(story, &story->steps[i], story->violation.machine))
            return i;
    return 0;
}

void report_paths(FILE *out, int width, const char *path, struct report_call call) {
    char plain_path[2 * REPORT_PATH_MAX], word[2 * REPORT_PATH_MAX];
    struct text plain_text = text_in(plain_path, sizeof plain_path);
    struct text word_text = text_in(word, sizeof word);
    plain_add(&plain_text, path);
    plain_add_word(&word_text, path);
    fprintf(out, "  %-*s %s\n", width, "trace", plain_path);
    fprintf(out, "  %-*s %s --replay %s --verbose%s\n", width, "replay", call.command, word,
            report_call_end(call));
}
