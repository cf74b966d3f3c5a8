// What a migration must leave: the old table empty, the new one equal to the reference, no
// metadata; and what MigratingTable must give back.
#ifndef HARNESS_MIGRATING_FINAL_STATE_H
#define HARNESS_MIGRATING_FINAL_STATE_H

#include "harness/migrating/app.h"

// At the end of an execution in which the migration has ended.
void final_state_check(const struct tables *tables);

// Of that, what the backend tables show by themselves.
void final_state_check_backends(const struct tables *tables);

// That every process which has not died has closed its streams of the backend tables and ended its
// subscriptions. Not for worlds with hooks: those stay subscribed.
void final_state_check_released(const struct world *world);

#endif
