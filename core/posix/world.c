#define _GNU_SOURCE // environ
#include "core/base/grow.h"
#include "core/base/hash.h"
#include "core/base/rng.h"
#include "core/posix/world.h"
#include "core/posix/aside.h"
#include "core/posix/atomic.h"
#include "core/posix/await.h"
#include "core/posix/exit.h"
#include "core/posix/files.h"
#include "core/posix/frames.h"
#include "core/posix/heap.h"
#include "core/posix/images.h"
#include "core/posix/keys.h"
#include "core/posix/moment.h"
#include "core/posix/objects.h"
#include "core/posix/races.h"
#include "core/posix/signals.h"
#include "core/posix/stacks.h"
#include "core/posix/surroundings.h"
#include "core/posix/terminate.h"
#include "core/posix/thread.h"
#include "core/posix/twins.h"
#include "core/posix/variable.h"
#include "core/posix/watchdog.h"
#include "core/threads/lock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct posix_world posix_world;

// ---- Arguments and environment -----------------------------------------------------------------

// Strings as they were: the vector, and the bytes behind it in one piece.
struct strings {
    char **vector; // what the program gets
    char **first;  // as it was
    size_t count;
    char *bytes, *first_bytes;
    size_t byte_count;
};

static struct strings arguments, environment;

static void *allocate(size_t bytes) {
    ASSERT(bytes > 0);
    void *memory = malloc(bytes);
    if (!memory)
        grow_failed(bytes, "the program's arguments");
    return memory;
}

static void write_down(struct strings *strings, char *const *vector) {
    size_t bytes = 0, at = 0;
    ASSERT(!strings->vector);
    while (vector[strings->count])
        bytes += strlen(vector[strings->count++]) + 1;
    size_t vector_bytes = (strings->count + 1) * sizeof *vector;
    *strings = (struct strings){allocate(vector_bytes), allocate(vector_bytes), strings->count,
                                allocate(bytes + 1),    allocate(bytes + 1),    bytes};
    for (size_t i = 0; i < strings->count; i++) {
        size_t length = strlen(vector[i]) + 1;
        strings->first[i] = strings->bytes + at;
        memcpy(strings->first_bytes + at, vector[i], length);
        at += length;
    }
    ASSERT(at == bytes);
    strings->first[strings->count] = NULL;
}

// Whether they are as they were, as the program will find them; adds the name of the first that is
// not: "the argument 2", "the environment's PATH".
static bool find_lost_string(const struct strings *strings, char *const *vector, const char *of,
                             bool has_names, struct text *text) {
    const char *first = strings->first_bytes;
    for (size_t i = 0; i < strings->count; i++, first += strlen(first) + 1) {
        if (vector[i] && strcmp(vector[i], first) == 0)
            continue;
        if (has_names)
            text_add(text, "%s %.*s", of, (int)strcspn(first, "="), first);
        else
            text_add(text, "%s %zu", of, i);
        return true;
    }
    if (vector[strings->count])
        text_add(text, "the end of %s", of);
    return vector[strings->count];
}

static bool find_lost_argument(struct text *text) {
    return find_lost_string(&arguments, arguments.vector, "argument", false, text);
}

static bool find_lost_variable(struct text *text) {
    return find_lost_string(&environment, environ, "the environment's", true, text);
}

// Both: getopt permutes the vector, strtok writes into the strings.
static void put_back(const struct strings *strings) {
    ASSERT(strings->vector && strings->first);
    memcpy(strings->vector, strings->first, (strings->count + 1) * sizeof *strings->first);
    memcpy(strings->bytes, strings->first_bytes, strings->byte_count);
}

// ---- Executions --------------------------------------------------------------------------------

static void *run_main(void *unused) {
    (void)unused;
    struct posix_world *world = &posix_world;
    ASSERT(posix_controls() && posix_self()->is_main);
    int status = world->program_main(world->argc, arguments.vector, environment.vector);
    // To return from main is to exit (C11, 5.1.2.2.3). Else it is the end of one thread, as if it
    // had called pthread_exit.
    if (!world->options.has_threads_after_main)
        posix_exit(status);
    return NULL;
}

// The state of random(), as srand(1) makes it; another is in use while it is put back, since the
// library writes into the one that is left.
static char random_state[128], first_random_state[128], spare_random_state[128];

static void save_random(void) {
    ASSERT(!posix_world.is_open);
    initstate(1, spare_random_state, sizeof spare_random_state);
    initstate(1, random_state, sizeof random_state);
    setstate(spare_random_state);
    memcpy(first_random_state, random_state, sizeof random_state);
    setstate(random_state);
}

static void put_random_back(void) {
    ASSERT(posix_world.in_tool > 0);
    setstate(spare_random_state);
    memcpy(random_state, first_random_state, sizeof random_state);
    setstate(random_state);
}

// What the C library keeps of a program besides.
// (Of the C library's other variables programs see little: strtok's place, localtime's buffer.)
static void reset_library(void) {
    ASSERT(posix_world.in_tool > 0);
    environ = environment.vector;
    optind = 0; // getopt begins anew
    seed48((unsigned short[3]){0, 0, 0});
}

// The first executions look whether all is what it was. Later ones would find what these have.
static bool is_looked_at(void) {
    enum { LOOKED_AT = 3 };
    static unsigned begun;
    return !posix_world.is_isolated && begun++ < LOOKED_AT;
}

static void require(bool (*find_lost)(struct text *text)) {
    char buffer[400];
    struct text text = text_in(buffer, sizeof buffer);
    if (find_lost(&text))
        fail_at(FAIL_RESOURCE, HERE,
                "%s is not what it was before the first execution, and cannot be put back: run "
                "with --isolate fork",
                buffer);
}

