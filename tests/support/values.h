// Random property values and filters: every type, with what is easily lost of each.
#ifndef TESTS_SUPPORT_VALUES_H
#define TESTS_SUPPORT_VALUES_H

#include "core/base/rng.h"
#include "model/table/filter.h"

#include <math.h>

enum { VALUE_NAMES_MAX = 8 };

// A value of a drawn type, mostly one of few, which meet. What it points to is constant.
static struct ct_property random_value(struct rng *rng, const char *name) {
    static const char *const strings[] = {
        "", "x", "it's\ttwo\nlines", "\xc3\xa9", "\xf0\x9f\x90\xa2", "\xef\xbf\xbd"};
    static const int64_t integers[] = {0, 1, -1, INT32_MAX, INT32_MIN};
    static const int64_t longs[] = {0, 1, INT64_MAX, INT64_MIN, 9007199254740993};
    static const double reals[] = {
        0, -0.0, 1, 9007199254740992.0, 1e300, 5e-324, INFINITY, -INFINITY, NAN, -1.5};
    static const int64_t ticks[] = {0, -1, CT_TICKS_MIN, CT_TICKS_MAX, 13771339262608595};
    static const unsigned char bytes[] = "\0\x7f\x80\xff"
                                         "a'b\0c\n%\t012345";
    size_t from;
    switch ((enum ct_type)rng_below(rng, CT_TYPES)) {
    case CT_BOOL:
        return ct_bool(name, rng_below(rng, 2));
    case CT_INT32:
        return ct_int32(name, (int32_t)integers[rng_below(rng, 5)]);
    case CT_INT64:
        return ct_int64(name, longs[rng_below(rng, 5)]);
    case CT_DOUBLE:
        return ct_double(name, reals[rng_below(rng, 10)]);
    case CT_DATETIME:
        return ct_datetime(name, ticks[rng_below(rng, 5)]);
    case CT_GUID:
        return ct_guid(name, bytes + rng_below(rng, 3));
    case CT_BINARY:
        from = rng_below(rng, 3);
        return ct_binary(name, bytes + from, rng_below(rng, 8));
    case CT_STRING:
        break;
    }
    if (rng_below(rng, 8) == 0)
        return ct_string_of(name, "x\0y", 3);
    return ct_string(name, strings[rng_below(rng, 6)]);
}

// A comparison of one of [count] names, or an and, or or not of such, at most [depth] deep. Texts
// of keys are compared with strings as well as with others. A string with a U+0000 only if
// [has_nul]: such a filter has no text.
static const struct ct_filter *random_filter(struct rng *rng, struct arena *into,
                                             const char *const *names, uint32_t count, int depth,
                                             bool has_nul) {
    uint32_t form = depth > 0 ? rng_below(rng, 5) : 4;
    if (form < 3) {
        const struct ct_filter *left = random_filter(rng, into, names, count, depth - 1, has_nul);
        if (form == 2)
            return ct_filter_not(into, left);
        const struct ct_filter *right = random_filter(rng, into, names, count, depth - 1, has_nul);
        return form == 0 ? ct_filter_and(into, left, right) : ct_filter_or(into, left, right);
    }
    struct ct_property operand = random_value(rng, names[rng_below(rng, count)]);
    if (!has_nul && operand.type == CT_STRING)
        operand.size = (uint32_t)strlen(operand.value.string);
    return ct_filter_compare(into, (enum ct_compare)rng_below(rng, 6), operand);
}

#endif
