#include "model/schema/entry.h"
#include "model/table/row.h"

static const char *const version_names[SU_VERSION_COUNT] = {"1.0", "1.5", "2.0", "3.0"};

// What the classes of the releases have in them.
static const struct {
    const char *name;
    bool refuses_unknown; // a row with a property that the class does not know is an error
    bool knows_area;
    bool knows_scale;
    bool needs_scale; // a row without it is an error
    enum su_version inserts;
} classes[SU_RELEASE_COUNT] = {
    [SU_R1_STRICT] = {"R1-strict", true, false, true, true, SU_1_0},
    [SU_R1_TOLERANT] = {"R1-tolerant", false, false, true, true, SU_1_0},
    [SU_R1_5] = {"R1.5", false, true, true, true, SU_1_5},
    [SU_R2] = {"R2", false, true, true, false, SU_2_0},
    [SU_R3] = {"R3", false, true, false, false, SU_3_0},
};

const char *su_version_name(enum su_version version) {
    ASSERT(version < SU_VERSION_COUNT);
    return version_names[version];
}

const char *su_release_name(enum su_release release) {
    ASSERT(release < SU_RELEASE_COUNT);
    return classes[release].name;
}

// ---- Reading -----------------------------------------------------------------------------------

// The properties of a row, by their names in their order.
enum { AREA, SCALE, VERSION, TEMPERATURE, TIME, PROPERTIES_KNOWN };

static const char *const known_names[PROPERTIES_KNOWN] = {
    SU_AREA, SU_SCALE, SU_VERSION, SU_TEMPERATURE, SU_TIME,
};

static bool class_knows(enum su_release release, int property) {
    switch (property) {
    case AREA:
        return classes[release].knows_area;
    case SCALE:
        return classes[release].knows_scale;
    default:
        return true;
    }
}

// The first property of [row] that is not one of those [found] in it which the class knows; NULL if
// there is none.
// Both are in the order of their names: the first property of the row that is not the next one
// found is unknown.
static const char *find_unknown(enum su_release release, const struct ct_row *row,
                                const struct ct_property *const *found) {
    const struct ct_property *property = row->properties;
    for (int i = 0; i < PROPERTIES_KNOWN; i++)
        if (found[i] == property && class_knows(release, i))
            property++;
    return property == row->properties + row->property_count ? NULL : property->name;
}

static bool get_number(const struct ct_property *property, int32_t *value) {
    if (!property || property->type != CT_INT32)
        return false;
    *value = property->value.int32;
    return true;
}

// NULL if there is none.
static const char *get_string(const struct ct_property *property) {
    return property && property->type == CT_STRING ? property->value.string : NULL;
}

static bool get_version(const struct ct_property *property, enum su_version *version) {
    const char *name = get_string(property);
    for (int i = 0; name && i < SU_VERSION_COUNT; i++)
        if (ct_string_equal(name, version_names[i])) {
            *version = (enum su_version)i;
            return true;
        }
    return false;
}

// The first property that the class needs and [row] lacks; NULL if there is none.
static const char *read_known(enum su_release release, const struct ct_property *const *found,
                              struct su_entry *entry) {
    if (!get_number(found[TIME], &entry->time))
        return SU_TIME;
    if (!get_number(found[TEMPERATURE], &entry->temperature))
        return SU_TEMPERATURE;
    if (!get_version(found[VERSION], &entry->version))
        return SU_VERSION;
    entry->scale = classes[release].knows_scale ? get_string(found[SCALE]) : NULL;
    if (classes[release].needs_scale && !entry->scale)
        return SU_SCALE;
    entry->area = classes[release].knows_area ? get_string(found[AREA]) : NULL;
    // Whoever writes 1.5 or later writes an area, so one that is missing was lost (bug
    // OldClientReplaces).
    if (classes[release].knows_area && entry->version >= SU_1_5 && !entry->area)
        return SU_AREA;
    return NULL;
}

bool su_entry_parse(enum su_release release, const struct ct_row *row, struct su_entry *entry,
                    const char **property) {
    *entry = (struct su_entry){.key = row->key, .etag = row->etag};
    const struct ct_property *found[PROPERTIES_KNOWN];
    ct_row_pick(row, known_names, PROPERTIES_KNOWN, found);
    *property = classes[release].refuses_unknown ? find_unknown(release, row, found) : NULL;
    if (!*property)
        *property = read_known(release, found, entry);
    return !*property;
}

struct su_reading su_entry_reading(enum su_release release, const struct su_entry *entry,
                                   struct bug_set *bugs) {
    // Below 2.0 the area is only the default: nobody chose it.
    bool is_chosen = entry->version >= SU_2_0 || bug_on(bugs, BUG_TRUST_DEFAULT);
    return (struct su_reading){
        .version = entry->version,
        .time = entry->time,
        .temperature = entry->temperature,
        .scale = entry->scale ? entry->scale : SU_SCALE_DEFAULT,
        .area = release >= SU_R2 && is_chosen ? entry->area : NULL,
    };
}

// ---- Writing -----------------------------------------------------------------------------------

struct ct_row *su_entry_format(enum su_release release, const struct su_entry *entry,
                               const char *if_match, struct arena *arena) {
    struct ct_property properties[PROPERTIES_KNOWN]; // in the order of their names
    size_t count = 0;
    // What was not there is not added: an entry at 3.0 stays without Scale.
    if (classes[release].knows_area && entry->area)
        properties[count++] = ct_string(SU_AREA, entry->area);
    if (classes[release].knows_scale && entry->scale)
        properties[count++] = ct_string(SU_SCALE, entry->scale);
    properties[count++] = ct_string(SU_VERSION, version_names[entry->version]);
    properties[count++] = ct_int32(SU_TEMPERATURE, entry->temperature);
    properties[count++] = ct_int32(SU_TIME, entry->time);
    return ct_row_new_sorted(arena, entry->key, if_match, properties, count);
}

struct su_entry su_entry_new(enum su_release release, struct ct_key key,
                             const struct su_sample *sample) {
    struct su_entry entry = {
        .key = key,
        .version = classes[release].inserts,
        .time = sample->time,
        .temperature = sample->temperature,
        .scale = SU_SCALE_DEFAULT,
    };
    if (classes[release].knows_area)
        entry.area = release >= SU_R2 ? sample->area : SU_AREA_DEFAULT;
    return entry;
}

void su_entry_touch(enum su_release release, struct su_entry *entry, struct bug_set *bugs) {
    switch (release) {
    case SU_R1_STRICT:
    case SU_R1_TOLERANT:
    case SU_R2:
        return;
    case SU_R1_5:
        // Only an entry at 1.0 becomes 1.5: never one that a neighbour has brought further.
        if (entry->version == SU_1_0 || bug_on(bugs, BUG_HYBRID_DOWNGRADE)) {
            entry->version = SU_1_5;
            entry->area = SU_AREA_DEFAULT;
        }
        return;
    case SU_R3:
        // The scale goes with the write: the class does not know it, and R3 replaces.
        entry->version = SU_3_0;
        return;
    case SU_RELEASE_COUNT:
        break;
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown release %d", (int)release);
}
