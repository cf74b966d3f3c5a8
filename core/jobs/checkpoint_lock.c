#define _POSIX_C_SOURCE 200809L // fcntl
#include "core/jobs/checkpoint_lock.h"
#include "core/base/assert.h"
#include "core/base/file.h"
#include "core/base/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Whether the name still stands for the open file: else its holder has removed it meanwhile.
static bool is_still_there(const struct sct_checkpoint_lock *lock) {
    ASSERT(lock->file >= 0 && lock->path);
    struct stat opened, named;
    return fstat(lock->file, &opened) == 0 && stat(lock->path, &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

static bool try_lock(struct sct_checkpoint_lock *lock, const char *path, struct error *error) {
    // A lock of POSIX, not flock(2): it is the process's, so a forked worker does not have it, and
    // it works over NFS. It is lost when the process closes any descriptor of the file (fcntl(2)):
    // the lock's file is opened nowhere else.
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    struct error inner;
    lock->file = file_open(lock->path, O_RDWR | O_CREAT, &inner);
    if (lock->file < 0)
        return error_set(error, "checkpoint '%.300s': %.150s", path, inner.text);
    if (fcntl(lock->file, F_SETLK, &whole) == 0)
        return true;
    int reason = errno;
    close(lock->file);
    lock->file = -1;
    if (reason == EACCES || reason == EAGAIN)
        return error_set(error, "checkpoint '%.300s': another campaign is writing it", path);
    return error_set(error, "checkpoint '%.300s': cannot be locked: %s", path, strerror(reason));
}

bool sct_checkpoint_lock(struct sct_checkpoint_lock *lock, const char *path, struct error *error) {
    struct stat status;
    *lock = (struct sct_checkpoint_lock){.file = -1};
    // A device (/dev/null) or a pipe keeps nothing that two could spoil, and beside it there may be
    // no place for the file of a lock.
    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return true;
    size_t bytes = strlen(path) + sizeof ".lock";
    lock->path = grow_new(bytes, 1, "the name of a lock");
    snprintf(lock->path, bytes, "%s.lock", path);
    // Whoever held it may have removed the file between our opening and our locking it: then what
    // is locked has no name, another one may lock a new file of that name, and both would go on.
    while (try_lock(lock, path, error)) {
        if (is_still_there(lock))
            return true;
        close(lock->file);
    }
    free(lock->path);
    *lock = (struct sct_checkpoint_lock){.file = -1};
    return false;
}

void sct_checkpoint_unlock(struct sct_checkpoint_lock *lock) {
    ASSERT(lock->file < 0 || lock->path);
    if (lock->file >= 0) {
        unlink(lock->path); // before others can have it
        close(lock->file);
    }
    free(lock->path);
    *lock = (struct sct_checkpoint_lock){.file = -1};
}
