// A thread waits for the signal that asks the program to stop. Whoever sends it must have it
// blocked, or it ends the program where the thread does not wait yet: here main blocks it too late.
#define _GNU_SOURCE
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t handled;

static void note(int number) {
    handled = number;
}

static void *wait_for_signal(void *set) {
    int number;
    sigwait(set, &number);
    assert(number == SIGTERM);
    return NULL;
}

int main(void) {
    sigset_t set;
    pthread_t waiter;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
#ifdef FIXED
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&waiter, NULL, wait_for_signal, &set);
#else
    pthread_create(&waiter, NULL, wait_for_signal, &set);
#endif
    kill(getpid(), SIGTERM);
    pthread_join(waiter, NULL);
    signal(SIGUSR1, note);
    raise(SIGUSR1);
    assert(handled == SIGUSR1);
    return 0;
}
