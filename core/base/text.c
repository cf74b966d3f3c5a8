#include "core/base/text.h"
#include "core/base/assert.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct text text_in(char *buffer, size_t capacity) {
    // Room for the mark of what was cut off, and its NUL.
    ASSERT(capacity >= 4);
    buffer[0] = '\0';
    return (struct text){.data = buffer, .length = 0, .capacity = capacity};
}

void text_add(struct text *text, const char *format, ...) {
    ASSERT(text->length < text->capacity);
    size_t room = text->capacity - text->length;
    va_list arguments;
    va_start(arguments, format);
    int wanted = vsnprintf(text->data + text->length, room, format, arguments);
    va_end(arguments);
    ASSERT(wanted >= 0);
    if ((size_t)wanted < room) {
        text->length += (size_t)wanted;
        return;
    }
    // vsnprintf has filled the room: the last three characters make way for the mark.
    // From now on there is room for a NUL alone, and what is added is told by the same mark.
    text->length = text->capacity - 1;
    memcpy(text->data + text->length - 3, "...", 3);
}

bool error_set(struct error *error, const char *format, ...) {
    ASSERT(format);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    for (char *c = error->text; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' '; // one line, whatever was quoted
    return false;
}
