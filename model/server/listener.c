#define _GNU_SOURCE // accept4
#include "model/server/listener.h"

#include "core/base/assert.h"

#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BACKLOG = 511, PAUSE_NANOSECONDS = 5000000 };

static socklen_t size_of(const struct sockaddr_storage *address) {
    return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                          : sizeof(struct sockaddr_in);
}

static uint16_t port_of(const struct sockaddr_storage *address) {
    return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
                                                : ((const struct sockaddr_in *)address)->sin_port);
}

static bool listen_at(int opened, const struct sockaddr_storage *address, uint16_t *port) {
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    int one = 1;
    setsockopt(opened, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (address->ss_family == AF_INET6)
        setsockopt(opened, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (bind(opened, (const struct sockaddr *)address, size_of(address)) != 0 ||
        listen(opened, BACKLOG) != 0 || getsockname(opened, (struct sockaddr *)&bound, &size) != 0)
        return false;
    *port = port_of(&bound);
    return true;
}

bool listener_open(struct listener *listener, const struct sockaddr_storage *address,
                   uint16_t *port) {
    listener->socket = socket(address->ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener->socket < 0)
        return false;
    if (listen_at(listener->socket, address, port))
        return true;
    close(listener->socket);
    listener->socket = -1;
    return false;
}

static void pause_a_while(void) {
    nanosleep(&(struct timespec){.tv_nsec = PAUSE_NANOSECONDS}, NULL);
}

static void *run(void *context) {
    struct listener *listener = context;
    while (!atomic_load(&listener->is_over)) {
        struct sockaddr_storage address;
        socklen_t length = sizeof address;
        if (!listener->has_room(listener->context)) {
            pause_a_while();
            continue;
        }
        int taken = accept4(listener->socket, (struct sockaddr *)&address, &length,
                            SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (taken >= 0)
            listener->take(listener->context, taken, (struct sockaddr *)&address, length);
        else if (errno != EINTR && errno != ECONNABORTED)
            pause_a_while(); // there are no descriptors left, or it is over
    }
    return NULL;
}

void listener_start(struct listener *listener) {
    int code = pthread_create(&listener->thread, NULL, run, listener);
    REQUIRE(code == 0, "cannot start a thread");
}

void listener_close(struct listener *listener) {
    atomic_store(&listener->is_over, true);
    shutdown(listener->socket, SHUT_RDWR); // who waits for a connection goes on
    pthread_join(listener->thread, NULL);
    close(listener->socket);
}
