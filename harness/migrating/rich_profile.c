#include "harness/migrating/rich_profile.h"
#include "core/campaign/marks.h"
#include "harness/migrating/rich_value.h"
#include "harness/migrating/workload.h"
#include "model/table/filter.h"
#include "model/table/row.h"

const char *const rich_partitions[RICH_PARTITIONS_MAX] = {"", "p", "q"};

// "z" sorts behind the protocol's own rows, "0 " is the very next key after "0".
const char *const rich_row_keys[RICH_KEYS_MAX] = {"0", "1", "z", "2", "0 ", "00"};

// ---- Drawing -----------------------------------------------------------------------------------

#define DRAW_WEIGHTED(weighted) \
    (weighted)[sct_choose(sizeof(weighted) / sizeof(weighted)[0], "focus state")]

// One key, or some of which machines often meet at the same, or now and then many.
// Calls that name the same row meet; with many rows they pass by each other.
static uint32_t draw_key_count(void) {
    if (sct_choose(2, "one key") == 0)
        return 1;
    return one_in(12, "many keys") ? RICH_KEYS_MAX : 2 + sct_choose(2, "keys");
}

static uint32_t draw_type(void) {
    return 1u << sct_choose(RICH_TYPE_COUNT, "operation in use");
}

// All types, or few: those meet more often.
static uint32_t draw_types(void) {
    const uint32_t all = (1u << RICH_TYPE_COUNT) - 1;
    const uint32_t deletes = 1u << CT_DELETE | 1u << RICH_DELETE_IF_EXISTS;
    uint32_t first; // one draw per statement: the order of draws is part of the execution
    switch (sct_choose(4, "subset of operations")) {
    case 0:
        return all;
    case 1:
        first = draw_type();
        return first | draw_type();
    case 2:
        return deletes | draw_type();
    default:
        return 1 + sct_choose(all, "operations in use");
    }
}

uint32_t rich_draw_program_types(const struct profile *profile) {
    static const uint32_t families[] = {
        1u << CT_INSERT | 1u << CT_INSERT_OR_REPLACE | 1u << CT_INSERT_OR_MERGE,
        1u << CT_DELETE | 1u << RICH_DELETE_IF_EXISTS,
        1u << CT_REPLACE | 1u << CT_MERGE,
    };
    if (!profile->has_families)
        return profile->types;
    uint32_t family = families[sct_choose(3, "family of operations")];
    return one_in(3, "one more operation") ? family | draw_type() : family;
}

// The states in which data is on the move are the richer ones.
static enum mt_state draw_focus(void) {
    static const enum mt_state weighted[] = {
        MT_USE_OLD_HIDE_METADATA,
        MT_PREFER_OLD,
        MT_PREFER_OLD,
        MT_PREFER_OLD,
        MT_PREFER_NEW,
        MT_PREFER_NEW,
        MT_PREFER_NEW,
        MT_USE_NEW_WITH_TOMBSTONES,
        MT_USE_NEW_WITH_TOMBSTONES,
        MT_USE_NEW_HIDE_METADATA,
        MT_USE_NEW_HIDE_METADATA,
    };
    return DRAW_WEIGHTED(weighted);
}

// All but the last, in which there is no next push.
static enum mt_state draw_state_before_push(void) {
    static const enum mt_state weighted[] = {
        MT_USE_OLD_HIDE_METADATA,
        MT_PREFER_OLD,
        MT_PREFER_NEW,
        MT_USE_NEW_WITH_TOMBSTONES,
        MT_PREFER_OLD,
        MT_PREFER_NEW,
        MT_PREFER_OLD,
    };
    return DRAW_WEIGHTED(weighted);
}

