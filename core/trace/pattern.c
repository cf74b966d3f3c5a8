#define _GNU_SOURCE // stpcpy
#include "core/trace/pattern.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <ctype.h>
#include <string.h>

// The end of a quoted or braced text that begins at [text]; [text] itself if none does.
static const char *skip_value(const char *text) {
    const char *end = *text == '\''  ? strchr(text + 1, '\'')
                      : *text == '{' ? strchr(text, '}')
                                     : NULL;
    return end ? end : text;
}

char *sct_violation_pattern(const struct sct_violation *violation) {
    ASSERT(violation->kind);
    char *pattern =
        grow_new(1, strlen(violation->kind) + strlen(violation->message) + 2, "a pattern");
    char *out = stpcpy(pattern, violation->kind);
    *out++ = '\n';
    // Letters only, and nothing of what is quoted or braced: numbers, keys and rows differ between
    // two executions that fail for the same reason, the words around them do not. A pattern is
    // never longer than what it is made of, so the room is enough.
    for (const char *in = violation->message; *in; in++) {
        const char *end = skip_value(in);
        if (end != in)
            in = end;
        else if (isalpha((unsigned char)*in))
            *out++ = *in;
    }
    *out = '\0';
    ASSERT((size_t)(out - pattern) <= strlen(violation->kind) + 1 + strlen(violation->message));
    return pattern;
}
