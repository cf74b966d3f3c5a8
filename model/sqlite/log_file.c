#define _POSIX_C_SOURCE 200809L
#include "model/sqlite/log_file.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

// SQLite's own system writes 128 KiB at once, or a rest of it that it takes for a full disk.
enum { GATHERED_BYTES = 124 << 10 };

// Followed by the file of the real system.
struct log_file {
    sqlite3_file file; // first member
    sqlite3_file *real;
    unsigned char *bytes; // of a transaction under way; NULL: nothing was written yet
    int size;
    sqlite3_int64 offset; // where they go
};

static sqlite3_vfs *real_system;

static struct log_file *log_of(sqlite3_file *file) {
    return (struct log_file *)file;
}

// What cannot be written is dropped: whoever is told so takes it back, or writes it again.
static int flush(struct log_file *log) {
    int size = log->size;
    log->size = 0;
    return size == 0 ? SQLITE_OK
                     : log->real->pMethods->xWrite(log->real, log->bytes, size, log->offset);
}

static int on_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset) {
    struct log_file *log = log_of(file);
    if (!log->bytes && !(log->bytes = malloc(GATHERED_BYTES)))
        return SQLITE_NOMEM;
    if (size > GATHERED_BYTES - log->size || offset != log->offset + log->size) {
        int code = flush(log);
        if (code != SQLITE_OK)
            return code;
        log->offset = offset;
    }
    if (size > GATHERED_BYTES)
        return log->real->pMethods->xWrite(log->real, data, size, offset);
    memcpy(log->bytes + log->size, data, (size_t)size);
    log->size += size;
    return SQLITE_OK;
}

static int on_sync(sqlite3_file *file, int flags) {
    struct log_file *log = log_of(file);
    bool is_of_checkpoint = (flags & 0x0F) == SQLITE_SYNC_FULL;
    int code = flush(log);
    return code == SQLITE_OK && is_of_checkpoint ? log->real->pMethods->xSync(log->real, flags)
                                                 : code;
}

// ---- What else there is, behind what was gathered ----------------------------------------------

static int on_close(sqlite3_file *file) {
    struct log_file *log = log_of(file);
    free(log->bytes); // of no transaction that has ended
    return log->real->pMethods->xClose(log->real);
}

static int on_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset) {
    struct log_file *log = log_of(file);
    int code = flush(log);
    return code == SQLITE_OK ? log->real->pMethods->xRead(log->real, data, size, offset) : code;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size) {
    struct log_file *log = log_of(file);
    int code = flush(log);
    return code == SQLITE_OK ? log->real->pMethods->xTruncate(log->real, size) : code;
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size) {
    struct log_file *log = log_of(file);
    int code = flush(log);
    return code == SQLITE_OK ? log->real->pMethods->xFileSize(log->real, size) : code;
}

static int on_lock(sqlite3_file *file, int level) {
    return log_of(file)->real->pMethods->xLock(log_of(file)->real, level);
}

static int on_unlock(sqlite3_file *file, int level) {
    return log_of(file)->real->pMethods->xUnlock(log_of(file)->real, level);
}

static int on_check(sqlite3_file *file, int *result) {
    return log_of(file)->real->pMethods->xCheckReservedLock(log_of(file)->real, result);
}

static int on_control(sqlite3_file *file, int operation, void *argument) {
    return log_of(file)->real->pMethods->xFileControl(log_of(file)->real, operation, argument);
}

static int on_sector_size(sqlite3_file *file) {
    return log_of(file)->real->pMethods->xSectorSize(log_of(file)->real);
}

static int on_characteristics(sqlite3_file *file) {
    return log_of(file)->real->pMethods->xDeviceCharacteristics(log_of(file)->real);
}

// ---- The file system ---------------------------------------------------------------------------

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
};

// What is no log is the real system's alone.
static int on_open(sqlite3_vfs *system, const char *name, sqlite3_file *file, int flags, int *out) {
    struct log_file *log = (struct log_file *)file;
    (void)system;
    if (!(flags & SQLITE_OPEN_WAL))
        return real_system->xOpen(real_system, name, file, flags, out);
    *log = (struct log_file){.real = (sqlite3_file *)(log + 1)};
    int code = real_system->xOpen(real_system, name, log->real, flags, out);
    log->file.pMethods = log->real->pMethods ? &methods : NULL;
    return code;
}

static bool is_registered;

static void register_system(void) {
    static sqlite3_vfs system;
    real_system = sqlite3_vfs_find(NULL);
    if (!real_system)
        return;
    system = *real_system;
    system.zName = "mtcheck-log";
    system.szOsFile = (int)sizeof(struct log_file) + real_system->szOsFile;
    system.xOpen = on_open;
    is_registered = sqlite3_vfs_register(&system, 0) == SQLITE_OK;
}

// What a transaction had written that is no more is not to be written any more: somebody else may
// have written there, who got the lock that it has given back.
static void forget(void *database) {
    sqlite3_file *file = NULL;
    int code = sqlite3_file_control(database, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file);
    if (code == SQLITE_OK && file && file->pMethods == &methods)
        log_of(file)->size = 0;
}

static int is_on(void *result, int count, char **values, char **names) {
    (void)count;
    (void)names;
    *(bool *)result = strcmp(values[0], "1") == 0;
    return 0;
}

int log_file_begin(sqlite3 *database) {
    bool is_told_apart = false;
    // A commit asks for a sync by one flag and a checkpoint by another: so they are told apart.
    int code =
        sqlite3_exec(database, "PRAGMA checkpoint_fullfsync = ON; PRAGMA checkpoint_fullfsync",
                     is_on, &is_told_apart, NULL);
    sqlite3_rollback_hook(database, forget, database);
    return code == SQLITE_OK && !is_told_apart ? SQLITE_ERROR : code;
}

const char *log_file_system(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, register_system);
    return is_registered ? "mtcheck-log" : NULL;
}
