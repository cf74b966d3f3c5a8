#include "model/server/token.h"

#include "core/base/number.h"
#include "model/server/service.h"
#include "model/wire/encoding.h"

#include <string.h>

// As the service's tokens begin; what begins otherwise was not given out here.
static const char begin[] = "1!";

// Opaque to clients: keys may have any character, and headers may not.
const char *token_write(struct arena *arena, const char *text) {
    size_t size = strlen(text);
    char *token = arena_alloc(arena, sizeof begin - 1 + WIRE_BASE64_SIZE(size));
    memcpy(token, begin, sizeof begin);
    wire_base64(text, size, token + sizeof begin - 1);
    return token;
}

const char *token_read(struct arena *arena, const char *token) {
    size_t length = strlen(token), head = sizeof begin - 1, size;
    if (length < head || memcmp(token, begin, head) != 0)
        return NULL;
    char *text = arena_alloc(arena, length + 1);
    if (!wire_base64_read(token + head, length - head, (unsigned char *)text, &size))
        return NULL;
    text[size] = '\0';
    return strlen(text) == size && wire_is_utf8(text, size) ? text : NULL;
}

enum wire_error token_read_top(const struct target *target, uint64_t *top) {
    const char *text = target_query(target, "$top");
    *top = SERVER_PAGE_ROWS;
    if (text && !number_parse(text, 0, INT32_MAX, top))
        return WIRE_QUERY_PARAMETER;
    // Who asks for more than a page gets a page, and a token for the rest.
    *top = *top < SERVER_PAGE_ROWS ? *top : SERVER_PAGE_ROWS;
    return WIRE_OK;
}
