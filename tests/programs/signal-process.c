// A signal to the process is for any thread that does not block it. Who sends it blocks it here,
// main does not: with the usual action that is the end of the program.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static void *send(void *unused) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGUSR1);
    return unused;
}

int main(void) {
    pthread_t sender;
#ifdef FIXED
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, NULL); // it waits then, for whoever unblocks it
#endif
    pthread_create(&sender, NULL, send, NULL);
    pthread_join(sender, NULL);
    return 0;
}
