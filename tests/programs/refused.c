// Does what cannot be put under control; which, says its argument.
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_mutex(void *unused) {
    pthread_mutex_lock(&mutex);
    pthread_mutex_unlock(&mutex);
    return unused;
}

static void create_many(void) {
    pthread_t threads[520];
    pthread_mutex_lock(&mutex);
    for (int i = 0; i < 520; i++)
        pthread_create(&threads[i], NULL, wait_for_mutex, NULL);
}

// Nobody writes.
static void read_own_pipe(void) {
    int ends[2];
    char byte;
    if (pipe(ends) == 0 && read(ends[0], &byte, 1) == 1)
        abort();
}

static void allocate_much(void) {
    for (int i = 0; i < 200; i++)
        if (!malloc(10 * 1000 * 1000))
            abort();
}

static sem_t *place;

__attribute__((noinline)) static void set_up_local(void) {
    sem_t semaphore;
    sem_init(&semaphore, 0, 0);
    place = &semaphore;
}

// Of a thread, too, which has ended before anybody reads it.
__attribute__((noinline)) static void *return_local(void *unused) {
    int number = 1;
    int *volatile pointer = &number;
    (void)unused;
    return pointer;
}

static int read_local_of_thread(void) {
    pthread_t thread;
    void *number;
    pthread_create(&thread, NULL, return_local, NULL);
    pthread_join(thread, &number);
    return *(int *)number;
}

int main(int argc, char **argv) {
    if (argc < 2)
        return 0;
    if (strcmp(argv[1], "fork") == 0)
        fork();
    else if (strcmp(argv[1], "execv") == 0)
        execv(argv[0], argv);
    else if (strcmp(argv[1], "kill") == 0)
        kill(getppid(), SIGTERM);
    else if (strcmp(argv[1], "read") == 0)
        read_own_pipe();
    else if (strcmp(argv[1], "end") == 0)
        syscall(SYS_kill, getpid(), SIGKILL);
    else if (strcmp(argv[1], "memory") == 0)
        allocate_much();
    else if (strcmp(argv[1], "own") == 0)
        return *(int *)return_local(NULL);
    else if (strcmp(argv[1], "thread") == 0)
        return read_local_of_thread();
    else if (strcmp(argv[1], "semaphore") == 0) {
        set_up_local();
        sem_post(place);
    } else
        create_many();
    return 0;
}
