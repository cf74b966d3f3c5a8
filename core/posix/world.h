// The world of a program under control: what is put back before each of its executions, and who
// calls a hook.
//
// Before the first execution everything that the program can change is written down as its
// constructors left it: its writable segments, heap, thread-local variables, arguments,
// environment, descriptors. Each execution begins by putting it back. Threads of the program are
// threads of core/threads, and so is main. The tester lives in the same process and calls the same
// library: hooks tell the two apart by posix_controls.
#ifndef CORE_POSIX_WORLD_H
#define CORE_POSIX_WORLD_H

#include "core/engine/execution.h"
#include "core/engine/machine.h"
#include "core/memory/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct posix_thread;

enum posix_points {
    POSIX_POINTS_SYNC,     // at calls of primitives, atomics and files
    POSIX_POINTS_VOLATILE, // at accesses to volatile variables too
    POSIX_POINTS_ALL,      // at every access to memory that the compiler tells of
};

enum posix_races {
    POSIX_RACES_OFF,
    POSIX_RACES_FIRST, // ends an execution
    POSIX_RACES_ALL,   // those of a survey do not; their places are scheduling points (races.h)
};

// What `mtcheck run` is asked for beside the options of every campaign.
struct posix_options {
    enum posix_points points;
    enum sct_memory_model model;
    enum posix_races races;
    bool has_c11_release_sequences;
    uint32_t history, stale_max;     // struct sct_memory_options
    bool has_threads_after_main;     // a return from main ends main alone (--exit threads)
    bool is_exact;                   // struct sct_memory_options
    bool merges_twins;               // of threads that are still alike a search tries one (twins.h)
    bool has_no_creation_points;     // a new thread goes on at its creator's next point
    bool awaits;                     // loops that wait are seen (await.h)
    bool wakes_spuriously;           // waits for conditions may end without a signal
    bool fails_malloc, fails_create; // these calls may fail
    bool reuses_memory;              // a freed block is the next one of its size
    bool finds_leaks;                // blocks that nobody can reach at the end are a violation
    bool shows_output;               // what the program prints is shown
    bool expects_exit;               // another exit status than [exit_status] is a violation
    int exit_status;
};

// Scheduling points after which an execution is cut off, unless --max-steps says another number.
enum { POSIX_STEPS_MAX = 100000, POSIX_STACK_BYTES = 8 * 1024 * 1024 };

typedef int posix_main(int argc, char **argv, char **envp);

struct posix_world {
    bool is_recording; // MTCHECK is set: the program runs, or will run, under control
    bool is_open;      // what constructors have left is written down
    unsigned in_tool;  // while it is not 0 nobody is under control, inside an execution too
    struct posix_options options;
    posix_main *program_main;
    int argc;
    char **argv;       // of the execution
    bool is_surveying; // executions go on behind races
    bool is_isolated;  // what cannot be put back need not be
    // A search of the tester's own, which has no place for more than SCT_REDUCED_TASKS_MAX threads,
    // leaves such executions without a verdict; whether there was one.
    bool leaves_crowds, was_crowded;
    // Of the execution:
    bool is_told;    // somebody listens
    uint64_t now;    // virtual time, in nanoseconds since its begin
    uint32_t living; // threads that have not ended
    bool has_robust; // mutexes
    // Who has called exit and runs its handlers; NULL: nobody.
    struct posix_thread *exiting;
    struct posix_thread *twins_maker; // creates or joins threads that are alike; NULL: nobody does
    uint32_t names_made[9];           // objects without a symbol, by kind
    // Called in each execution that comes to an end of the program's own; NULL: nobody is.
    void (*on_pass)(void);
};

extern struct posix_world posix_world;

// Whether the running code is the program's, inside an execution.
static inline bool posix_controls(void) {
    return posix_world.in_tool == 0 && sct_engine_inside();
}

// Between these the tester works inside an execution: hooks pass everything through.
static inline void posix_enter_tool(void) {
    posix_world.in_tool++;
}
static inline void posix_leave_tool(void) {
    ASSERT(posix_world.in_tool > 0);
    posix_world.in_tool--;
}

// Writes the world down, once, before the first execution. What was there when [argv] was made is
// what each execution finds.
void posix_world_open(posix_main *program_main, int argc, char **argv);

// A number that stands for the program's build, its arguments and its options: for what all
// decisions of an execution depend on.
uint32_t posix_world_identity(void);

// The program, for campaigns and replays, once the world is written down: its setup puts it back
// and starts main.
struct sct_program posix_program(void);

// The same with other options for its memory, from now on.
struct sct_program posix_program_under(const struct posix_options *options);

// A call that cannot be controlled is the end of the tester, with status 3; one line says what and
// where.
_Noreturn void posix_refuse(const char *what, const char *where);

#endif
