// A table in an SQLite file, and a MigratingTable between two of them.
#define _XOPEN_SOURCE 700 // mkdtemp
#include "tests/conformance/subjects.h"

#include "model/sqlite/sqlite_table.h"
#include "tests/support/direct_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[64];

static const char *path_of(const char *name, const char *end) {
    static char path[128];
    snprintf(path, sizeof path, "%s/%s%s", folder, name, end);
    return path;
}

static void make_folder(void) {
    snprintf(folder, sizeof folder, "/tmp/mtcheck-conformance-XXXXXX");
    REQUIRE(mkdtemp(folder), "cannot make a folder");
}

static struct ct_table *open_table(const char *name) {
    struct error error;
    struct ct_sqlite_table *table = ct_sqlite_open(
        &(struct ct_sqlite_options){
            .path = path_of(name, ".db"), .name = "t", .busy_ms = 1000, .is_relaxed = true},
        &error);
    REQUIRE(table, "%s", error.text);
    return ct_sqlite_interface(table);
}

static void remove_file(const char *name) {
    static const char *const ends[] = {".db", ".db-wal", ".db-shm"};
    for (int i = 0; i < 3; i++)
        unlink(path_of(name, ends[i]));
}

struct ct_table *open_sqlite(struct arena *arena, int number) {
    (void)arena;
    (void)number;
    make_folder();
    return open_table("table");
}

void close_sqlite(struct ct_table *table) {
    ct_close(table);
    remove_file("table");
    rmdir(folder);
}

static struct direct_world world;

struct ct_table *open_migrating_files(struct arena *arena, int number) {
    (void)arena;
    make_folder();
    arena_init(&world.arena, 1 << 24);
    direct_reset(&world, (enum mt_state)number);
    world.old_table.inner = open_table("old");
    world.new_table.inner = open_table("new");
    return world.table;
}

void close_migrating_files(struct ct_table *table) {
    ct_close(table);
    ct_close(world.old_table.inner);
    ct_close(world.new_table.inner);
    remove_file("old");
    remove_file("new");
    rmdir(folder);
    arena_deinit(&world.arena);
}
