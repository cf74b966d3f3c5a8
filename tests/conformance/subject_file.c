#define _POSIX_C_SOURCE 200809L
#include "tests/conformance/subjects.h"

#include "model/posix/file_table.h"

#include <stdio.h>
#include <unistd.h>

static struct file_table file;

struct ct_table *open_file(struct arena *arena, int number) {
    char path[100];
    (void)arena;
    (void)number;
    snprintf(path, sizeof path, "/tmp/mtcheck-conformance-%ld.table", (long)getpid());
    file_table_create(&file, path, "file-");
    return &file.table;
}

void close_file(struct ct_table *table) {
    ct_close(table);
    file_table_remove(&file);
}
