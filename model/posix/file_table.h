// A chain table in a text file, for real threads: a second implementation of the interface.
//
// The file holds one row a line and is rewritten whole and renamed by every batch; a mutex makes
// each operation atomic. One table serves all threads of a process. For tests: it is as slow as
// that sounds.
#ifndef MODEL_POSIX_FILE_TABLE_H
#define MODEL_POSIX_FILE_TABLE_H

#include "model/table/table.h"

#include <pthread.h>

struct file_table {
    struct ct_table table; // first member
    char path[256];
    const char *etag_prefix;
    pthread_mutex_t mutex;
};

// An empty table at [path], which is overwritten. The file stays when the table is closed.
void file_table_create(struct file_table *file, const char *path, const char *etag_prefix);

// Removes the file of a table that was closed.
void file_table_remove(const struct file_table *file);

// All rows, in key order, in [arena].
struct ct_rows file_table_rows(struct file_table *file, struct arena *arena);

#endif