// Whoever writes a trace or a report does so where it was started, and with the modes of there.
static void leave(void *context) {
    (void)context;
    posix_surroundings_restore();
}

static void look_at_rest(void) {
    require(posix_heap_find_lost);
    require(find_lost_argument);
    require(find_lost_variable);
    require(posix_files_find_lost);
}

static void set_up(void *context) {
    // Whatever the last execution was left in: it may have ended in the tester's code, or in a
    // hook's.
    (void)context;
    ASSERT(posix_world.is_open);
    posix_world.in_tool = 1;
    posix_aside_begin();
    posix_watchdog_begin();
    put_random_back(); // first: where the program has given a state of its own, that is written to
    // Memory before what is kept in it: the rest of this writes into the program's variables
    // (environ, the buffers of streams), or makes things anew in the arena, which is empty.
    posix_images_restore();
    bool is_first = is_looked_at();
    if (is_first) // before the rest writes into the program's variables
        require(posix_images_find_lost);
    posix_heap_begin();
    posix_files_begin();
    put_back(&arguments);
    put_back(&environment);
    reset_library();
    if (is_first)
        look_at_rest();
    posix_world.now = 0;
    posix_world.is_told = sct_narrating();
    posix_stacks_begin();
    posix_atomics_begin();
    posix_world.living = 0;
    posix_world.has_robust = false;
    memset(posix_world.names_made, 0, sizeof posix_world.names_made);
    posix_objects_begin();
    posix_exit_begin();
    posix_terminate_begin();
    posix_signals_begin();
    posix_threads_begin();
    posix_twins_begin();
    posix_frames_begin();
    posix_awaits_begin();
    if (posix_world.options.wakes_spuriously)
        sct_condition_allow_spurious();
    const struct posix_thread shape = {.function = run_main, .is_main = true};
    // Last main, which does not run before this returns: its values of keys are of the arena, too.
    posix_keys_begin(posix_thread_create(&shape));
    ASSERT(posix_world.in_tool == 1 && posix_world.living == 1);
    posix_world.in_tool = 0;
}

void posix_world_tell(posix_tell *tell, void *to) {
    struct posix_world *world = &posix_world;
    // As it was then: others have been run since, perhaps to be told.
    ASSERT(!world->is_told);
    tell(to, &world->is_told, sizeof world->is_told);
    tell(to, &world->in_tool, sizeof world->in_tool);
    tell(to, &world->now, sizeof world->now);
    tell(to, &world->living, sizeof world->living);
    tell(to, &world->has_robust, sizeof world->has_robust);
    tell(to, &world->exiting, sizeof world->exiting);
    tell(to, &world->twins_maker, sizeof world->twins_maker);
    tell(to, world->names_made, sizeof world->names_made);
}

struct sct_program posix_program_under(const struct posix_options *options) {
    ASSERT(posix_world.is_open);
    struct sct_memory *memory = posix_memory_open(options);
    const struct sct_outside *outside = posix_outside(memory);
    return (struct sct_program){
        .setup = set_up,
        .leave = leave,
        .memory = memory,
        .is_copyable = outside != NULL,
        .outside = outside,
        .stack_bytes = POSIX_STACK_BYTES,
        .has_twins = options->merges_twins,
        .has_clear_stacks = true,
    };
}

struct sct_program posix_program(void) {
    return posix_program_under(&posix_world.options);
}

void posix_world_open(posix_main *program_main, int argc, char **argv) {
    ASSERT(!posix_world.is_open && program_main);
    posix_world.program_main = program_main;
    posix_world.argc = argc;
    write_down(&arguments, argv);
    write_down(&environment, environ);
    put_back(&arguments);
    put_back(&environment);
    save_random();
    posix_heap_save();
    posix_keys_save();
    posix_exit_save();
    posix_terminate_save();
    posix_signals_save();
    // Images last: what the lines before have put into the program's variables is part of their
    // first state.
    posix_files_open(posix_world.options.shows_output);
    posix_images_save();
    posix_world.is_open = true;
}

uint32_t posix_world_identity(void) {
    // All that a decision may depend on, and nothing that is only shown (shows_output): a trace is
    // replayed by whoever has the same.
    const struct posix_options *options = &posix_world.options;
    ASSERT(posix_world.is_open);
    const uint32_t numbers[] = {
        options->points,
        options->model,
        options->races,
        options->has_c11_release_sequences,
        options->fails_malloc,
        options->fails_create,
        options->reuses_memory,
        options->finds_leaks,
        options->history,
        options->stale_max,
        options->wakes_spuriously,
        options->has_threads_after_main,
        options->expects_exit,
        (uint32_t)options->exit_status,
        options->awaits,
        options->is_exact,
        // In one number: traces of before there were twins are still those of programs without.
        (uint32_t)options->has_no_creation_points | (uint32_t)options->merges_twins << 1,
    };
    uint64_t hash = hash_bytes(numbers, sizeof numbers) ^ posix_races_hash();
    hash = rng_mix(hash ^ hash_bytes(posix_build_id(), strlen(posix_build_id())));
    // Without argv[0]: by what path a program was started is no part of what it is.
    // As they were: an execution may have written into them.
    const char *argument = arguments.first_bytes;
    for (size_t i = 0; i < arguments.count; i++, argument += strlen(argument) + 1)
        if (i > 0)
            hash = rng_mix(hash ^ hash_bytes(argument, strlen(argument)));
    return (uint32_t)(hash >> 32);
}

void posix_refuse(const char *what, const char *where) {
    fail_at(FAIL_RESOURCE, where, "%s is not under control", what);
}
