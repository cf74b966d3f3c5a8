// The network: how requests of a process come to the tables, and what befalls them (process.h).
#ifndef HARNESS_PRODUCTION_NETWORK_H
#define HARNESS_PRODUCTION_NETWORK_H

#include "harness/production/process.h"

// Makes the stores, empty, and the network's machine. Of [world] what the stores are like is set.
void network_init(struct production *world);

// Of the stores, what is under way in them, and the history.
struct digest network_digest(const struct production *world);

// A process that is to run [program] from its start on, with its proxies of the stores.
struct process *network_add(struct production *world, const char *name, uint32_t rate,
                            void (*program)(struct process *process), void *data);

// A further connection of [process] to a store, in the execution's arena.
struct mt_bounded network_connect(struct process *process, enum store_id store);

#endif
