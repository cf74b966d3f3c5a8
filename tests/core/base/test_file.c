#define _GNU_SOURCE // mkdtemp, lchown
#include "tests/support/test.h"

#include "core/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOMEBODY = 65534 };

static char folder[64];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/test-file-XXXXXX");
    return !mkdtemp(folder) || chdir(folder) != 0;
}

static int remove_folder(void **state) {
    (void)state;
    char line[100];
    snprintf(line, sizeof line, "rm -rf '%s'", folder);
    return chdir("/") != 0 || system(line) != 0;
}

static void write_there(const char *path, const char *text) {
    struct error error = {{0}};
    if (!file_write(path, text, strlen(text), &error))
        fail_msg("%s: %s", path, error.text);
}

static void assert_holds(const char *path, const char *text) {
    char found[100] = "";
    FILE *in = fopen(path, "r");
    assert_non_null(in);
    found[fread(found, 1, sizeof found - 1, in)] = '\0';
    fclose(in);
    assert_string_equal(found, text);
}

static unsigned mode_of(const char *path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static size_t files_here(void) {
    size_t count = 0;
    DIR *entries = opendir(".");
    for (const struct dirent *entry; (entry = readdir(entries));)
        count += entry->d_name[0] != '.';
    closedir(entries);
    return count;
}

// A new file has the mode of any; what replaces a file keeps its mode; nothing is left beside it.
static void test_file_modes(void **state) {
    (void)state;
    mode_t mask = umask(022);
    write_there("a", "one");
    assert_int_equal(mode_of("a"), 0644);
    assert_int_equal(chmod("a", 0600), 0);
    write_there("a", "two");
    umask(mask);
    assert_int_equal(mode_of("a"), 0600);
    assert_holds("a", "two");
    assert_int_equal(files_here(), 1);
}

// One's own links, also one to another, are followed and stay links.
static void test_file_own_links(void **state) {
    (void)state;
    struct stat status;
    assert_int_equal(mkdir("f", 0700), 0);
    assert_int_equal(symlink("b", "a"), 0);
    assert_int_equal(symlink("f/c", "b"), 0);
    write_there("a", "text");
    assert_holds("f/c", "text");
    assert_int_equal(lstat("a", &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_int_equal(symlink("e", "d"), 0);
    assert_int_equal(symlink("d", "e"), 0);
    struct error error = {{0}};
    assert_false(file_write("d", "x", 1, &error));
    assert_non_null(strstr(error.text, "symbolic links"));
}

// Somebody else's link in a folder of everybody's is not followed, wherever on the way it stands.
static void test_file_links_of_others(void **state) {
    (void)state;
    if (geteuid() != 0)
        skip();
    struct error error = {{0}};
    write_there("mine", "mine");
    assert_int_equal(mkdir("all", 0700), 0);
    assert_int_equal(chmod("all", 01777), 0);
    assert_int_equal(symlink("../mine", "all/trap"), 0);
    assert_int_equal(symlink("..", "all/way"), 0);
    assert_int_equal(symlink("all/trap", "indirect"), 0);
    assert_int_equal(lchown("all/trap", SOMEBODY, SOMEBODY), 0);
    assert_int_equal(lchown("all/way", SOMEBODY, SOMEBODY), 0);
    static const char *const paths[] = {"all/trap", "all/way/mine", "all/way/new", "indirect"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_false(file_write(paths[i], "x", 1, &error));
        assert_non_null(strstr(error.text, "somebody else's link"));
        assert_int_equal(file_open(paths[i], O_WRONLY | O_CREAT, &error), -1);
    }
    assert_holds("mine", "mine");
    assert_int_equal(chmod("all", 0777), 0); // not sticky: the folder's owner answers for it
    write_there("all/trap", "now");
    assert_holds("mine", "now");
}

// What fails leaves the old file and nothing else.
static void test_file_failures(void **state) {
    (void)state;
    struct error error = {{0}};
    assert_false(file_write("no/such", "x", 1, &error));
    assert_string_equal(error.text, "No such file or directory");
    assert_false(file_write("/dev/full", "x", 1, &error));
    assert_string_equal(error.text, "No space left on device");
    assert_int_equal(mkdir("f", 0700), 0);
    assert_false(file_write("f", "x", 1, &error));
    assert_int_equal(files_here(), 1);
    write_there("/dev/null", "x");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_file_modes),
        TEST(test_file_own_links),
        TEST(test_file_links_of_others),
        TEST(test_file_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
