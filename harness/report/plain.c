#include "harness/report/plain.h"

#include <string.h>

// How many bytes at [at] are a character that terminals obey: C0 and DEL, or one of C1 in UTF-8.
// Messages are the program's text: one under test must not move the cursor or change the title.
static size_t control_bytes(const char *at) {
    unsigned char first = (unsigned char)at[0], second = first ? (unsigned char)at[1] : 0;
    if (first < ' ' || first == 0x7f)
        return 1;
    return first == 0xc2 && second >= 0x80 && second < 0xa0 ? 2 : 0;
}

static void add_escaped(struct text *text, const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        text_add(text, "\\x%02x", (unsigned)(unsigned char)bytes[i]);
}

// The length of what stands before the next character that is a control character, or a quote.
static size_t run_length(const char *text, bool quotes_too) {
    size_t length = 0;
    while (text[length] && control_bytes(text + length) == 0 &&
           !(quotes_too && text[length] == '\''))
        length++;
    return length;
}

void plain_add(struct text *text, const char *plain) {
    while (*plain) {
        size_t length = run_length(plain, false);
        text_add(text, "%.*s", (int)length, plain);
        plain += length;
        size_t count = *plain ? control_bytes(plain) : 0;
        add_escaped(text, plain, count);
        plain += count;
    }
}

void plain_print(FILE *out, const char *text, size_t bytes) {
    for (size_t i = 0; i < bytes;) {
        size_t count = text[i] == '\n' ? 0 : control_bytes(text + i);
        if (count == 0)
            fputc(text[i++], out);
        for (; count > 0; count--)
            fprintf(out, "\\x%02x", (unsigned)(unsigned char)text[i++]);
    }
}

void plain_put(FILE *out, const char *text) {
    plain_print(out, text, strlen(text));
}

// A quote inside ends the quoted part, stands escaped, and a new part begins; a control character
// is a part of its own in the form $'\xNN'.
void plain_add_word(struct text *text, const char *word) {
    text_add(text, "'");
    while (*word) {
        size_t length = run_length(word, true);
        text_add(text, "%.*s", (int)length, word);
        word += length;
        size_t count = *word ? control_bytes(word) : 0;
        if (*word == '\'') {
            text_add(text, "'\\''");
            word++;
        } else if (count > 0) {
            text_add(text, "'$'");
            add_escaped(text, word, count);
            text_add(text, "''");
            word += count;
        }
    }
    text_add(text, "'");
}
