#define _GNU_SOURCE // mkostemps
#include "core/base/file.h"
#include "core/base/assert.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINKS_MAX = 40 };

static bool system_error(struct error *error) {
    return error_set(error, "%s", strerror(errno));
}

// ---- Links -------------------------------------------------------------------------------------

// The folder of [path], with the slash at its end; "./" if there is none.
static void folder_of(const char *path, char *folder, size_t bytes) {
    ASSERT(bytes >= sizeof "./");
    const char *slash = strrchr(path, '/');
    snprintf(folder, bytes, "%.*s", slash ? (int)(slash - path) + 1 : 2, slash ? path : "./");
}

// Whether [path] is a link that somebody else has put where everybody may.
static bool is_foreign_link(const char *path) {
    char folder[PATH_MAX];
    struct stat link, around;
    folder_of(path, folder, sizeof folder);
    if (lstat(path, &link) != 0 || !S_ISLNK(link.st_mode) || stat(folder, &around) != 0)
        return false;
    // As fs.protected_symlinks has it: the owner's own links in such a folder are followed, and
    // those of whoever owns the folder.
    bool is_for_all = (around.st_mode & S_ISVTX) && (around.st_mode & S_IWOTH);
    return is_for_all && link.st_uid != geteuid() && link.st_uid != around.st_uid;
}

// The same of [path] and every folder on the way to it.
static bool is_way_foreign(const char *path) {
    char part[PATH_MAX];
    // From 1 on: the root, of which a leading slash speaks, is no link.
    for (size_t i = 1; i <= strlen(path); i++) {
        if (path[i] != '/' && path[i] != '\0')
            continue;
        snprintf(part, sizeof part, "%.*s", (int)i, path);
        if (is_foreign_link(part))
            return true;
    }
    return false;
}

// One link further: [path] becomes what it names. False if it is no link.
static bool follow(char *path) {
    char target[PATH_MAX], folder[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0)
        return false;
    ASSERT((size_t)length < sizeof target);
    target[length] = '\0';
    folder_of(path, folder, sizeof folder);
    // A way from elsewhere begins at the link's folder. Too long a one ends in "...", which is then
    // not there or not a link.
    struct text text = text_in(path, PATH_MAX);
    text_add(&text, "%s%s", target[0] == '/' ? "" : folder, target);
    return true;
}

// Where [path] leads to: into [place], of PATH_MAX bytes; there no link stands now.
static bool resolve(const char *path, char *place, struct error *error) {
    if (strlen(path) >= PATH_MAX)
        return error_set(error, "%s", strerror(ENAMETOOLONG));
    ASSERT(strlen(path) < PATH_MAX);
    strcpy(place, path);
    // Links are followed here, one by one, and not by the system: each may be somebody else's, and
    // the file that is renamed at the end must stand beside the last one, not take its place. As
    // many as Linux follows.
    for (int i = 0; i < LINKS_MAX; i++) {
        if (is_way_foreign(place))
            return error_set(error, "somebody else's link in a folder of everybody's leads there");
        if (!follow(place))
            return true;
    }
    return error_set(error, "%s", strerror(ELOOP));
}

// ---- Writing -----------------------------------------------------------------------------------

int file_open(const char *path, int flags, struct error *error) {
    char place[PATH_MAX];
    if (!resolve(path, place, error))
        return -1;
    // Where a link has been put meanwhile, opening fails: what was looked at is what is opened.
    int file = open(place, flags | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (file < 0)
        system_error(error);
    return file;
}

static bool write_all(int file, const char *bytes, size_t left) {
    ASSERT(bytes || left == 0);
    while (left > 0) {
        ssize_t written = write(file, bytes, left);
        // A signal that only sets a flag (an interrupt from the keyboard) must not cost the file.
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes += written;
        left -= (size_t)written;
    }
    return true;
}

// Closes [file]; whether that and what was written before succeeded, and errno is the first reason
// why not: some file systems tell only now that a write has failed, and what close says after a
// failed write is its consequence.
static bool close_written(int file, bool is_written) {
    ASSERT(file >= 0);
    int reason = errno;
    bool is_closed = close(file) == 0;
    if (!is_written)
        errno = reason;
    return is_written && is_closed;
}

void file_sync_name(const char *path) {
    char folder[PATH_MAX];
    folder_of(path, folder, sizeof folder);
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return;
    fsync(file);
    close(file);
}

// The mode of the file at [path]; of a new one if there is none.
static mode_t mode_for(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0)
        return status.st_mode & 0777;
    mode_t mask = umask(0); // it can be asked for only by setting it
    umask(mask);
    return 0666 & ~mask;
}

// [place] is no link. The temporary file's name cannot be foreseen, and it is nobody's but ours
// until it is complete.
static bool replace(const char *place, const void *bytes, size_t size) {
    char temporary[PATH_MAX];
    int length = snprintf(temporary, sizeof temporary, "%s.XXXXXX.tmp", place);
    ASSERT(length > 0);
    if (length >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return false;
    }
    // The last 4 characters (".tmp") stay as they are; the six before them are what is chosen.
    int file = mkostemps(temporary, 4, O_CLOEXEC);
    if (file < 0)
        return false;
    // On disk before it has the name: after a crash there is the old file or the new one, whole.
    // mkostemps makes it readable for its owner alone, whatever the umask: hence the mode.
    bool is_written = close_written(file, write_all(file, bytes, size) && fsync(file) == 0 &&
                                              fchmod(file, mode_for(place)) == 0);
    if (is_written && rename(temporary, place) == 0) {
        file_sync_name(place);
        return true;
    }
    int reason = errno;
    unlink(temporary);
    errno = reason;
    return false;
}

static bool write_in_place(const char *place, const void *bytes, size_t size) {
    int file = open(place, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0)
        return false;
    return close_written(file, write_all(file, bytes, size));
}

bool file_write(const char *path, const void *bytes, size_t size, struct error *error) {
    char place[PATH_MAX];
    struct stat status;
    ASSERT(bytes || size == 0);
    if (!resolve(path, place, error))
        return false;
    // A pipe or a terminal has no contents that could be kept until the new ones are whole.
    bool is_special = stat(place, &status) == 0 && !S_ISREG(status.st_mode);
    bool is_written = is_special ? write_in_place(place, bytes, size) : replace(place, bytes, size);
    return is_written || system_error(error);
}
