// What succeeds leaves errno as it is. (Nothing is wrong.)
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

static void *sleep_a_little(void *argument) {
    const struct timespec little = {.tv_nsec = 1000};
    sigset_t set;
    sigemptyset(&set);
    errno = E2BIG;
    assert(nanosleep(&little, NULL) == 0 && errno == E2BIG);
    assert(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && errno == E2BIG);
    return argument;
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, sleep_a_little, NULL);
    sleep_a_little(NULL);
    pthread_join(thread, NULL);
    return 0;
}
