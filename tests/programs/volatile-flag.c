// The same with a variable that is volatile: a wait of the older kind. The buggy one lowers the
// flag again, so that who comes late has missed it.
#include <pthread.h>
#include <stddef.h>
#include <unistd.h>

static volatile int is_open;

static void *open_for_a_moment(void *unused) {
    (void)unused;
    is_open = 1;
#ifndef FIXED
    is_open = 0;
#endif
    return NULL;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, open_for_a_moment, NULL);
    while (!is_open)
        usleep(10);
    return pthread_join(thread, NULL);
}
