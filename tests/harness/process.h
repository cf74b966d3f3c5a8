// Processes of the command, in a folder of their own, and checks of what they print.
//
// Needs _POSIX_C_SOURCE 200809L.
#ifndef TESTS_HARNESS_PROCESS_H
#define TESTS_HARNESS_PROCESS_H

#include "tests/support/test.h"
#include "tests/support/fork.h"

#include "core/base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef MTCHECK_COMMAND
#error "MTCHECK_COMMAND is the path of the program under test (tests/CMakeLists.txt)"
#endif

enum { WORDS_MAX = 32, SECONDS_MAX = 100 };

static char folder[64];  // the working directory of the processes, removed after each test
static char source[400]; // the root of the project, where the tests run

// ---- Processes ---------------------------------------------------------------------------------

struct ended {
    int status; // 256 + signal if it was killed
    char *out, *err;
};

static inline char *read_text(const char *path) {
    size_t length = 0, capacity = 4096, got = 0;
    char *text = malloc(capacity);
    assert_non_null(text);
    FILE *in = fopen(path, "r");
    while (in && (got = fread(text + length, 1, capacity - length - 1, in)) > 0) {
        length += got;
        if (length == capacity - 1)
            text = realloc(text, capacity *= 2);
        assert_non_null(text);
    }
    if (in)
        fclose(in);
    text[length] = '\0';
    return text;
}

static inline const char *in_folder(const char *name) {
    static char paths[8][200];
    static size_t next;
    struct text path = text_in(paths[next++ % 8], sizeof paths[0]);
    assert_non_null(name);
    text_add(&path, "%s/%s", folder, name);
    return path.data;
}

static inline void write_text(const char *name, const char *text, size_t length) {
    FILE *out = fopen(in_folder(name), "w");
    assert_non_null(out);
    assert_int_equal(fwrite(text, 1, length, out), length);
    assert_int_equal(fclose(out), 0);
}

static inline void redirect(const char *path, int to) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file < 0 || dup2(file, to) < 0)
        _exit(99);
    close(file);
}

// Starts the command in the folder; standard output goes to [out] (NULL: it is closed).
static inline pid_t start(char *const *words, const char *out) {
    pid_t child = fork_or_fail();
    assert_true(child >= 0);
    if (child > 0)
        return child;
    if (chdir(folder) != 0)
        _exit(99);
    alarm(SECONDS_MAX);
    redirect("stderr", STDERR_FILENO);
    if (out)
        redirect(out, STDOUT_FILENO);
    else
        close(STDOUT_FILENO);
    execv(MTCHECK_COMMAND, words);
    _exit(99);
}

static inline struct ended finish(pid_t child) {
    int status;
    assert_true(waitpid(child, &status, 0) == child);
    return (struct ended){.status =
                              WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status),
                          .out = read_text(in_folder("stdout")),
                          .err = read_text(in_folder("stderr"))};
}

// Whether the process catches [number] by now.
static inline bool catches(pid_t child, int number) {
    char path[64];
    unsigned long long caught = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)child);
    char *text = read_text(path);
    const char *line = strstr(text, "SigCgt:");
    if (line)
        sscanf(line, "SigCgt: %llx", &caught);
    free(text);
    return caught >> (number - 1) & 1;
}

// Waits until it does; fails if the process ends before.
static inline void await_handler(pid_t child, int number) {
    siginfo_t ended = {0};
    while (!catches(child, number)) {
        waitid(P_PID, (id_t)child, &ended, WEXITED | WNOHANG | WNOWAIT);
        if (ended.si_pid == child)
            fail_msg("the process ended before it caught signal %d: status %d", number,
                     ended.si_status);
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
}

static inline void forget(struct ended *ended) {
    free(ended->out);
    free(ended->err);
}

// Cuts [line] at its spaces.
static inline char **split(char *line) {
    static char *words[WORDS_MAX + 2];
    size_t count = 0;
    words[count++] = (char *)(uintptr_t) "mtcheck";
    for (char *word = strtok(line, " "); word; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    words[count] = NULL;
    return words;
}

static inline struct ended run_to(const char *out, const char *line) {
    char copy[1000];
    assert_true(strlen(line) < sizeof copy);
    strcpy(copy, line);
    unlink(in_folder("stdout"));
    return finish(start(split(copy), out));
}

static inline struct ended run(const char *line) {
    return run_to("stdout", line);
}

static inline size_t line_count(const char *text) {
    size_t count = 0;
    for (; *text; text++)
        count += *text == '\n';
    return count;
}

// Status 2, nothing on standard output, one line "mtcheck: ..." with [needle] on standard error.
static inline void check_refused(struct ended *ended, const char *what, const char *needle) {
    bool is_right = ended->status == 2 && *ended->out == '\0' && line_count(ended->err) == 1 &&
                    strncmp(ended->err, "mtcheck: ", 9) == 0 && strstr(ended->err, needle);
    if (!is_right)
        fail_msg("%s: status %d, expected 2 and '%s'; out: '%.200s'; err: '%.400s'", what,
                 ended->status, needle, ended->out, ended->err);
    forget(ended);
}

static inline void check_status(const struct ended *ended, int status) {
    if (ended->status != status)
        fail_msg("status %d, expected %d; out: '%.400s'; err: '%.400s'", ended->status, status,
                 ended->out, ended->err);
}

static inline json_t *parse(const char *text) {
    json_error_t error;
    json_t *value = json_loads(text, 0, &error);
    if (!value)
        fail_msg("not JSON: %s: '%.300s'", error.text, text);
    return value;
}

static inline const char *text_of(const json_t *object, const char *name) {
    const char *text = json_string_value(json_object_get(object, name));
    if (!text)
        fail_msg("'%s' is not a string", name);
    return text;
}

static inline json_int_t count_of(const json_t *object, const char *name) {
    if (!json_is_integer(json_object_get(object, name)))
        fail_msg("'%s' is not an integer", name);
    return json_integer_value(json_object_get(object, name));
}

static inline double real_of(const json_t *object, const char *name) {
    if (!json_is_number(json_object_get(object, name)))
        fail_msg("'%s' is not a number", name);
    return json_number_value(json_object_get(object, name));
}

// ---- Fixture -----------------------------------------------------------------------------------

static inline int make_folder(void **state) {
    (void)state;
    strcpy(folder, "/tmp/mtcheck-command-XXXXXX");
    assert_non_null(getcwd(source, sizeof source));
    return mkdtemp(folder) ? 0 : -1;
}

// Calls [visit] with every file of the folder whose name ends so.
static inline size_t for_files(const char *ending, void (*visit)(const char *name)) {
    size_t count = 0;
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries)) {
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] == '.' || length < strlen(ending) ||
            strcmp(entry->d_name + length - strlen(ending), ending) != 0)
            continue;
        count++;
        if (visit)
            visit(entry->d_name);
    }
    closedir(entries);
    return count;
}

static inline void remove_file(const char *name) {
    remove(in_folder(name));
}

static inline int remove_folder(void **state) {
    (void)state;
    for_files("", remove_file);
    return rmdir(folder);
}

// ---- Command lines -----------------------------------------------------------------------------

// A campaign that fails within some hundred executions.
#define FAILING "--test fast16 --bug 6 --iterations 1000 "

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

#endif
