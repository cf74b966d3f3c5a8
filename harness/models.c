#include "harness/models.h"
#include "bugs/bugs.h"
#include "core/base/grow.h"

// ---- Tests -------------------------------------------------------------------------------------

#define SCENARIO(model, symbol) extern const struct subject_test scenario_##symbol;
#include "core/base/grow.h"
#include "harness/scenarios.def"
#undef SCENARIO

// Of a registry for all models, the lines of one.
#define IS_MIGRATING_TABLE(entry) entry
#define IS_SCHEMA_UPGRADE(entry)
#define IS_DUAL_WRITE(entry)
#define SCENARIO(model, symbol) IS_##model(&scenario_##symbol COMMA)
#define COMMA ,

static const struct subject_test *const tests_MIGRATING_TABLE[] = {
#include "harness/scenarios.def"
    NULL,
};

#undef IS_MIGRATING_TABLE
#undef IS_SCHEMA_UPGRADE
#define IS_MIGRATING_TABLE(entry)
#define IS_SCHEMA_UPGRADE(entry) entry

static const struct subject_test *const tests_SCHEMA_UPGRADE[] = {
#include "harness/scenarios.def"
    NULL,
};

#undef IS_SCHEMA_UPGRADE
#undef IS_DUAL_WRITE
#define IS_SCHEMA_UPGRADE(entry)
#define IS_DUAL_WRITE(entry) entry

static const struct subject_test *const tests_DUAL_WRITE[] = {
#include "harness/scenarios.def"
    NULL,
};

#undef SCENARIO

// ---- Bugs --------------------------------------------------------------------------------------

// A model's bugs stand together in the registry.
static size_t first_bug(enum bug_model model) {
    size_t bug = 0;
    while (bug_info((enum bug)bug)->model != model)
        bug++;
    return bug;
}

static struct variant variant_of_bug(enum bug_model model, size_t index) {
    size_t bug = first_bug(model) + index;
    if (bug >= BUG_COUNT || bug_info((enum bug)bug)->model != model)
        return (struct variant){0};
    const struct bug_info *info = bug_info((enum bug)bug);
    return (struct variant){index, info->number, info->name, bug_kind_name(info->kind),
                            info->summary};
}

static void *open_bugs(enum bug_model model, const struct variant *on) {
    struct bug_set *bugs = grow_new(1, sizeof *bugs, "the set of bugs");
    if (on)
        bug_set_inject(bugs, (enum bug)(first_bug(model) + on->index));
    return bugs;
}

#ifdef MTCHECK_NO_BUGS
enum { ARE_BUILT_IN = false };
#else
enum { ARE_BUILT_IN = true };
#endif

#define MODEL(symbol, model_name, about, first, steps)                                     \
    static struct variant at_##symbol(size_t index) {                                      \
        return variant_of_bug(BUG_MODEL_##symbol, index);                                  \
    }                                                                                      \
    static void *open_##symbol(const struct variant *on) {                                 \
        return open_bugs(BUG_MODEL_##symbol, on);                                          \
    }                                                                                      \
    static const uint64_t *passes_##symbol(const void *context) {                          \
        const struct bug_set *bugs = context;                                              \
        return &bugs->reached[first_bug(BUG_MODEL_##symbol)];                              \
    }                                                                                      \
    static const struct subject_variants bugs_##symbol = {at_##symbol, ARE_BUILT_IN,       \
                                                          open_##symbol, passes_##symbol}; \
    static const struct subject model_##symbol = {.name = model_name,                      \
                                                  .summary = about,                        \
                                                  .tests = tests_##symbol,                 \
                                                  .default_test = first,                   \
                                                  .steps_max = steps,                      \
                                                  .variants = &bugs_##symbol};
#include "harness/models.def"
#undef MODEL

// ---- Models ------------------------------------------------------------------------------------

const struct subject *const models[] = {
#define MODEL(symbol, name, summary, default_test, steps_max) &model_##symbol,
#include "harness/models.def"
#undef MODEL
    NULL,
};
