// Answers are compared field by field: an error by its kind, status and operation, never its text.
#include "harness/migrating/answers.h"
#include "core/engine/machine.h"
#include "harness/table/describe.h"
#include "harness/table/kinds.h"
#include "model/table/row.h"

bool answer_same_results(const struct ct_op_result *a, const struct ct_op_result *b, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (a[i].status != b[i].status || !ct_string_equal(a[i].etag, b[i].etag) ||
            !ct_row_equal(a[i].entity, b[i].entity))
            return false;
    return true;
}

static bool same_rows(struct ct_rows a, struct ct_rows b) {
    if (a.count != b.count)
        return false;
    for (size_t i = 0; i < a.count; i++)
        if (!ct_row_equal(a.rows[i], b.rows[i]))
            return false;
    return true;
}

static bool same_error(struct ct_outcome a, struct ct_outcome b) {
    return a.kind == b.kind && a.status == b.status && a.op_index == b.op_index;
}

static void describe(struct text *text, const struct call_record *call,
                     const struct answer *answer) {
    if (answer->outcome.kind != CT_SUCCEEDED) {
        describe_outcome(text, answer->outcome, NULL, 0);
    } else if (call->kind == CALL_QUERY) {
        describe_rows(text, answer->rows);
    } else {
        describe_outcome(text, answer->outcome, answer->results, call->batch.count);
        for (size_t i = 0; i < call->batch.count; i++) {
            text_add(text, " ");
            describe_row(text, answer->results[i].entity);
        }
    }
}

bool answer_same(const struct call_record *call, const struct answer *a, const struct answer *b) {
    if (a->outcome.kind != CT_SUCCEEDED || b->outcome.kind != CT_SUCCEEDED)
        return same_error(a->outcome, b->outcome);
    if (call->kind == CALL_QUERY)
        return same_rows(a->rows, b->rows);
    return answer_same_results(a->results, b->results, call->batch.count);
}

static void note(enum sct_note_class about, const struct call_record *call,
                 const struct answer *answer) {
    char buffer[2000];
    struct text text = text_in(buffer, sizeof buffer);
    if (answer->outcome.kind == CT_SUCCEEDED && call->kind == CALL_QUERY) {
        note_rows(about, answer->rows);
        return;
    }
    bool has_results = answer->outcome.kind == CT_SUCCEEDED;
    describe_outcome(&text, answer->outcome, NULL, 0);
    sct_note_as(about, "%s", buffer);
    for (size_t i = 0; has_results && i < call->batch.count; i++) {
        text = text_in(buffer, sizeof buffer);
        text_add(&text, "%d etag %s ", (int)answer->results[i].status,
                 answer->results[i].etag ? answer->results[i].etag : "none");
        describe_row(&text, answer->results[i].entity);
        sct_note_as(about, "%s", buffer);
    }
}

void answer_report_mismatch(const struct call_record *call, const struct answer *actual,
                            const struct answer *expected) {
    char got[DESCRIPTION_BYTES], wanted[DESCRIPTION_BYTES];
    struct text got_text = text_in(got, sizeof got);
    struct text wanted_text = text_in(wanted, sizeof wanted);
    describe(&got_text, call, actual);
    describe(&wanted_text, call, expected);
    if (sct_narrating()) {
        note(SCT_NOTE_EXPECTED, call, expected);
        note(SCT_NOTE_ACTUAL, call, actual);
    }
    sct_violation(KIND_OUTCOME_MISMATCH, "a %s returned %s; the reference table says %s",
                  call->kind == CALL_QUERY ? "query" : "batch", got, wanted);
}

// Not inlined: the buffer would lie beneath the whole call, and searches copy stacks.
__attribute__((noinline, cold)) void answer_note_return(const struct call_record *call,
                                                        const struct answer *answer) {
    char buffer[2000];
    struct text text = text_in(buffer, sizeof buffer);
    describe(&text, call, answer);
    sct_note_as(SCT_NOTE_RETURN, "its call returns %s", buffer);
}
