// The log of a connection that writes much: what a transaction writes goes to the file together.
// Internal to model/sqlite.
//
// SQLite writes a page to the log by two calls, and a bulk writer's transaction has a hundred
// pages. Here they are gathered, and written when SQLite syncs the log at the end of the
// transaction, at the latest: before anybody can know of it, and where what fails is told. That
// sync itself is left out, as the synchronous mode NORMAL does; those before pages are moved into
// the file are made.
#ifndef MODEL_SQLITE_LOG_FILE_H
#define MODEL_SQLITE_LOG_FILE_H

#include <sqlite3.h>

// The name of the file system, for sqlite3_open_v2, whose logs are such ones; otherwise it is the
// one that is SQLite's default when this is called first. NULL: it cannot be had.
const char *log_file_system(void);

// Of a connection that was opened there, before anything else is done with it. SQLITE_OK, or why
// not.
int log_file_begin(sqlite3 *database);

#endif
