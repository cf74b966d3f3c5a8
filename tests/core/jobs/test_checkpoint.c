#define _GNU_SOURCE // mkdtemp, truncate
#include "tests/support/test.h"

#include "core/jobs/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64], path[80], other_path[80];

static int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/mtcheck-checkpoint-XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/file", folder);
    snprintf(other_path, sizeof other_path, "%s/other", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    unlink(other_path);
    return rmdir(folder);
}

// ---- Writing and reading -----------------------------------------------------------------------

// The text and records "record 0", "record 1", ..., the last of which has a length of its own.
static void write_file(const char *text, int count) {
    struct sct_checkpoint checkpoint;
    struct error error;
    assert_true(sct_checkpoint_create(&checkpoint, path, text, &error));
    for (int i = 0; i < count; i++) {
        char line[64];
        struct sct_bytes record = {0};
        int length = snprintf(line, sizeof line, "record %d", i);
        sct_bytes_add(&record, line, (size_t)length);
        assert_true(sct_checkpoint_append(&checkpoint, &record, &error));
        sct_bytes_free(&record);
    }
    sct_checkpoint_close(&checkpoint);
}

static void append(struct sct_checkpoint *checkpoint, const char *line) {
    struct sct_bytes record = {0};
    struct error error;
    sct_bytes_add(&record, line, strlen(line));
    assert_true(sct_checkpoint_append(checkpoint, &record, &error));
    sct_bytes_free(&record);
}

// How many of "record 0", "record 1", ... follow.
static int count_records(struct sct_checkpoint *checkpoint,
                         bool (*next)(struct sct_checkpoint *, struct sct_bytes *)) {
    struct sct_bytes record = {0};
    int count = 0;
    for (; next(checkpoint, &record); count++) {
        char line[64];
        int length = snprintf(line, sizeof line, "record %d", count);
        assert_int_equal(record.size, length);
        assert_memory_equal(record.data, line, record.size);
    }
    sct_bytes_free(&record);
    return count;
}

static int count_in_file(void) {
    struct sct_checkpoint checkpoint;
    struct error error;
    assert_true(sct_checkpoint_open(&checkpoint, path, &error));
    int count = count_records(&checkpoint, sct_checkpoint_next);
    sct_checkpoint_close(&checkpoint);
    return count;
}

static long size_of(const char *file) {
    FILE *in = fopen(file, "rb");
    assert_non_null(in);
    fseek(in, 0, SEEK_END);
    long size = ftell(in);
    fclose(in);
    return size;
}

static void test_text_and_records_come_back(void **state) {
    (void)state;
    struct sct_checkpoint checkpoint;
    struct error error;
    write_file("the text\nof the caller", 5);
    assert_true(sct_checkpoint_open(&checkpoint, path, &error));
    assert_string_equal(checkpoint.text, "the text\nof the caller");
    sct_checkpoint_close(&checkpoint);
    assert_int_equal(count_in_file(), 5);
    write_file("", 0);
    assert_int_equal(count_in_file(), 0);
}

// Records of no bytes and of more than a buffer.
static void test_sizes(void **state) {
    (void)state;
    static char large[100 * 1000];
    struct sct_checkpoint checkpoint;
    struct sct_bytes record = {0};
    struct error error;
    memset(large, 'x', sizeof large);
    assert_true(sct_checkpoint_create(&checkpoint, path, "text", &error));
    assert_true(sct_checkpoint_append(&checkpoint, &record, &error));
    sct_bytes_add(&record, large, sizeof large);
    assert_true(sct_checkpoint_append(&checkpoint, &record, &error));
    sct_checkpoint_close(&checkpoint);
    assert_true(sct_checkpoint_open(&checkpoint, path, &error));
    assert_true(sct_checkpoint_next(&checkpoint, &record));
    assert_int_equal(record.size, 0);
    assert_true(sct_checkpoint_next(&checkpoint, &record));
    assert_int_equal(record.size, sizeof large);
    assert_memory_equal(record.data, large, sizeof large);
    assert_false(sct_checkpoint_next(&checkpoint, &record));
    sct_checkpoint_close(&checkpoint);
    sct_bytes_free(&record);
}

// ---- A process that was killed -----------------------------------------------------------------

// Cut off anywhere: what is complete is read, what is torn gives its place to the next record.
static void test_every_torn_end_is_overwritten(void **state) {
    (void)state;
    write_file("text", 2);
    long whole = size_of(path);
    write_file("text", 1);
    long first = size_of(path);
    write_file("text", 0);
    long none = size_of(path);
    for (long size = none; size <= whole; size++) {
        struct sct_checkpoint checkpoint;
        struct error error;
        write_file("text", 2);
        assert_int_equal(truncate(path, size), 0);
        int complete = size == whole ? 2 : size >= first;
        assert_true(sct_checkpoint_open(&checkpoint, path, &error));
        assert_int_equal(count_records(&checkpoint, sct_checkpoint_next), complete);
        assert_int_equal(size_of(path), complete == 2 ? whole : complete == 1 ? first : none);
        for (int i = complete; i < 3; i++)
            append(&checkpoint, (const char *[]){"record 0", "record 1", "record 2"}[i]);
        sct_checkpoint_close(&checkpoint);
        assert_int_equal(count_in_file(), 3);
    }
}

