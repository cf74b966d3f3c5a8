// A file system of SQLite whose n-th write to a file, or sync of one, fails.
#ifndef TESTS_MODEL_SQLITE_FAILING_VFS_H
#define TESTS_MODEL_SQLITE_FAILING_VFS_H

#include <sqlite3.h>
#include <stdbool.h>

// The default one from now on: what is opened later goes through it.
void failing_vfs_install(void);

// The [first]-th write or sync from now on (from 1), and those after it, [count] in all, fail;
// first 0: none.
void failing_vfs_set(unsigned first, unsigned count);

// How many writes and syncs there were since.
unsigned failing_vfs_calls(void);

// How many files were opened since for what a statement or a part of a transaction takes back.
unsigned failing_vfs_undo_files(void);

#endif
