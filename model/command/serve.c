// mtable serve: tables of an SQLite file behind the Azure Table protocol.
#define _GNU_SOURCE
#include "model/command/command.h"

#include "core/base/file.h"
#include "core/base/number.h"
#include "model/command/migrating_store.h"
#include "model/command/sqlite_store.h"
#include "model/server/http.h"
#include "model/wire/encoding.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_BYTES = 64, PATH_BYTES = 4096, BUSY_MS = 5000, STOP_SECONDS = 10 };

// ---- The data folder ---------------------------------------------------------------------------

static bool path_in(const struct settings *settings, const char *name, char path[PATH_BYTES],
                    struct error *error) {
    int size = snprintf(path, PATH_BYTES, "%s/%s", settings->data, name);
    return (size > 0 && size < PATH_BYTES) || error_set(error, "data: the name is too long");
}

// Writes a file that only its owner may read; it must not be there yet unless it [may_replace].
static bool write_secret(const char *path, const char *text, bool may_replace,
                         struct error *error) {
    // No link is followed: who can write into the folder must not have the secret put somewhere
    // else.
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | (may_replace ? O_TRUNC : O_EXCL);
    int file = open(path, flags, 0600);
    if (file < 0)
        return error_set(error, "%.200s: %s", path, strerror(errno));
    ssize_t size = (ssize_t)strlen(text);
    bool is_written =
        // The mode of a file that was there already is set before anything is written into it.
        fchmod(file, 0600) == 0 && write(file, text, (size_t)size) == size && fsync(file) == 0;
    close(file);
    return is_written || error_set(error, "%.200s: cannot write it", path);
}

// Reads the account's key, in base64; makes one at the first start.
static bool read_account_key(const char *path, char text[WIRE_BASE64_SIZE(WIRE_KEY_BYTES_MAX)],
                             struct wire_key *key, struct error *error) {
    enum { SIZE = WIRE_BASE64_SIZE(WIRE_KEY_BYTES_MAX) };
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (file < 0 && errno == ENOENT) {
        unsigned char random[KEY_BYTES];
        if (getrandom(random, sizeof random, 0) != sizeof random)
            return error_set(error, "cannot draw a key");
        wire_base64(random, sizeof random, text);
        // Of two servers that start at once one finds the file there, fails, and is right when it
        // is started again.
        return wire_key_read(text, key) && write_secret(path, text, false, error);
    }
    if (file < 0)
        return error_set(error, "%.200s: %s", path, strerror(errno));
    ssize_t size = read(file, text, SIZE - 1);
    bool is_private = fstat(file, &status) == 0 && (status.st_mode & 077) == 0;
    close(file);
    if (!is_private)
        return error_set(error, "%.200s: expected a file of mode 0600: others can read it", path);
    text[size > 0 ? size : 0] = '\0';
    text[strcspn(text, "\r\n")] = '\0';
    return wire_key_read(text, key) || error_set(error, "%.200s: expected a key in base64", path);
}

// ---- Settings ----------------------------------------------------------------------------------

struct service {
    struct server_options options;
    struct ct_sqlite_options file;
    struct ct_sqlite_turn turn; // of the threads
    struct migrating_tables *tables;
    char path[PATH_BYTES];
    char key[WIRE_BASE64_SIZE(WIRE_KEY_BYTES_MAX)];
};

static struct server_store *open_store(void *context, struct error *error) {
    struct service *service = context;
    struct server_store *store = sqlite_store_open_in(&service->file, &service->turn, error);
    // For each thread: a connection serves one at a time. Tables that migrate lie over the others.
    return store ? migrating_store_open(service->tables, store, error) : NULL;
}

static bool read_limits(const struct settings *settings, struct server_options *options,
                        struct error *error) {
    uint32_t port, metrics_port = 0;
    uint64_t memory;
    options->has_metrics = *settings->metrics_port;
    if (!settings_number("port", settings->port, 0, UINT16_MAX, &port, error) ||
        (options->has_metrics && !settings_number("metrics-port", settings->metrics_port, 0,
                                                  UINT16_MAX, &metrics_port, error)) ||
        !settings_number("threads", settings->threads, 1, 64, &options->threads, error) ||
        !settings_number("connections", settings->connections, 64, 100000, &options->connections,
                         error) ||
        !settings_number("request-seconds", settings->request_seconds, 1, 86400,
                         &options->request_seconds, error))
        return false;
    if (!number_parse_bytes(settings->memory, UINT64_C(1) << 40, &memory) ||
        memory < 2 * SERVER_BODY_BYTES_MAX)
        return error_set(error, "memory '%.60s': expected 8M or more", settings->memory);
    options->port = (uint16_t)port;
    options->metrics_port = (uint16_t)metrics_port;
    options->memory_bytes = (size_t)memory;
    return true;
}

