// What the operator wants of the migrator: a row of the control table beside the configuration.
// Internal to model/live.
#ifndef MODEL_LIVE_ORDERS_H
#define MODEL_LIVE_ORDERS_H

#include "model/live/files.h"

struct orders {
    bool is_paused;
    int32_t rows_per_second; // 0: no limit
    int32_t hold_before;     // a state; 0: none (nothing can be held before the first)
};

// Success without a row: no orders.
struct ct_outcome orders_read(struct file_connection *control, const char *migration,
                              struct arena *arena, struct orders *orders);

struct ct_outcome orders_write(struct file_connection *control, const char *migration,
                               struct arena *arena, const struct orders *orders);

struct ct_outcome orders_delete(struct file_connection *control, const char *migration,
                                struct arena *arena);

#endif
