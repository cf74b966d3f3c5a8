// A listening socket, and the thread that takes connections from it. Internal to model/server.
#ifndef MODEL_SERVER_LISTENER_H
#define MODEL_SERVER_LISTENER_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct listener {
    // Gives a connection to somebody, or ends it; called by the thread, which waits as long as
    // there is no room.
    void (*take)(void *context, int socket, const struct sockaddr *address, socklen_t length);
    bool (*has_room)(void *context);
    void *context;
    int socket;
    pthread_t thread;
    atomic_bool is_over;
};

// Listens at [address]; the port that it is goes to [port]. False: it cannot be.
bool listener_open(struct listener *listener, const struct sockaddr_storage *address,
                   uint16_t *port);

// Takes connections until it is closed. [take], [has_room] and [context] are set.
void listener_start(struct listener *listener);

// After listener_start.
void listener_close(struct listener *listener);

#endif
