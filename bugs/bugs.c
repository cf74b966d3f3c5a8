#include "bugs/bugs.h"
#include "core/base/assert.h"
#include "core/base/number.h"

#include <string.h>

static const struct bug_info registry[BUG_COUNT] = {
#define BUG(model, number, symbol, name, kind, summary) \
    {BUG_MODEL_##model, number, name, BUG_KIND_##kind, summary},
#include "bugs/bugs.def"
#undef BUG
};

const struct bug_info *bug_info(enum bug bug) {
    ASSERT(bug < BUG_COUNT);
    return &registry[bug];
}

const char *bug_kind_name(enum bug_kind kind) {
    switch (kind) {
    case BUG_KIND_ORGANIC:
        return "organic";
    case BUG_KIND_NOTIONAL:
        return "notional";
    case BUG_KIND_HARNESS:
        return "harness";
    case BUG_KIND_PUBLISHED:
        return "published";
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown bug kind %d", (int)kind);
}

bool bug_find(enum bug_model model, const char *number_or_name, enum bug *bug) {
    uint64_t number = 0;
    bool is_number = number_parse(number_or_name, 0, INT32_MAX, &number);
    for (int i = 0; i < BUG_COUNT; i++) {
        const struct bug_info *info = &registry[i];
        if (info->model == model && ((is_number && info->number == (int)number) ||
                                     strcmp(info->name, number_or_name) == 0)) {
            *bug = (enum bug)i;
            return true;
        }
    }
    return false;
}

bool bug_are_built_in(void) {
#ifdef MTCHECK_NO_BUGS
    return false;
#else
    return true;
#endif
}

void bug_set_inject(struct bug_set *bugs, enum bug bug) {
    ASSERT(bug < BUG_COUNT);
    bugs->on |= UINT64_C(1) << bug;
}
