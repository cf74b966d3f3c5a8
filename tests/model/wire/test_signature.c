#include "tests/support/arena.h"

#include "model/wire/signature.h"

#include <string.h>

static void test_sign(void **state) {
    (void)state;
    struct wire_key key;
    char signature[WIRE_SIGNATURE_SIZE];
    // RFC 4231, test case 2: the key "Jefe".
    assert_true(wire_key_read("SmVmZQ==", &key));
    wire_sign(&key, "what do ya want for nothing?", signature);
    assert_string_equal(signature, "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
    assert_true(wire_is_signed(&key, "what do ya want for nothing?", signature));
    assert_false(wire_is_signed(&key, "what do ya want for nothing.", signature));
    signature[20] ^= 1;
    assert_false(wire_is_signed(&key, "what do ya want for nothing?", signature));
    assert_false(wire_is_signed(&key, "what do ya want for nothing?", ""));
    assert_false(wire_key_read("", &key));
    assert_false(wire_key_read("SmVmZQ=", &key));
    char huge[WIRE_KEY_BYTES_MAX * 2];
    memset(huge, 'A', sizeof huge);
    huge[sizeof huge - 4] = '\0';
    assert_false(wire_key_read(huge, &key));
}

// A key that fills a block of the hash, or nearly, or is itself hashed first: the bytes of RFC
// 4231, test case 6, of which the one with 131 is that case.
static void test_keys(void **state) {
    static const struct {
        size_t size;
        const char *signature;
    } cases[] = {
        {63, "ufbTIFYD3dz7hxuBMvaY8vw7DPl2X+0BEyMdHmc51yg="},
        {64, "hDMqdYDtPPdd6DxkTI0sHCYq2Q4BkOXFrkuCshAujnU="},
        {65, "xilVqWlE/2jeq7wOq2GSBlwcVbuN3uFhUe1TN/kR6rk="},
        {131, "YOQxWR7gtn8Niiaqy/W3f44LxiE3KMUUBUYEDw7jf1Q="},
        {256, "y5B9ktFnLJcOJMo0lV1NEn+56R3xtHXc2Dx02lO8+Dk="},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire_key key = {.size = cases[i].size};
        char signature[WIRE_SIGNATURE_SIZE];
        memset(key.bytes, 0xaa, key.size);
        wire_sign(&key, "Test Using Larger Than Block-Size Key - Hash Key First", signature);
        assert_string_equal(signature, cases[i].signature);
    }
}

// The texts of the service's documentation, as the emulator accepts them.
static void test_texts(void **state) {
    (void)state;
    struct wire_signed parts = {.verb = "POST",
                                .content_md5 = "",
                                .content_type = "application/json",
                                .date = "Sun, 22 Nov 2026 04:08:15 GMT",
                                .account = "devstoreaccount1",
                                .path = "/devstoreaccount1/Tables"};
    assert_string_equal(wire_shared_key_lite_text(&arena, &parts),
                        "Sun, 22 Nov 2026 04:08:15 GMT\n/devstoreaccount1/devstoreaccount1/Tables");
    parts.path = "/devstoreaccount1/Demo";
    parts.comp = "acl";
    assert_string_equal(wire_shared_key_text(&arena, &parts),
                        "POST\n\napplication/json\nSun, 22 Nov 2026 04:08:15 GMT\n"
                        "/devstoreaccount1/devstoreaccount1/Demo?comp=acl");
}

static void test_sas_texts(void **state) {
    (void)state;
    struct wire_sas sas = {.sv = "2019-02-02", .sp = "raud", .se = "2026-12-01T00:00:00Z"};
    sas.tn = "Demo";
    assert_string_equal(wire_table_sas_text(&arena, "acc", &sas),
                        "raud\n\n2026-12-01T00:00:00Z\n/table/acc/demo\n\n\n\n2019-02-02\n\n\n\n");
    sas.ss = "t";
    sas.srt = "sco";
    assert_string_equal(wire_account_sas_text(&arena, "acc", &sas),
                        "acc\nraud\nt\nsco\n\n2026-12-01T00:00:00Z\n\n\n2019-02-02\n");
    sas.sv = "2020-12-06";
    assert_string_equal(wire_account_sas_text(&arena, "acc", &sas),
                        "acc\nraud\nt\nsco\n\n2026-12-01T00:00:00Z\n\n\n2020-12-06\n\n");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ARENA_TEST(test_sign),
        ARENA_TEST(test_keys),
        ARENA_TEST(test_texts),
        ARENA_TEST(test_sas_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
