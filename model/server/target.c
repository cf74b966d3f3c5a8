#include "model/server/target.h"

#include "model/wire/encoding.h"

#include <string.h>
#include <strings.h>

enum { NAME_LEAST = 3, NAME_MOST = 63 };

const char *target_query(const struct target *target, const char *name) {
    return wire_header(&target->query, name);
}

static bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

enum wire_error target_check_name(const char *name) {
    size_t length = strlen(name);
    if (length < NAME_LEAST || length > NAME_MOST)
        return WIRE_TABLE_NAME_LENGTH;
    for (size_t i = 0; i < length; i++)
        if (!is_letter(name[i]) && (i == 0 || name[i] < '0' || name[i] > '9'))
            return WIRE_TABLE_NAME;
    // That address is the list of tables.
    return strcasecmp(name, "tables") == 0 ? WIRE_TABLE_NAME : WIRE_OK;
}

static enum wire_error read_query(struct arena *arena, const char *text, struct target *target) {
    while (*text) {
        size_t size = strcspn(text, "&");
        const char *equals = memchr(text, '=', size);
        size_t name = equals ? (size_t)(equals - text) : size;
        size_t value = equals ? size - name - 1 : 0;
        struct wire_header parameter = {
            .name = wire_percent_read(arena, text, name, true),
            .value = wire_percent_read(arena, text + size - value, value, true),
        };
        // One that cannot be read is not left out: it might have been a condition.
        if (!parameter.name || !parameter.value || target->query.count == WIRE_HEADERS_MAX)
            return WIRE_QUERY_PARAMETER;
        if (size > 0)
            target->query.list[target->query.count++] = parameter;
        text += size + (text[size] == '&');
    }
    return WIRE_OK;
}

// Takes the literal 'text' with doubled quotes; NULL if there is none.
static const char *take_literal(struct arena *arena, const char **at) {
    const char *text = *at;
    if (*text != '\'')
        return NULL;
    // Large enough with its end, for the opening quote is not copied.
    char *literal = arena_alloc(arena, strlen(text)), *out = literal;
    for (text++; *text && (*text != '\'' || text[1] == '\''); text++) {
        text += *text == '\'';
        *out++ = *text;
    }
    *out = '\0';
    if (*text != '\'')
        return NULL;
    *at = text + 1;
    return literal;
}

static bool take(const char **at, const char *text) {
    size_t length = strlen(text);
    bool is_there = strncmp(*at, text, length) == 0;
    *at += is_there ? length : 0;
    return is_there;
}

// "PartitionKey='p',RowKey='r'" in either order.
static bool take_keys(struct arena *arena, const char **at, struct ct_key *key) {
    for (int i = 0; i < 2; i++) {
        if (i == 1 && !take(at, ","))
            return false;
        *at += strspn(*at, " ");
        bool is_partition = take(at, "PartitionKey=");
        if (!is_partition && !take(at, "RowKey="))
            return false;
        const char **part = is_partition ? &key->partition : &key->row;
        if (*part || !(*part = take_literal(arena, at)))
            return false;
    }
    return true;
}

// What stands behind the account, decoded.
static enum wire_error read_resource(struct arena *arena, const char *text, struct target *target) {
    if (*text == '\0') {
        target->kind = TARGET_SERVICE;
        return WIRE_OK;
    }
    if (strcmp(text, "$batch") == 0) {
        target->kind = TARGET_BATCH;
        return WIRE_OK;
    }
    size_t length = strcspn(text, "(");
    char *name = arena_alloc(arena, length + 1);
    memcpy(name, text, length);
    name[length] = '\0';
    const char *at = text + length;
    bool is_tables = strcasecmp(name, "Tables") == 0, is_open = take(&at, "(");
    target->table = name;
    target->kind = is_tables ? TARGET_TABLES : TARGET_ENTITIES;
    if (is_open && *at != ')') {
        target->kind = is_tables ? TARGET_TABLE : TARGET_ENTITY;
        if (is_tables ? !(target->table = take_literal(arena, &at))
                      : !take_keys(arena, &at, &target->key))
            return WIRE_URI;
    }
    return (is_open && !take(&at, ")")) || *at ? WIRE_URI : WIRE_OK;
}

// Without "http://host:port".
// Requests within a batch have whole addresses.
static const char *skip_host(const char *text) {
    const char *host = strncasecmp(text, "http://", 7) == 0    ? text + 7
                       : strncasecmp(text, "https://", 8) == 0 ? text + 8
                                                               : NULL;
    return host ? host + strcspn(host, "/?") : text;
}

enum wire_error target_parse(struct arena *arena, const char *text, struct target *target) {
    memset(target, 0, sizeof *target);
    text = skip_host(text);
    if (*text != '/')
        return WIRE_URI;
    size_t length = strcspn(text, "?");
    char *path = arena_alloc(arena, length + 1);
    memcpy(path, text, length);
    path[length] = '\0';
    // As it was sent, for that is what a signature covers.
    target->path = path;
    size_t account = strcspn(path + 1, "/");
    const char *rest = path + 1 + account;
    rest += *rest == '/';
    size_t rest_length = strlen(rest);
    rest_length -= rest_length > 0 && rest[rest_length - 1] == '/'; // "Tables/"
    target->account = wire_percent_read(arena, path + 1, account, false);
    // Decoded after it was cut at the slash and the question mark: a key may have either, encoded.
    const char *resource = wire_percent_read(arena, rest, rest_length, false);
    if (!target->account || !resource)
        return WIRE_URI;
    enum wire_error error = read_resource(arena, resource, target);
    return error == WIRE_OK && text[length] == '?' ? read_query(arena, text + length + 1, target)
                                                   : error;
}
