#define _POSIX_C_SOURCE 200809L
#include "model/azure/account.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES = 8192 };

// Of the emulator: everybody knows it.
static const char development[] =
    "AccountName=devstoreaccount1;AccountKey="
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "TableEndpoint=http://127.0.0.1:10002/devstoreaccount1;";

// A part of a connection string: name and value, not terminated.
struct part {
    const char *name, *value;
    size_t name_size, size;
};

// At the first "=" only: keys and signatures end with such characters.
static bool take_part(const char **text, struct part *part) {
    *text += strspn(*text, "; \t\r\n");
    size_t size = strcspn(*text, ";\r\n");
    const char *equals = memchr(*text, '=', size);
    if (!equals)
        return false;
    part->name = *text;
    part->name_size = (size_t)(equals - *text);
    part->value = equals + 1;
    part->size = size - part->name_size - 1;
    *text += size;
    return true;
}

static bool is_named(const struct part *part, const char *name) {
    return part->name_size == strlen(name) && strncasecmp(part->name, name, part->name_size) == 0;
}

static bool copy(const struct part *part, char *to, size_t capacity, struct error *error) {
    if (part->size >= capacity)
        return error_set(error, "connection string: %.*s is too long", (int)part->name_size,
                         part->name);
    memcpy(to, part->value, part->size);
    to[part->size] = '\0';
    return true;
}

// Whether [endpoint] is encrypted, or does not leave the machine.
static bool is_private(const char *endpoint) {
    static const char *const local[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    if (strncmp(endpoint, "https://", 8) == 0)
        return true;
    for (int i = 0; i < 3; i++) {
        size_t length = strlen(local[i]);
        if (strncmp(endpoint, local[i], length) == 0 && strchr(":/", endpoint[length]))
            return true; // strchr finds the end, too
    }
    return false;
}

static bool finish_endpoint(struct ct_azure_account *account, const char *protocol,
                            const char *suffix, bool allows_http, struct error *error) {
    char *endpoint = account->endpoint;
    if (!*endpoint && *account->name)
        snprintf(endpoint, AZURE_ENDPOINT_BYTES, "%s://%s.table.%s", protocol, account->name,
                 suffix);
    size_t length = strlen(endpoint);
    while (length > 0 && endpoint[length - 1] == '/')
        endpoint[--length] = '\0';
    if (strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0)
        return error_set(error, "connection string: expected a TableEndpoint or AccountName");
    return allows_http || is_private(endpoint) ||
           error_set(error, "connection string: expected https for an endpoint that is not on this "
                            "machine");
}

bool ct_azure_account_read(struct ct_azure_account *account, const char *text, bool allows_http,
                           struct error *error) {
    char key[2 * WIRE_KEY_BYTES_MAX] = "", protocol[8] = "https", suffix[128] = "core.windows.net";
    struct part part;
    bool is_read = true;
    memset(account, 0, sizeof *account);
    while (is_read && take_part(&text, &part)) {
        // Short for the emulator's account, whatever else stands there.
        if (is_named(&part, "UseDevelopmentStorage") && part.size == 4 &&
            strncasecmp(part.value, "true", 4) == 0)
            return ct_azure_account_read(account, development, allows_http, error);
        if (is_named(&part, "AccountName"))
            is_read = copy(&part, account->name, sizeof account->name, error);
        else if (is_named(&part, "AccountKey"))
            is_read = copy(&part, key, sizeof key, error);
        else if (is_named(&part, "SharedAccessSignature"))
            is_read = copy(&part, account->sas, sizeof account->sas, error);
        else if (is_named(&part, "TableEndpoint"))
            is_read = copy(&part, account->endpoint, sizeof account->endpoint, error);
        else if (is_named(&part, "DefaultEndpointsProtocol"))
            is_read = copy(&part, protocol, sizeof protocol, error);
        else if (is_named(&part, "EndpointSuffix"))
            is_read = copy(&part, suffix, sizeof suffix, error);
    }
    if (!is_read)
        return false;
    account->has_key = *key && wire_key_read(key, &account->key);
    if (*key && !account->has_key)
        return error_set(error, "connection string: expected an AccountKey in base64");
    if (!*key && !*account->sas)
        return error_set(error, "connection string: expected an AccountKey or a "
                                "SharedAccessSignature");
    if (*key && !*account->name)
        return error_set(error, "connection string: expected an AccountName");
    return finish_endpoint(account, protocol, suffix, allows_http, error);
}

bool ct_azure_account_load(struct ct_azure_account *account, const char *path, bool allows_http,
                           struct error *error) {
    char line[LINE_BYTES];
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_set(error, "%.200s: %s", path, strerror(errno));
    // Of the open file, not of its name, which may be another one's by then.
    bool is_own = fstat(file, &status) == 0 && (status.st_mode & 077) == 0;
    ssize_t size = is_own ? read(file, line, sizeof line - 1) : 0;
    close(file);
    if (!is_own)
        return error_set(error, "%.200s: expected a file of mode 0600: others can read it", path);
    line[size > 0 ? size : 0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return ct_azure_account_read(account, line, allows_http, error);
}
