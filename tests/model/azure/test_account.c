#define _XOPEN_SOURCE 700 // mkdtemp
#include "tests/support/test.h"

#include "model/azure/account.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "c2VjcmV0c2VjcmV0c2VjcmV0"

static struct ct_azure_account account;
static struct error error;

static void test_forms(void **state) {
    (void)state;
    assert_true(ct_azure_account_read(&account, "UseDevelopmentStorage=true", false, &error));
    assert_string_equal(account.endpoint, "http://127.0.0.1:10002/devstoreaccount1");
    assert_true(account.has_key);
    assert_true(ct_azure_account_read(
        &account, "AccountName=acc;AccountKey=" KEY ";UseDevelopmentStorage=false", false, &error));
    assert_string_equal(account.endpoint, "https://acc.table.core.windows.net");
    assert_true(
        ct_azure_account_read(&account,
                              "DefaultEndpointsProtocol=https;AccountName=acc;AccountKey=" KEY ";"
                              "EndpointSuffix=core.windows.net",
                              false, &error));
    assert_string_equal(account.endpoint, "https://acc.table.core.windows.net");
    assert_true(ct_azure_account_read(
        &account, "TableEndpoint=https://h/x/;; SharedAccessSignature=sv=1&sig=a%3D;", false,
        &error));
    assert_string_equal(account.endpoint, "https://h/x");
    assert_string_equal(account.sas, "sv=1&sig=a%3D");
    assert_false(account.has_key);
}

// What is wrong is said in one line, in which there is no secret.
static void refuse(const char *text, const char *what) {
    assert_false(ct_azure_account_read(&account, text, false, &error));
    if (!strstr(error.text, what))
        fail_msg("expected '%s' in '%s'", what, error.text);
    assert_null(strchr(error.text, '\n'));
    assert_null(strstr(error.text, "c2Vj"));
    assert_null(strstr(error.text, "sig"));
}

static void test_refusals(void **state) {
    (void)state;
    refuse("", "expected an AccountKey or a SharedAccessSignature");
    refuse("AccountName=acc", "expected an AccountKey or a SharedAccessSignature");
    refuse("AccountName=acc;AccountKey=c2Vj!", "expected an AccountKey in base64");
    refuse("AccountKey=" KEY, "expected an AccountName");
    refuse("SharedAccessSignature=sig", "expected a TableEndpoint or AccountName");
    refuse("TableEndpoint=ftp://h;SharedAccessSignature=sig", "expected a TableEndpoint");
    refuse("AccountName=acc;AccountKey=" KEY ";TableEndpoint=http://h/acc", "expected https");
    refuse("AccountName=acc;AccountKey=" KEY ";TableEndpoint=http://127.0.0.1.h/acc",
           "expected https");
    refuse("AccountName=acc;AccountKey=" KEY ";DefaultEndpointsProtocol=http", "expected https");
    assert_true(ct_azure_account_read(
        &account, "AccountName=acc;AccountKey=" KEY ";TableEndpoint=http://h/acc", true, &error));
}

// A file is only read if nobody else can read it.
static void test_files(void **state) {
    (void)state;
    char folder[] = "/tmp/mtcheck-azure-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/connection", folder);
    assert_false(ct_azure_account_load(&account, path, false, &error));
    int file = open(path, O_WRONLY | O_CREAT, 0600);
    static const char text[] = "AccountName=acc;AccountKey=" KEY "\nmore\n";
    assert_int_equal(write(file, text, sizeof text - 1), sizeof text - 1);
    close(file);
    assert_true(ct_azure_account_load(&account, path, false, &error));
    assert_string_equal(account.name, "acc");
    chmod(path, 0640);
    assert_false(ct_azure_account_load(&account, path, false, &error));
    assert_non_null(strstr(error.text, "mode 0600"));
    unlink(path);
    rmdir(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
