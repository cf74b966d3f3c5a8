// A chain table in a text file, for real threads: a second implementation of the interface.
//
// The file holds one row a line and is rewritten whole and renamed by every batch; a mutex makes
// each operation atomic. Every thread opens a handle of its own, since results go to an arena.
#ifndef MODEL_POSIX_FILE_TABLE_H
#define MODEL_POSIX_FILE_TABLE_H

#include "model/table/table.h"

#include <pthread.h>

struct file_table {
    char path[256];
    const char *etag_prefix;
    pthread_mutex_t mutex;
};

// A handle: the interface first.
struct file_handle {
    struct ct_table table;
    struct file_table *file;
    struct arena *arena;
};

// An empty table at [path], which is overwritten.
void file_table_create(struct file_table *file, const char *path, const char *etag_prefix);

// Removes the file.
void file_table_remove(struct file_table *file);

// A handle whose results live in [arena]; for one thread at a time.
void file_handle_open(struct file_handle *handle, struct file_table *file, struct arena *arena);

// All rows, in key order.
struct ct_rows file_table_rows(struct file_handle *handle);

#endif
