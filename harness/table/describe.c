#include "harness/table/describe.h"
#include "model/table/batch.h"
#include "model/table/filter.h"

#include <string.h>

static const char *or_null(const char *string) {
    return string ? string : "null";
}

static void describe_property(struct text *text, const struct ct_property *property) {
    text_add(text, " %s=", property->name);
    ct_literal_format(property, text);
}

static void describe_key(struct text *text, struct ct_key key) {
    if (key.partition && *key.partition)
        text_add(text, "'%s'/", key.partition);
    text_add(text, key.row ? "'%s'" : "%s", or_null(key.row));
}

void describe_row(struct text *text, const struct ct_row *row) {
    text_add(text, "{");
    describe_key(text, row->key);
    for (size_t i = 0; i < row->property_count; i++)
        describe_property(text, &row->properties[i]);
    text_add(text, " etag %s}", or_null(row->etag));
}

void describe_rows(struct text *text, struct ct_rows rows) {
    text_add(text, "%zu row%s", rows.count, rows.count == 1 ? "" : "s");
    for (size_t i = 0; i < rows.count; i++) {
        text_add(text, i == 0 ? ": " : ", ");
        describe_row(text, rows.rows[i]);
    }
}

void note_rows(enum sct_note_class about, struct ct_rows rows) {
    char buffer[2000];
    if (!sct_narrating())
        return;
    for (size_t i = 0; i < rows.count; i++) {
        struct text text = text_in(buffer, sizeof buffer);
        describe_row(&text, rows.rows[i]);
        sct_note_as(about, "%s", buffer);
    }
    if (rows.count == 0)
        sct_note_as(about, "no rows");
}

void describe_batch(struct text *text, const struct ct_batch *batch) {
    for (size_t i = 0; i < batch->count; i++) {
        const struct ct_operation *operation = &batch->operations[i];
        const struct ct_row *entity = operation->entity;
        text_add(text, "%s%s ", i == 0 ? "" : ", ", ct_operation_name(operation));
        describe_key(text, entity->key);
        for (size_t j = 0; j < entity->property_count; j++)
            describe_property(text, &entity->properties[j]);
        if (entity->etag && !ct_is_delete_if_exists(operation))
            text_add(text, " if-match %s", entity->etag);
    }
}

void describe_filter(struct text *text, const struct ct_filter *filter) {
    if (filter)
        ct_filter_format(filter, text);
    else
        text_add(text, "everything");
}

static void describe_results(struct text *text, const struct ct_op_result *results, size_t count) {
    for (size_t i = 0; i < count; i++)
        text_add(text, "%s%d etag %s", i == 0 ? " [" : ", ", (int)results[i].status,
                 or_null(results[i].etag));
    text_add(text, count > 0 ? "]" : "");
}

void describe_outcome(struct text *text, struct ct_outcome outcome,
                      const struct ct_op_result *results, size_t result_count) {
    switch (outcome.kind) {
    case CT_SUCCEEDED:
        text_add(text, "success");
        describe_results(text, results, results ? result_count : 0);
        return;
    case CT_STORAGE_ERROR:
        text_add(text, "error %d at operation %zu", (int)outcome.status, outcome.op_index);
        return;
    case CT_INTERNAL_ERROR:
        text_add(text, "internal error: %s", or_null(outcome.message));
        return;
    case CT_PROGRAM_ERROR:
        text_add(text, "program error: %s", or_null(outcome.message));
        return;
    case CT_UNKNOWN:
        text_add(text, "unknown: %s", or_null(outcome.message));
        return;
    }
}

// ---- Requests ---------------------------------------------------------------------------------

void describe_request(struct text *text, const struct request *request) {
    text_add(text, "%s", request->label);
    if (request->kind <= REQUEST_OPEN_STREAM)
        text_add(text, " ");
    switch (request->kind) {
    case REQUEST_EXECUTE:
        describe_batch(text, request->as.execute.batch);
        return;
    case REQUEST_QUERY:
        describe_filter(text, request->as.query.filter);
        return;
    case REQUEST_OPEN_STREAM:
        describe_filter(text, request->as.open.filter);
        return;
    case REQUEST_READ_STREAM:
    case REQUEST_PEEK_ROWS:
    case REQUEST_PEEK_REVISION:
    case REQUEST_PEEK_VALID:
    case REQUEST_ANNOTATE:
        return;
    }
}

static void describe_annotation(struct text *text, const struct request *request) {
    const struct ct_annotation *annotation = request->as.annotation;
    const struct call_record *call = request->call;
    if (annotation->etag_changed) {
        text_add(text, "the ETag of ");
        describe_key(text, annotation->key);
        text_add(text, " is now %s", or_null(annotation->etag));
    } else if (annotation->linearization_point) {
        text_add(text, "LINEARIZATION POINT; the reference table: ");
        if (call->kind == CALL_QUERY && call->outcome.kind == CT_SUCCEEDED)
            describe_rows(text, call->rows);
        else
            describe_outcome(text, call->outcome, call->results, call->batch.count);
    } else {
        text_add(text, "taken");
    }
}

void describe_answer(struct text *text, const struct request *request) {
    switch (request->kind) {
    case REQUEST_EXECUTE:
        describe_outcome(text, request->outcome, request->as.execute.results,
                         request->as.execute.batch->count);
        return;
    case REQUEST_QUERY:
        if (request->outcome.kind == CT_SUCCEEDED)
            describe_rows(text, *request->as.query.rows);
        else
            describe_outcome(text, request->outcome, NULL, 0);
        return;
    case REQUEST_OPEN_STREAM:
        describe_outcome(text, request->outcome, NULL, 0);
        return;
    case REQUEST_READ_STREAM:
        if (request->outcome.kind != CT_SUCCEEDED)
            describe_outcome(text, request->outcome, NULL, 0);
        else if (*request->as.read.row)
            describe_row(text, *request->as.read.row);
        else
            text_add(text, "end");
        return;
    case REQUEST_PEEK_ROWS:
        describe_rows(text, *request->as.peek.rows);
        return;
    case REQUEST_PEEK_REVISION:
        text_add(text, "%zu", *request->as.peek.revision);
        return;
    case REQUEST_PEEK_VALID:
        text_add(text, "%s", *request->as.valid.is_valid ? "yes" : "no");
        return;
    case REQUEST_ANNOTATE:
        describe_annotation(text, request);
        return;
    }
}