static bool read_settings(const struct settings *settings, struct service *service,
                          struct error *error) {
    char key_path[PATH_BYTES];
    struct server_options *options = &service->options;
    options->address = settings->address;
    options->account.name = settings->account;
    options->open_store = open_store;
    options->context = service;
    service->file.busy_ms = BUSY_MS;
    service->file.path = service->path;
    if (strspn(settings->account, "abcdefghijklmnopqrstuvwxyz0123456789") !=
            strlen(settings->account) ||
        strlen(settings->account) < 3 || strlen(settings->account) > 24)
        return error_set(error, "account '%.60s': expected 3 to 24 small letters and digits",
                         settings->account);
    if (!read_limits(settings, options, error) ||
        !settings_word("sync", settings->sync, "normal", "full", &service->file.is_relaxed,
                       error) ||
        !settings_word("log", settings->log, "on", "off", &options->logs, error))
        return false;
    if (mkdir(settings->data, 0700) != 0 && errno != EEXIST)
        return error_set(error, "data %.200s: cannot make the folder: %s", settings->data,
                         strerror(errno));
    return path_in(settings, "tables.db", service->path, error) &&
           path_in(settings, "account-key", key_path, error) &&
           read_account_key(key_path, service->key, &options->account.key, error);
}

// ---- Serving -----------------------------------------------------------------------------------

// What a client needs, on standard output and in a file beside the tables.
static bool tell_connection(const struct settings *settings, const struct service *service,
                            unsigned port, struct error *error) {
    char path[PATH_BYTES], text[1024];
    bool is_six = strchr(settings->address, ':');
    // That address is none to connect to.
    bool is_any = strcmp(settings->address, "0.0.0.0") == 0;
    snprintf(text, sizeof text,
             "DefaultEndpointsProtocol=http;AccountName=%s;AccountKey=%s;"
             "TableEndpoint=http://%s%s%s:%u/%s;\n",
             settings->account, service->key, is_six ? "[" : "",
             is_any ? "127.0.0.1" : settings->address, is_six ? "]" : "", port, settings->account);
    if (!path_in(settings, "connection-string", path, error) ||
        !write_secret(path, text, true, error))
        return false;
    printf("serving %s at %s, port %u\nconnection string (also in %s):\n%s", service->path,
           settings->address, port, path, text);
    fflush(stdout);
    return true;
}

// Serves until a signal of [ends] comes.
static bool serve(const struct settings *settings, struct service *service, const sigset_t *ends,
                  struct error *error) {
    int signal;
    struct server *server = server_start(&service->options, error);
    if (!server)
        return false;
    // Told when it listens: port 0 is whichever was free, and who reads the line may connect at
    // once.
    bool is_told = tell_connection(settings, service, server_port(server), error);
    if (is_told)
        sigwait(ends, &signal);
    server_stop(server, STOP_SECONDS);
    return is_told;
}

int command_serve(const struct settings *settings, struct error *error) {
    struct service service = {0};
    sigset_t ends;
    if (settings->argument_count > 0) {
        error_set(error, "serve: unexpected argument '%.60s'", settings->arguments[0]);
        return COMMAND_USAGE;
    }
    if (!read_settings(settings, &service, error))
        return COMMAND_USAGE;
    // Before threads are there: they inherit it, and the signals come here.
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    service.tables = migrating_tables_read(settings->migrating, error);
    if (!service.tables)
        return COMMAND_USAGE;
    ct_sqlite_turn_init(&service.turn, BUSY_MS);
    bool is_served = migrating_tables_join(service.tables, settings->bugs, error) &&
                     ct_sqlite_turn_open(&service.turn, &service.file, error) &&
                     serve(settings, &service, &ends, error);
    ct_sqlite_turn_close(&service.turn);
    migrating_tables_close(service.tables);
    return is_served ? COMMAND_DONE : COMMAND_FAILED;
}
