#include "model/server/call.h"

#include "model/table/value.h"
#include "model/wire/encoding.h"

#include <string.h>

void answer_header(struct call *call, const char *name, const char *value) {
    struct server_answer *answer = call->answer;
    ASSERT(answer->header_count < SERVER_ANSWER_HEADERS_MAX);
    answer->headers[answer->header_count++] = (struct wire_header){name, value};
}

void answer_empty(struct call *call, unsigned status) {
    call->answer->status = status;
    call->answer->body = "";
    call->answer->size = 0;
}

const char *answer_content_type(const struct call *call) {
    static const char *const types[] = {
        [WIRE_METADATA_NONE] = "application/json;odata=nometadata;streaming=true;charset=utf-8",
        [WIRE_METADATA_MINIMAL] =
            "application/json;odata=minimalmetadata;streaming=true;charset=utf-8",
        [WIRE_METADATA_FULL] = "application/json;odata=fullmetadata;streaming=true;charset=utf-8",
    };
    return types[call->metadata];
}

void answer_json(struct call *call, unsigned status, const struct wire_out *body) {
    answer_header(call, "Content-Type", answer_content_type(call));
    call->answer->status = status;
    call->answer->body = wire_text(body);
    call->answer->size = body->size;
}

void answer_add_error(const struct call *call, struct wire_out *out, enum wire_error error,
                      const char *message) {
    struct wire_error_text text = wire_error_text(error);
    char time[CT_TICKS_TEXT];
    ct_ticks_format(call->request->now, time);
    message = arena_printf(out->arena, "%s%s\nRequestId:%s\nTime:%s", call->is_part ? "0:" : "",
                           message ? message : text.message, call->request->id, time);
    wire_add_format(out,
                    "{\"odata.error\":{\"code\":\"%s\",\"message\":{\"lang\":\"en-US\","
                    "\"value\":",
                    text.code);
    wire_add_json(out, message, strlen(message));
    wire_add(out, "}}}");
}

void answer_error(struct call *call, enum wire_error error) {
    struct wire_out body = {.arena = call->arena};
    struct wire_error_text text = wire_error_text(error);
    answer_add_error(call, &body, error, NULL);
    call->answer->error = text.code;
    answer_header(call, "x-ms-error-code", text.code);
    // What is short now, memory or a turn, is so for a moment.
    if (error == WIRE_BUSY)
        answer_header(call, "Retry-After", "1");
    answer_json(call, text.status, &body);
}
