#include "model/config/config.h"

const char *mt_state_name(enum mt_state state) {
    static const char *const names[MT_STATE_COUNT] = {
        "USE_OLD_HIDE_METADATA", "PREFER_OLD", "PREFER_NEW", "USE_NEW_WITH_TOMBSTONES",
        "USE_NEW_HIDE_METADATA",
    };
    ASSERT(state < MT_STATE_COUNT);
    return names[state];
}
