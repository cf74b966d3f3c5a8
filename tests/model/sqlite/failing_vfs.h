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

// Has [before_move] called before each write of a database file itself: what empties a log does it.
void failing_vfs_watch_moves(void (*before_move)(void));

// Of the file whose name has that end, opened from now on: whether something was written to it that
// no sync has come after.
void failing_vfs_watch_syncs(const char *ending);
bool failing_vfs_has_unsynced(void);

#endif
