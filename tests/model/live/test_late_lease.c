// A migrator that renews its lease too late says so: while somebody else has the control file
// locked it cannot.
#define _POSIX_C_SOURCE 200809L
#include "tests/support/test.h"

#include "model/live/live.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LEASE_MS = 3000, LOCKED_MS = 4000, TEXT_BYTES = 4096 };

static char control[64], text[TEXT_BYTES];
static struct error error;

static void rest(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static int call(int (*function)(const struct live_options *, struct error *),
                const char *hold_before) {
    FILE *out = fmemopen(text, sizeof text, "w");
    assert_non_null(out);
    const struct live_options options = {.control = control,
                                         .name = "m",
                                         .out = out,
                                         .old_name = "old#t",
                                         .new_name = "new#t",
                                         .lease_ms = LEASE_MS,
                                         .hold_before = hold_before};
    int status = function(&options, &error);
    fputc('\0', out);
    fclose(out);
    return status;
}

// Keeps the control file locked for a while, once there is a migrator; then gives the order to go
// on.
static void *lock_and_resume(void *context) {
    (void)context;
    sqlite3 *file;
    struct error ignored;
    FILE *out = fopen("/dev/null", "w");
    rest(LEASE_MS / 2);
    if (sqlite3_open(control, &file) == SQLITE_OK) {
        sqlite3_busy_timeout(file, LEASE_MS);
        sqlite3_exec(file, "BEGIN IMMEDIATE", NULL, NULL, NULL);
        rest(LOCKED_MS);
        sqlite3_exec(file, "ROLLBACK", NULL, NULL, NULL);
    }
    sqlite3_close(file);
    live_resume(&(struct live_options){.control = control, .name = "m", .out = out}, &ignored);
    fclose(out);
    return NULL;
}

// Held before its first push until the file is free, it has said so, and goes on to the end.
static void test_late(void **state) {
    char folder[] = "/tmp/test_late_lease.XXXXXX";
    pthread_t thread;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    snprintf(control, sizeof control, "%s/control", folder);
    assert_int_equal(call(live_init, NULL), LIVE_DONE);
    assert_int_equal(pthread_create(&thread, NULL, lock_and_resume, NULL), 0);
    assert_int_equal(call(live_migrate, "PREFER_OLD"), LIVE_DONE);
    pthread_join(thread, NULL);
    assert_non_null(strstr(text, "the lease of 3000 ms is renewed late"));
    assert_non_null(strstr(text, "migrated in"));
    unlink("control");
    unlink("old");
    unlink("new");
    assert_int_equal(chdir("/"), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
