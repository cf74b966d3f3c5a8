// Does what cannot be put under control; which, says its argument.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_mutex(void *unused) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void create_many(void) {
    pthread_t threads[100];
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < 100; i++)
        pthread_create(&threads[i], NULL, wait_for_mutex, NULL);
}

int main(int argc, char **argv) {
    if (argc != 2)
        return 0;
    sigset_t none;
    int signal;
    sigemptyset(&none);
    if (strcmp(argv[1], "fork") == 0)
        fork();
    else if (strcmp(argv[1], "execv") == 0)
        execv(argv[0], argv);
    else if (strcmp(argv[1], "sigwait") == 0)
        sigwait(&none, &signal);
    else
        create_many();
    return 0;
}
