#define _POSIX_C_SOURCE 200809L // F_DUPFD_CLOEXEC
#include "tests/support/test.h"

#include "core/base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static void test_keeps_out_of_the_way(void **state) {
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int kept = sct_descriptor_keep(ends[1]), copy = sct_descriptor_copy(ends[0]);
    assert_true(kept >= 100 && copy >= 100);
    assert_int_equal(fcntl(ends[1], F_GETFD), -1); // closed
    assert_int_equal(fcntl(kept, F_GETFD), FD_CLOEXEC);
    assert_true(sct_descriptor_is_kept(kept) && sct_descriptor_is_kept(copy));
    assert_false(sct_descriptor_is_kept(ends[0]));
    int first, after;
    sct_descriptors_kept(&first, &after);
    assert_true(first <= kept && first <= copy && kept < after && copy < after);
    char byte = 'x';
    assert_int_equal(write(kept, &byte, 1), 1);
    assert_int_equal(read(copy, &byte, 1), 1);
    close(kept);
    close(copy);
    close(ends[0]);
}

static void test_refuses_what_is_not_open(void **state) {
    (void)state;
    assert_int_equal(sct_descriptor_copy(99), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(sct_descriptor_keep(99), -1);
    assert_int_equal(errno, EBADF);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keeps_out_of_the_way),
        cmocka_unit_test(test_refuses_what_is_not_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
