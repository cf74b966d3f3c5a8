#include "harness/migrating/rich_filter.h"
#include "core/engine/machine.h"
#include "harness/migrating/rich_value.h"
#include "harness/migrating/workload.h"

const char *const moods[MOOD_COUNT] = {"", "calm", "wild"};

static const char *draw_string(const char *const *strings, uint32_t count, const char *label) {
    return strings[sct_choose(count, label)];
}

static enum ct_compare draw_compare(void) {
    return (enum ct_compare)sct_choose(CT_GE + 1, "comparison");
}

static const struct ct_filter *compare_bool(const char *name) {
    enum ct_compare compare = draw_compare();
    return ct_filter_compare_bool(sct_arena(), name, compare, sct_choose(2, "literal") == 1);
}

static const struct ct_filter *compare_string(const char *name, const char *literal) {
    return ct_filter_compare_string(sct_arena(), name, draw_compare(), literal);
}

static const struct ct_filter *compare_value(void) {
    static const char *const names[] = {ODD, AGE, MOOD};
    const char *name = draw_string(names, sizeof names / sizeof names[0], "property");
    enum ct_compare compare = draw_compare();
    return ct_filter_compare(sct_arena(), compare, rich_value(name));
}

// A property whose type is another one, or that no row has.
static const struct ct_filter *compare_mismatched(void) {
    static const char *const names[] = {IS_HAPPY, MOOD, AGE, CT_ROW_KEY, "nobody"};
    const char *name = draw_string(names, sizeof names / sizeof names[0], "mismatched");
    if (name == names[0])
        return compare_string(name, "true");
    return compare_bool(name);
}

static const struct ct_filter *compare_reserved(void) {
    static const char *const rows[] = {
        "_mtable_partition_meta",
        "_mtable_partition_populated_assertion",
    };
    switch (sct_choose(4, "reserved name")) {
    case 0:
        return compare_bool("_mtable_deleted");
    case 1:
        return compare_bool("_mtable_partition_state");
    case 2:
        return compare_string("_mtable_deleted", "");
    default:
        return compare_string(CT_ROW_KEY, draw_string(rows, 2, "reserved row"));
    }
}

static const struct ct_filter *draw_comparison(const struct filter_keys *keys) {
    switch (sct_choose(10, "compared")) {
    case 0:
    case 1:
        return compare_bool(IS_HAPPY);
    case 2:
        return compare_string(CT_ROW_KEY, draw_string(keys->rows, keys->row_count, "row"));
    case 3:
        return compare_string(CT_PARTITION_KEY,
                              draw_string(keys->partitions, keys->partition_count, "partition"));
    case 4:
        return compare_string(MOOD, draw_string(moods, MOOD_COUNT, "mood"));
    case 5:
        return compare_mismatched();
    case 6:
    case 7:
        return compare_value();
    default:
        return compare_reserved();
    }
}

static const struct ct_filter *join(const struct ct_filter *left, const struct ct_filter *right) {
    if (sct_choose(2, "or") == 0)
        return ct_filter_and(sct_arena(), left, right);
    return ct_filter_or(sct_arena(), left, right);
}

static const struct ct_filter *perhaps_not(const struct ct_filter *filter) {
    return sct_choose(4, "not") == 3 ? ct_filter_not(sct_arena(), filter) : filter;
}

const struct ct_filter *rich_filter(const struct filter_keys *keys) {
    const struct ct_filter *filter = perhaps_not(draw_comparison(keys));
    uint32_t more = sct_choose(4, "more comparisons");
    for (uint32_t i = 0; i < more; i++) {
        const struct ct_filter *other = draw_comparison(keys);
        bool is_left = sct_choose(2, "left") == 1;
        filter = perhaps_not(is_left ? join(other, filter) : join(filter, other));
    }
    return filter;
}
