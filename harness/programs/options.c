#define _GNU_SOURCE // strtok_r
#include "core/base/grow.h"
#include "core/base/number.h"
#include "harness/programs/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Finds [value] among [names], a list that ends with NULL.
static bool choose(const char *option, const char *value, const char *const *names, unsigned *index,
                   struct error *error) {
    for (*index = 0; names[*index]; ++*index)
        if (strcmp(names[*index], value) == 0)
            return true;
    return error_set(error, "option --%s: unknown value '%.200s' (see --help)", option, value);
}

static bool set_points(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"sync", "volatile", "all", NULL};
    unsigned index;
    if (!choose("points", value, names, &index, error))
        return false;
    command->options.points = (enum posix_points)index;
    return true;
}

static bool set_memory(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"sc", "tso", "c11", NULL};
    unsigned index;
    if (!choose("memory", value, names, &index, error))
        return false;
    command->options.model = (enum sct_memory_model)index;
    return true;
}

static bool set_races(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"off", "first", "all", NULL};
    unsigned index;
    if (!choose("races", value, names, &index, error))
        return false;
    command->options.races = (enum posix_races)index;
    return true;
}

static bool set_sequences(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"c20", "c11", NULL};
    unsigned index;
    if (!choose("release-sequences", value, names, &index, error))
        return false;
    command->options.has_c11_release_sequences = index == 1;
    return true;
}

// A number from 0 to [max], all of [value].
static bool parse(const char *option, const char *value, uint32_t max, uint32_t *number,
                  struct error *error) {
    if (!number_parse32(value, 0, max, number))
        return error_set(error,
                         "option --%s: expected a number from 0 to %" PRIu32 ", found '%.200s'",
                         option, max, value);
    return true;
}

static bool set_history(struct program_command *command, const char *value, struct error *error) {
    command->has_history = true;
    return parse("history", value, UINT16_MAX, &command->options.history, error);
}

static bool set_stale(struct program_command *command, const char *value, struct error *error) {
    return parse("stale", value, UINT16_MAX, &command->options.stale_max, error);
}

static bool set_exit(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"process", "threads", NULL};
    unsigned index;
    if (!choose("exit", value, names, &index, error))
        return false;
    command->options.has_threads_after_main = index == 1;
    return true;
}

static bool set_awaits(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"off", "on", NULL};
    unsigned index;
    if (!choose("awaits", value, names, &index, error))
        return false;
    command->options.awaits = index == 1;
    return true;
}

static bool set_stdout(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"drop", "show", NULL};
    unsigned index;
    if (!choose("stdout", value, names, &index, error))
        return false;
    command->options.shows_output = index == 1;
    return true;
}

static bool set_expected_exit(struct program_command *command, const char *value,
                              struct error *error) {
    uint32_t status = 0;
    if (!parse("expect-exit", value, 255, &status, error))
        return false;
    command->options.expects_exit = true;
    command->options.exit_status = (int)status;
    return true;
}

static bool set_graphs(struct program_command *command, const char *value, struct error *error) {
    (void)value;
    (void)error;
    command->counts_graphs = true;
    return true;
}

static bool set_seq_cst(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"executed", "exact", NULL};
    unsigned index;
    if (!choose("seq-cst", value, names, &index, error))
        return false;
    command->options.is_exact = index == 1;
    return true;
}

static bool set_isolation(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"none", "fork", NULL};
    unsigned index;
    if (!choose("isolate", value, names, &index, error))
        return false;
    command->isolates = index == 1;
    return true;
}

enum { PROOF_OPTIONS = 2 };

// All executions, as few as tell of all, and with all that they may read.
static bool set_proof(struct program_command *command, const char *value, struct error *error) {
    static char strategy[] = "--strategy=dfs", reduction[] = "--reduce=dpor";
    (void)value;
    (void)error;
    if (!command->proves) {
        command->rest[command->rest_count++] = strategy;
        command->rest[command->rest_count++] = reduction;
        text_add(&command->fixed, " --seq-cst exact");
    }
    command->proves = command->options.is_exact = true;
    return true;
}

static bool set_symmetry(struct program_command *command, const char *value, struct error *error) {
    (void)value;
    (void)error;
    command->options.merges_twins = true;
    return true;
}

static bool set_spurious(struct program_command *command, const char *value, struct error *error) {
    (void)value;
    (void)error;
    command->options.wakes_spuriously = true;
    return true;
}

static bool set_suppressions(struct program_command *command, const char *value,
                             struct error *error) {
    (void)error;
    command->suppressions = value;
    return true;
}

