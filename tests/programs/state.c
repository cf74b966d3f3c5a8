// Whatever an execution changes is as it was when the next one begins: variables, thread-local
// variables, heap, arguments, environment, descriptors and their flags, streams, handlers, working
// folder, mask of modes, locale. The program asserts what it finds and leaves everything changed.
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int zero, one = 1;
static int large[100000] = {[70000] = 5};
static __thread int local = 7;
static char *from_constructor;
static void *key_value_of_main;
static pthread_key_t key;
static int exits;

__attribute__((constructor)) static void construct(void) {
    setenv("LANGUAGE_OF_THIS_TEST", "C", 1);
    from_constructor = strdup("first");
    pthread_key_create(&key, NULL);
    pthread_setspecific(key, from_constructor);
}

static void note_exit(void) {
    assert(exits++ == 0);
}

static void check_variables(void) {
    assert(zero == 0 && one == 1 && local == 7 && exits == 0 && errno == 0);
    assert(large[70000] == 5 && large[0] == 0 && large[99999] == 0);
    assert(strcmp(from_constructor, "first") == 0);
    key_value_of_main = pthread_getspecific(key);
    assert(key_value_of_main == from_constructor);
    zero = one = large[70000] = large[0] = large[99999] = 9;
    local = 8;
    errno = EINVAL;
    from_constructor[0] = 'F';
}

static void check_process(int argc, char **argv) {
    assert(argc == 2 && strcmp(argv[1], "argument") == 0);
    assert(!getenv("STATE_OF_THIS_TEST"));
    char folder[4096];
    assert(strcmp(getcwd(folder, sizeof folder), "/") != 0);
    assert(strcmp(getenv("LANGUAGE_OF_THIS_TEST"), "C") == 0);
    getenv("LANGUAGE_OF_THIS_TEST")[0] = 'D';
    argv[1][0] = 'A';
    argv[1] = NULL;
    setenv("STATE_OF_THIS_TEST", "1", 1);
    int file = open("/dev/null", O_RDONLY);
    assert(file == dup(file) - 1);
    assert(fcntl(STDOUT_FILENO, F_GETFD) == 0);
    assert(fcntl(200, F_GETFD) == -1 && fcntl(file, F_DUPFD, 200) == 200);
    assert((fcntl(STDIN_FILENO, F_GETFL) & O_NONBLOCK) == 0);
    fcntl(STDIN_FILENO, F_SETFL, O_NONBLOCK);
    errno = EINVAL;
    assert(chdir("/") == 0);
    assert(umask(0777) != 0777 && strcmp(setlocale(LC_ALL, NULL), "C") == 0);
    setlocale(LC_ALL, "C.UTF-8");
    fclose(stdout);
    close(STDERR_FILENO);
    atexit(note_exit);
    assert(rand() == 1804289383); // of seed 1
    assert(time(NULL) == 1700000000);
    sleep(10);
    assert(time(NULL) == 1700000010);
}

static void *run(void *address) {
    int *block = calloc(1000, sizeof *block);
    assert(local == 7 && &local != address && errno == 0 && block[0] == 0 && block[999] == 0);
    assert(pthread_getspecific(key) == NULL);
    local = block[0] = block[999] = errno = 4;
    return block;
}

int main(int argc, char **argv) {
    check_variables();
    check_process(argc, argv);
    pthread_t thread;
    void *block;
    pthread_create(&thread, NULL, run, &local);
    pthread_join(thread, &block);
    assert(local == 8 && errno == EINVAL);
    return 3; // blocks are left behind, too
}
