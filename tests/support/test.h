// cmocka with the headers it needs first. Never use a cmocka assertion inside a coroutine: it jumps
// to another stack. Machines use sct_check; tests assert on the report.
#ifndef TESTS_SUPPORT_TEST_H
#define TESTS_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
