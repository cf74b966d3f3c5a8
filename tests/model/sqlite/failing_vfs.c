#include "tests/model/sqlite/failing_vfs.h"

#include <string.h>

static struct {
    sqlite3_vfs vfs, *real;
    unsigned calls, first, count, undo_files;
    void (*before_move)(void);
    const char *watched;
    bool has_unsynced;
} failing;

// Followed by the file of the real one.
struct failing_file {
    sqlite3_file file; // first member
    sqlite3_file *real;
    bool is_main; // not a log, or what else there is
    bool is_watched;
};

void failing_vfs_watch_moves(void (*before_move)(void)) {
    failing.before_move = before_move;
}

void failing_vfs_watch_syncs(const char *ending) {
    failing.watched = ending;
    failing.has_unsynced = false;
}

bool failing_vfs_has_unsynced(void) {
    return failing.has_unsynced;
}

void failing_vfs_set(unsigned first, unsigned count) {
    failing.calls = 0;
    failing.undo_files = 0;
    failing.first = first;
    failing.count = count;
}

unsigned failing_vfs_calls(void) {
    return failing.calls;
}

unsigned failing_vfs_undo_files(void) {
    return failing.undo_files;
}

static bool fails_now(void) {
    unsigned call = ++failing.calls;
    return failing.first > 0 && call >= failing.first && call - failing.first < failing.count;
}

static sqlite3_file *real(sqlite3_file *file) {
    return ((struct failing_file *)file)->real;
}

// ---- The calls that fail -----------------------------------------------------------------------

static int on_write(sqlite3_file *file, const void *data, int count, sqlite3_int64 offset) {
    if (failing.before_move && ((struct failing_file *)file)->is_main)
        failing.before_move();
    failing.has_unsynced |= ((struct failing_file *)file)->is_watched;
    return fails_now() ? SQLITE_IOERR_WRITE
                       : real(file)->pMethods->xWrite(real(file), data, count, offset);
}

// What was written is there, only nobody knows whether for ever: as a disk that is failing does it.
static int on_sync(sqlite3_file *file, int flags) {
    failing.has_unsynced &= !((struct failing_file *)file)->is_watched;
    return fails_now() ? SQLITE_IOERR_FSYNC : real(file)->pMethods->xSync(real(file), flags);
}

// ---- The others --------------------------------------------------------------------------------

static int on_close(sqlite3_file *file) {
    return real(file)->pMethods->xClose(real(file));
}

static int on_read(sqlite3_file *file, void *data, int count, sqlite3_int64 offset) {
    return real(file)->pMethods->xRead(real(file), data, count, offset);
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size) {
    return real(file)->pMethods->xTruncate(real(file), size);
}

static int on_size(sqlite3_file *file, sqlite3_int64 *size) {
    return real(file)->pMethods->xFileSize(real(file), size);
}

static int on_lock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xLock(real(file), level);
}

static int on_unlock(sqlite3_file *file, int level) {
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int on_check(sqlite3_file *file, int *result) {
    return real(file)->pMethods->xCheckReservedLock(real(file), result);
}

static int on_control(sqlite3_file *file, int operation, void *argument) {
    return real(file)->pMethods->xFileControl(real(file), operation, argument);
}

static int on_sector_size(sqlite3_file *file) {
    return real(file)->pMethods->xSectorSize(real(file));
}

static int on_characteristics(sqlite3_file *file) {
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int on_map(sqlite3_file *file, int page, int size, int extend, void volatile **map) {
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, map);
}

static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags) {
    return real(file)->pMethods->xShmLock(real(file), offset, count, flags);
}

static void on_barrier(sqlite3_file *file) {
    real(file)->pMethods->xShmBarrier(real(file));
}

static int on_unmap(sqlite3_file *file, int is_deleted) {
    return real(file)->pMethods->xShmUnmap(real(file), is_deleted);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
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
    .xShmMap = on_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_barrier,
    .xShmUnmap = on_unmap,
};

static bool ends_with(const char *text, const char *ending) {
    size_t length = strlen(text), end = strlen(ending);
    return length >= end && strcmp(text + length - end, ending) == 0;
}

static int on_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
    struct failing_file *failing_file = (struct failing_file *)file;
    (void)vfs;
    failing.undo_files += (flags & SQLITE_OPEN_SUBJOURNAL) != 0;
    failing_file->real = (sqlite3_file *)(failing_file + 1);
    failing_file->is_watched = name && failing.watched && ends_with(name, failing.watched);
    failing_file->is_main = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    int code = failing.real->xOpen(failing.real, name, failing_file->real, flags, out);
    file->pMethods = failing_file->real->pMethods ? &methods : NULL;
    return code;
}

void failing_vfs_install(void) {
    failing.real = sqlite3_vfs_find(NULL);
    failing.vfs = *failing.real;
    failing.vfs.zName = "failing";
    failing.vfs.szOsFile = (int)sizeof(struct failing_file) + failing.real->szOsFile;
    failing.vfs.xOpen = on_open;
    sqlite3_vfs_register(&failing.vfs, 1);
}
