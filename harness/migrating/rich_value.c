#include "harness/migrating/rich_value.h"
#include "core/engine/machine.h"

#include <math.h>

// The same number in three types, since filters compare across some of them; then the least and the
// empty ones, and what does not survive a careless way through text: a minus zero, NaN, infinity, a
// character beyond the first 65,536.
struct ct_property rich_value(const char *name) {
    static const unsigned char bytes[CT_GUID_BYTES + 1] = {0, 0xff, 0x10};
    const struct ct_property values[] = {
        ct_bool(name, true),
        ct_int32(name, 7),
        ct_int64(name, 7),
        ct_double(name, 7),
        ct_string(name, "calm"),
        ct_datetime(name, 0),
        ct_guid(name, bytes),
        ct_binary(name, bytes, 2),
        ct_int32(name, INT32_MIN),
        ct_int64(name, INT64_MIN),
        ct_double(name, -0.0),
        ct_double(name, NAN),
        ct_double(name, -INFINITY),
        ct_string(name, ""),
        ct_string(name, "\xf0\x9f\x90\xa2"),
        ct_datetime(name, CT_TICKS_MAX),
        ct_guid(name, bytes + 1),
        ct_binary(name, bytes, 0),
    };
    return values[sct_choose(sizeof values / sizeof values[0], "value")];
}