static bool set_failures(struct program_command *command, const char *value, struct error *error) {
    char copy[64], *rest;
    snprintf(copy, sizeof copy, "%s", value);
    for (char *word = strtok_r(copy, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
        static const char *const names[] = {"malloc", "create", NULL};
        unsigned index;
        if (!choose("fail", word, names, &index, error))
            return false;
        *(index == 0 ? &command->options.fails_malloc : &command->options.fails_create) = true;
    }
    return true;
}

static bool set_heap(struct program_command *command, const char *value, struct error *error) {
    static const char *const names[] = {"fresh", "reuse", NULL};
    unsigned index;
    if (!choose("heap", value, names, &index, error))
        return false;
    command->options.reuses_memory = index == 1;
    return true;
}

static bool set_leaks(struct program_command *command, const char *value, struct error *error) {
    (void)value;
    (void)error;
    command->options.finds_leaks = true;
    return true;
}

// In the order of --help. What [fixes] an execution stands in the line that replays it.
static const struct option_of_programs {
    const char *name, *value; // value NULL: it has none
    bool fixes;
    bool (*set)(struct program_command *command, const char *value, struct error *error);
    const char *help; // lines that follow the first are indented
} options[] = {
    {"memory", "MODEL", true, set_memory, "what atomics may do: sc, tso or c11 (default)"},
    {"races", "WHAT", true, set_races,
     "a data race is a violation, the first ends an execution (first, the\n"
     "default); a survey looks for all, and executions go on behind those,\n"
     "with their places as scheduling points (all); nobody looks (off)"},
    {"suppress", "FILE", true, set_suppressions,
     "findings that are none: lines KIND FUNCTION-or-FILE"},
    {"release-sequences", "S", true, set_sequences,
     "what continues a release sequence: c11 or c20 (default)"},
    {"history", "N", true, set_history,
     "a load chooses from the N newest stores (default 8, of searches\n"
     "all; 0: all)"},
    {"stale", "N", true, set_stale, "at most N reads and stores out of order in an execution"},
    {"awaits", "WHAT", true, set_awaits,
     "loops in which nothing changes wait for a change (on, the default),\n"
     "or go round (off)"},
    {"seq-cst", "WHAT", true, set_seq_cst,
     "the order of operations with memory_order_seq_cst: that in which they\n"
     "are executed (executed, the default), or whatever RC11 allows (exact,\n"
     "for at most 512 atomic accesses in an execution)"},
    {"prove", NULL, false, set_proof,
     "go through all executions up to the first race; no verdict if that\n"
     "cannot be done (--strategy dfs --reduce dpor --seq-cst exact)"},
    {"symmetry", NULL, true, set_symmetry,
     "with --reduce or --prove: threads that begin alike are tried in one order\n"
     "only; a program that is seen to tell them apart is refused"},
    {"points", "WHERE", true, set_points,
     "scheduling points: sync, volatile (default: at volatile variables\n"
     "too) or all (at every access to memory)"},
    {"exit", "WHAT", true, set_exit,
     "a return from main ends the process (default), or main's thread\n"
     "alone: process or threads"},
    {"expect-exit", "N", true, set_expected_exit, "another exit status than N is a violation"},
    {"spurious", NULL, true, set_spurious, "waits for conditions may end without a signal"},
    {"fail", "CALLS", true, set_failures,
     "these may fail: malloc, create (of threads), or both: a,b"},
    {"heap", "HOW", true, set_heap,
     "freed memory is not used again in an execution (fresh, the default), or\n"
     "at once (reuse), as real allocators do: for the ABA problem"},
    {"leaks", NULL, true, set_leaks, "blocks that no pointer leads to at the end are a violation"},
    {"isolate", "HOW", true, set_isolation,
     "executions follow one another in a process (none, the default), or\n"
     "each has its own (fork): for what cannot be put back; slower"},
    {"stdout", "WHAT", false, set_stdout,
     "show or drop what the program prints (default: show in replays,\n"
     "drop in campaigns)"},
    {"count-graphs", NULL, false, set_graphs,
     "say how many execution graphs there were: which store each load has\n"
     "read, and the order of the stores of each variable"},
};

enum { OPTION_COUNT_OF_PROGRAMS = sizeof options / sizeof options[0] };

void program_options_print_help(FILE *out) {
    enum { COLUMN = 29 };
    fputs("The program\n", out);
    for (size_t i = 0; i < OPTION_COUNT_OF_PROGRAMS; i++) {
        char left[COLUMN];
        struct text text = text_in(left, sizeof left);
        text_add(&text, "      --%s %s", options[i].name, options[i].value ? options[i].value : "");
        fprintf(out, "%-*s", COLUMN - 1, left);
        for (const char *help = options[i].help; *help; help++) {
            fputc(*help, out);
            if (*help == '\n')
                fprintf(out, "%*s", COLUMN - 1, "");
        }
        fputc('\n', out);
    }
}

// The option that [argument] is, or NULL; *[value] is what stands behind its '='.
static const struct option_of_programs *find(const char *argument, const char **value) {
    const char *equals = strchr(argument, '=');
    size_t length = equals ? (size_t)(equals - argument) : strlen(argument);
    *value = equals ? equals + 1 : NULL;
    for (size_t i = 0; i < OPTION_COUNT_OF_PROGRAMS; i++)
        if (length == strlen(options[i].name) + 2 && strncmp(argument, "--", 2) == 0 &&
            strncmp(argument + 2, options[i].name, length - 2) == 0)
            return &options[i];
    return NULL;
}

// One option of programs at [argv]; how many arguments it is, 0 if it is another's, -1 if it is
// wrong.
static int take(struct program_command *command, char **argv, struct error *error) {
    const char *value;
    const struct option_of_programs *option = find(argv[0], &value);
    if (!option)
        return 0;
    bool is_apart = option->value && !value;
    if (is_apart && (!argv[1] || strcmp(argv[1], "--") == 0)) {
        error_set(error, "option --%s: expected a value", option->name);
        return -1;
    }
    if (!option->value && value) {
        error_set(error, "option --%s: takes no value", option->name);
        return -1;
    }
    if (is_apart)
        value = argv[1];
    if (!option->set(command, value, error))
        return -1;
    if (option->fixes)
        text_add(&command->fixed, " --%s%s%s", option->name, value ? " " : "", value ? value : "");
    return is_apart ? 2 : 1;
}

// Replays show what the program prints.
static bool is_replay(const char *argument) {
    return strncmp(argument, "--replay", strlen("--replay")) == 0;
}

static char **new_vector(int count) {
    char **vector = calloc((size_t)count + 1, sizeof *vector);
    if (!vector)
        grow_failed((size_t)count * sizeof *vector, "the arguments");
    return vector;
}

const char *program_command_value(const struct program_command *command, const char *name) {
    size_t length = strlen(name);
    for (int i = 1; i < command->rest_count; i++) {
        const char *argument = command->rest[i];
        if (strncmp(argument, "--", 2) != 0 || strncmp(argument + 2, name, length) != 0)
            continue;
        if (argument[2 + length] == '=')
            return argument + 3 + length;
        if (argument[2 + length] == '\0' && i + 1 < command->rest_count)
            return command->rest[i + 1];
    }
    return NULL;
}

// Between its creation and its creator's next point there are plain accesses alone, which race with
// what the new thread does.
void program_options_search(struct program_command *command) {
    struct posix_options *chosen = &command->options;
    if (!command->has_history)
        chosen->history = 0;
    // Without races to be looked for that holds of programs that have none, as the proof says.
    chosen->has_no_creation_points = (chosen->races == POSIX_RACES_FIRST || chosen->merges_twins) &&
                                     chosen->points != POSIX_POINTS_ALL;
}

bool program_command_parse(int argc, char **argv, struct program_command *command,
                           struct error *error) {
    *command = (struct program_command){.options = {.points = POSIX_POINTS_VOLATILE,
                                                    .model = SCT_MEMORY_C11,
                                                    .races = POSIX_RACES_FIRST,
                                                    .awaits = true,
                                                    .history = 8}};
    command->fixed = text_in(command->fixed_bytes, sizeof command->fixed_bytes);
    command->rest = new_vector(argc + PROOF_OPTIONS);
    command->argv = new_vector(argc);
    command->rest[command->rest_count++] = argv[0];
    command->argv[command->argc++] = argv[0];
    int i = 1;
    // Before the options are taken, so that --stdout has the last word.
    for (int k = 1; k < argc && strcmp(argv[k], "--") != 0; k++)
        command->options.shows_output = command->options.shows_output || is_replay(argv[k]);
    while (i < argc && strcmp(argv[i], "--") != 0) {
        int taken = take(command, argv + i, error);
        if (taken < 0)
            return false;
        if (taken == 0)
            command->rest[command->rest_count++] = argv[i];
        i += taken == 0 ? 1 : taken;
    }
    for (i++; i < argc; i++)
        command->argv[command->argc++] = argv[i];
    if (command->isolates && command->options.races == POSIX_RACES_ALL)
        return error_set(error, "option --races all: a survey is not of isolated executions");
    bool is_reduced =
        program_command_value(command, "reduce") || program_command_value(command, "replay");
    if (command->options.merges_twins && !is_reduced)
        return error_set(error, "option --symmetry: expected --prove, or --strategy dfs --reduce");
    const char *strategy = program_command_value(command, "strategy");
    if (strategy && strncmp(strategy, "dfs", strlen("dfs")) == 0)
        program_options_search(command);
    return true;
}
