// One campaign at a time on a checkpoint file: two would overwrite each other's records.
//
// The lock is on a file of its own beside it, "PATH.lock", since a search replaces its checkpoint
// again and again. It is this process' alone, not that of workers it forks, so it ends with it,
// whatever ends it; what is then left of the file is in nobody's way.
#ifndef CORE_JOBS_CHECKPOINT_LOCK_H
#define CORE_JOBS_CHECKPOINT_LOCK_H

#include "core/base/text.h"

struct sct_checkpoint_lock {
    int file;   // of the lock; -1: none is held
    char *path; // the lock's; owned
};

// Locks the checkpoint at [path], which need not be there yet. What is no regular file needs no
// lock and gets none. False, with the reason, if another process has it.
bool sct_checkpoint_lock(struct sct_checkpoint_lock *lock, const char *path, struct error *error);

// Unlocks it and removes the lock's file.
void sct_checkpoint_unlock(struct sct_checkpoint_lock *lock);

#endif
