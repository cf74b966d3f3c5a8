// The network: how requests of a process come to the tables, and what befalls them (process.h).
#ifndef HARNESS_PRODUCTION_NETWORK_H
#define HARNESS_PRODUCTION_NETWORK_H

#include "harness/production/process.h"

// Makes the stores, empty, and the network's machine.
void network_init(struct production *world);

// Gives [process] its proxies.
void network_connect(struct process *process);

#endif
