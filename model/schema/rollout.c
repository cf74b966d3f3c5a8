// The order of the roll-out: no release is skipped, and neighbours are one release apart at most.
#include "model/schema/schema.h"

static enum su_release oldest(const struct su_fleet *fleet) {
    enum su_release least = fleet->releases[0];
    for (size_t i = 1; i < fleet->count; i++)
        least = fleet->releases[i] < least ? fleet->releases[i] : least;
    return least;
}

bool su_fleet_runs(const struct su_fleet *fleet, enum su_release release) {
    for (size_t i = 0; i < fleet->count; i++)
        if (fleet->releases[i] != release)
            return false;
    return true;
}

// Whether the release after [release] may start although some servers still run an older one.
static bool may_overtake(enum su_release release, struct bug_set *bugs) {
    return bug_on(bugs, BUG_HYBRID_BEFORE_TOLERANT) && release == SU_R1_TOLERANT;
}

bool su_rollout_allows(const struct su_fleet *fleet, size_t server, enum su_release *next) {
    ASSERT(server < fleet->count);
    enum su_release present = fleet->releases[server];
    // A server that is ahead of the oldest one waits for it: so neighbours are one release apart at
    // most.
    if (present == SU_R3 || (present > oldest(fleet) && !may_overtake(present, fleet->bugs)))
        return false;
    // R3 updates make 3.0 of everything: no default area may be left.
    if (present == SU_R2 && fleet->swept < SU_2_0)
        return false;
    // One release after the other.
    *next = present != SU_R1_STRICT || !bug_on(fleet->bugs, BUG_SKIP_HYBRID) ? present + 1 : SU_R2;
    return true;
}

bool su_worker_is_due(const struct su_fleet *fleet) {
    enum su_release release = fleet->releases[0];
    bool is_unswept =
        (release == SU_R2 && fleet->swept < SU_2_0) || (release == SU_R3 && fleet->swept < SU_3_0);
    // While somebody runs the release before he may still write its version, behind the worker's
    // scan.
    return is_unswept && su_fleet_runs(fleet, release);
}