static void draw_gathering(struct profile *profile) {
    static const enum gathering weighted[] = {
        GATHER_NOWHERE, GATHER_ABOUT,   GATHER_IN,      GATHER_IN,      GATHER_IN,
        GATHER_AT_PUSH, GATHER_AT_PUSH, GATHER_AT_PUSH, GATHER_AT_PUSH,
    };
    profile->gathering = weighted[sct_choose(9, "gathering")];
    if (profile->gathering == GATHER_AT_PUSH) {
        profile->focus = draw_state_before_push();
        profile->behind = sct_choose(3, "who is behind");
    } else if (profile->gathering != GATHER_NOWHERE) {
        profile->focus = draw_focus();
    }
}

enum mt_state rich_busy_push(const struct profile *profile) {
    return profile->gathering == GATHER_AT_PUSH ? profile->focus + 1 : MT_USE_OLD_HIDE_METADATA;
}

// ---- Themes ------------------------------------------------------------------------------------

static void draw_free(struct profile *profile) {
    profile->key_count = profile->operations_max = draw_key_count();
    if (one_in(4, "large batches"))
        profile->operations_min = profile->key_count;
    profile->has_families = one_in(3, "families of operations");
    if (!profile->has_families)
        profile->types = draw_types();
    profile->row_rarity = one_in(3, "few rows") ? 2 : 6;
    profile->calls_max = 4;
    draw_gathering(profile);
}

// Two keys or three, created and removed in one state.
static void draw_duel(struct profile *profile) {
    static const uint32_t creating[] = {CT_INSERT, CT_INSERT_OR_REPLACE, CT_INSERT_OR_MERGE};
    static const uint32_t removing[] = {CT_DELETE, RICH_DELETE_IF_EXISTS};
    static const enum mt_state weighted[] = {
        MT_USE_NEW_HIDE_METADATA, MT_PREFER_NEW, MT_PREFER_OLD,
        MT_USE_NEW_HIDE_METADATA, MT_PREFER_NEW, MT_USE_NEW_WITH_TOMBSTONES,
        MT_USE_NEW_HIDE_METADATA, MT_PREFER_OLD, MT_PREFER_OLD,
    };
    profile->gathering = GATHER_IN;
    profile->focus = DRAW_WEIGHTED(weighted);
    profile->key_count = profile->operations_max = 2 + one_in(4, "third key");
    profile->types = 1u << creating[sct_choose(3, "creating operation")];
    profile->types |= 1u << removing[sct_choose(2, "removing operation")];
    profile->types |= draw_type();
    profile->row_rarity = profile->focus == MT_USE_NEW_HIDE_METADATA ? 2 : 8;
    profile->calls_min = 3;
    profile->calls_max = 6;
}

static void draw_chase(struct profile *profile) {
    static const enum mt_state weighted[] = {
        MT_USE_NEW_WITH_TOMBSTONES,
        MT_PREFER_OLD,
        MT_PREFER_NEW,
        MT_USE_NEW_WITH_TOMBSTONES,
        MT_PREFER_OLD,
        MT_USE_OLD_HIDE_METADATA,
        MT_PREFER_NEW,
        MT_PREFER_OLD,
        MT_USE_NEW_WITH_TOMBSTONES,
        MT_USE_OLD_HIDE_METADATA,
        MT_USE_NEW_WITH_TOMBSTONES,
    };
    profile->gathering = GATHER_AT_PUSH;
    profile->focus = DRAW_WEIGHTED(weighted);
    profile->key_count = profile->operations_max = 2 + sct_choose(4, "keys");
    profile->has_filters = sct_choose(3, "filters") < 2;
    profile->has_families = true;
    profile->row_rarity = 8;
    profile->calls_max = 3;
}

static void draw_theme(struct profile *profile) {
    switch (sct_choose(12, "theme")) {
    case 5:
    case 6:
    case 7:
        profile->theme = THEME_DUEL;
        draw_duel(profile);
        return;
    case 8:
    case 9:
    case 10:
    case 11:
        profile->theme = THEME_CHASE;
        draw_chase(profile);
        return;
    default:
        draw_free(profile);
    }
}

