// The fleet over one plain table: every call of it a step of its own.
#ifndef HARNESS_SCHEMA_PLAIN_WORLD_H
#define HARNESS_SCHEMA_PLAIN_WORLD_H

#include "harness/schema/fleet.h"
#include "harness/subject/subject.h"

struct plain_world;

// What a server's task runs with.
struct plain_server {
    struct plain_world *world;
    size_t index;
};

struct plain_world {
    struct tables tables;
    struct tables_host host;
    struct fleet fleet;
    struct plain_server servers[SU_FLEET_MAX];
    struct client clients[PARTIES_MAX];               // of the servers, then the worker
    void (*serve)(struct fleet *fleet, size_t index); // the program of the servers
};

// A new world in the execution's arena, whose context it is from now on. The first call of setup.
struct plain_world *plain_world_new(void);

// Opens the tables, empty, and makes the machines of the fleet, which is initialised. ETags per
// key: see struct ct_memory_options.
void plain_world_open(struct plain_world *world, bool etags_per_key);

// Starts [serve] in each server, with its number, the roll-out and the worker. The fleet is loaded.
void plain_world_start(struct plain_world *world, void (*serve)(struct fleet *fleet, size_t index));

// Of the tests in such a world.
extern const struct subject_view schema_view;

#endif