// Whatever bit of a record is another one: it and all behind it are not there.
static void test_every_changed_bit_is_noticed(void **state) {
    (void)state;
    write_file("text", 1);
    long first = size_of(path);
    write_file("text", 2);
    for (long at = first; at < size_of(path); at++)
        for (int bit = 0; bit < 8; bit++) {
            write_file("text", 2);
            FILE *file = fopen(path, "r+b");
            fseek(file, at, SEEK_SET);
            int old = fgetc(file);
            fseek(file, at, SEEK_SET);
            fputc(old ^ 1 << bit, file);
            fclose(file);
            assert_int_equal(count_in_file(), 1);
        }
}

// Reading alone leaves the file as it is, torn or not.
static void test_read_changes_nothing(void **state) {
    (void)state;
    struct sct_checkpoint checkpoint;
    struct error error;
    write_file("text", 2);
    long torn = size_of(path) - 1;
    assert_int_equal(truncate(path, torn), 0);
    assert_true(sct_checkpoint_open(&checkpoint, path, &error));
    assert_int_equal(count_records(&checkpoint, sct_checkpoint_read), 1);
    sct_checkpoint_close(&checkpoint);
    assert_int_equal(size_of(path), torn);
}

// ---- Written as a whole ------------------------------------------------------------------------

// What is published takes the place of what was there; until then that is as it was.
static void test_publish_replaces(void **state) {
    (void)state;
    struct sct_checkpoint checkpoint;
    struct sct_bytes record = {0};
    struct error error;
    write_file("the old one", 2);
    assert_true(sct_checkpoint_create(&checkpoint, other_path, "the new one", &error));
    sct_bytes_add(&record, "record 0", 8);
    assert_true(sct_checkpoint_put(&checkpoint, &record, &error));
    assert_int_equal(count_in_file(), 2);
    assert_true(sct_checkpoint_publish(&checkpoint, path, &error));
    assert_null(checkpoint.file);
    assert_int_equal(access(other_path, F_OK), -1);
    assert_true(sct_checkpoint_open(&checkpoint, path, &error));
    assert_string_equal(checkpoint.text, "the new one");
    assert_int_equal(count_records(&checkpoint, sct_checkpoint_next), 1);
    sct_checkpoint_close(&checkpoint);
    sct_bytes_free(&record);
}

// ---- Errors ------------------------------------------------------------------------------------

static void assert_not_opened(const char *reason) {
    struct sct_checkpoint checkpoint;
    struct error error = {{0}};
    assert_false(sct_checkpoint_open(&checkpoint, path, &error));
    if (!strstr(error.text, reason) || !strstr(error.text, path))
        fail_msg("'%s' does not say '%s'", error.text, reason);
}

static void test_other_files_are_refused(void **state) {
    (void)state;
    assert_not_opened("No such file");
    static const char *const contents[] = {"",
                                           "m",
                                           "something else",
                                           "mtcheck-checkpoint 1\n",
                                           "mtcheck-checkpoint 1\ntext",
                                           "mtcheck-checkpoint 2\n"};
    for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
        FILE *file = fopen(path, "wb");
        fputs(contents[i], file);
        fclose(file);
        assert_not_opened("expected a file that --checkpoint has written");
    }
}

// Its records do not make a file of another kind one.
static void test_other_format_is_refused(void **state) {
    (void)state;
    write_file("text", 1);
    FILE *file = fopen(path, "r+b");
    fseek(file, 19, SEEK_SET); // the number of the format
    fputc('2', file);
    fclose(file);
    assert_not_opened("expected a file that --checkpoint has written");
}

static void test_what_cannot_be_created(void **state) {
    (void)state;
    struct sct_checkpoint checkpoint;
    struct error error = {{0}};
    assert_false(sct_checkpoint_create(&checkpoint, "no/such/folder", "text", &error));
    assert_non_null(strstr(error.text, "no/such/folder"));
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_false(sct_checkpoint_create(&checkpoint, "/dev/full", "text", &error));
    assert_non_null(strstr(error.text, "No space left"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_text_and_records_come_back),    TEST(test_sizes),
        TEST(test_every_torn_end_is_overwritten), TEST(test_every_changed_bit_is_noticed),
        TEST(test_read_changes_nothing),          TEST(test_publish_replaces),
        TEST(test_other_files_are_refused),       TEST(test_other_format_is_refused),
        TEST(test_what_cannot_be_created),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