// What few executions have, one of it at a time: the rest would drown in it.
static void draw_rare_feature(struct profile *profile) {
    switch (sct_choose(16, "rare feature")) {
    case 6:
        profile->has_limits = true;
        return;
    case 7: // what such tables do one by one, while the old one is left
        profile->has_limits = true;
        profile->types |= 1u << RICH_DELETE_IF_EXISTS;
        profile->operations_min = profile->operations_max = 1;
        profile->gathering = GATHER_AT_PUSH;
        profile->focus = MT_PREFER_OLD;
        profile->behind = 1 + sct_choose(2, "who is behind");
        return;
    case 8:
        profile->partition_count = 2 + sct_choose(RICH_PARTITIONS_MAX - 1, "partitions");
        return;
    case 9:
    case 10:
    case 11:
    case 12:
    case 13:
        profile->has_rich_filters = true;
        profile->has_wide_rows = one_in(3, "wide rows");
        return;
    case 14:
        profile->has_filters = false;
        return;
    case 15:
        profile->has_third_service = sct_choose(2, "third service") == 1;
        profile->has_wide_rows = !profile->has_third_service;
        return;
    default:
        return;
    }
}

// Drawn once for an execution (swarm testing): with all features at once each would be too thin to
// meet itself, and a campaign has all of them in some execution.
const struct profile *rich_profile_draw(void) {
    struct profile *profile = ARENA_NEW(sct_arena(), struct profile);
    *profile = (struct profile){
        .partition_count = 1, .operations_min = 1, .calls_min = 1, .has_filters = true};
    draw_theme(profile);
    // In a duel they matter most: all machines are in one state.
    uint32_t slow = sct_choose(8, "slow calls");
    profile->has_slow_calls = slow > (profile->theme == THEME_DUEL ? 1 : 5);
    draw_rare_feature(profile);
    if (one_in(3, "limits"))
        profile->has_limits = true;
    profile->is_apt = sct_choose(4, "apt operations") > 0;
    return profile;
}

// ---- Rows and filters --------------------------------------------------------------------------

size_t rich_draw_properties(const struct profile *profile,
                            struct ct_property properties[RICH_PROPERTIES_MAX]) {
    size_t count = 0;
    properties[count++] = is_happy(sct_choose(2, "isHappy") == 1);
    if (!profile->has_wide_rows)
        return count;
    uint32_t mood = sct_choose(MOOD_COUNT + 1, MOOD);
    if (mood > 0)
        properties[count++] = ct_string(MOOD, moods[mood - 1]);
    if (sct_choose(2, AGE) == 1)
        properties[count++] = ct_int32(AGE, 7);
    if (sct_choose(2, ODD) == 1)
        properties[count++] = rich_value(ODD);
    return count;
}

const struct ct_filter *rich_draw_filter(const struct profile *profile) {
    static const struct filter_keys keys = {rich_partitions, rich_row_keys, RICH_PARTITIONS_MAX,
                                            RICH_KEYS_MAX};
    if (!profile->has_filters)
        return NULL;
    if (profile->has_rich_filters)
        return rich_filter(&keys);
    return ct_filter_compare_bool(sct_arena(), IS_HAPPY, CT_EQ, sct_choose(2, "filter") == 1);
}

// The copy pass then meets only what was written since.
void rich_load_rows(struct world *world) {
    const struct profile *profile = world->profile;
    if (one_in(6, "empty table")) {
        MARK("the table is empty at first");
        return;
    }
    for (uint32_t p = 0; p < profile->partition_count; p++) {
        struct ct_row *rows[RICH_KEYS_MAX];
        size_t count = 0;
        for (uint32_t k = 0; k < profile->key_count; k++) {
            if (one_in(profile->row_rarity, "row absent"))
                continue;
            struct ct_property properties[RICH_PROPERTIES_MAX];
            size_t property_count = rich_draw_properties(profile, properties);
            struct ct_key key = {rich_partitions[p], rich_row_keys[k]};
            rows[count++] = ct_row_new(sct_arena(), key, NULL, properties, property_count);
        }
        if (count > 0)
            tables_load(&world->tables, rows, count);
    }
}
