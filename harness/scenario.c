#include "harness/scenario.h"

#include <string.h>

#define SCENARIO(symbol) extern const struct scenario scenario_##symbol;
#include "harness/scenarios.def"
#undef SCENARIO

static const struct scenario *const scenarios[] = {
#define SCENARIO(symbol) &scenario_##symbol,
#include "harness/scenarios.def"
#undef SCENARIO
};

static const struct model models[] = {
#define MODEL(name, summary, bugs, default_test, steps_max) \
    {name, summary, BUG_MODEL_##bugs, default_test, steps_max},
#include "harness/models.def"
#undef MODEL
};

const struct model *model_at(size_t index) {
    return index < sizeof models / sizeof models[0] ? &models[index] : NULL;
}

const struct scenario *scenario_at(size_t index) {
    return index < sizeof scenarios / sizeof scenarios[0] ? scenarios[index] : NULL;
}

const struct model *model_find(const char *name) {
    for (size_t i = 0; model_at(i); i++)
        if (strcmp(model_at(i)->name, name) == 0)
            return model_at(i);
    return NULL;
}

const struct scenario *scenario_find(const struct model *model, const char *name) {
    for (size_t i = 0; scenario_at(i); i++)
        if (strcmp(scenario_at(i)->model, model->name) == 0 &&
            strcmp(scenario_at(i)->name, name) == 0)
            return scenario_at(i);
    return NULL;
}

struct sct_program scenario_program(const struct scenario *scenario, struct bug_set *bugs) {
    return (struct sct_program){
        .setup = scenario->setup,
        .finish = scenario->finish,
        .context = bugs,
        .review = scenario->review,
        .digest = scenario->digest,
        .is_copyable = scenario->is_copyable,
    };
}
