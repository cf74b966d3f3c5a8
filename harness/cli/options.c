#define _POSIX_C_SOURCE 200809L // strtok_r
#include "harness/cli/option_values.h"

#include <inttypes.h>
#include <string.h>

#define FLAG(field) set_flag, offsetof(struct options, field)
#define TEXT(field) set_text, offsetof(struct options, field)
#define SECONDS(field) set_seconds, offsetof(struct options, field)
#define OWN(function) function, 0

static const struct option table[OPTION_COUNT] = {
#define HEADING(words)
#define OPTION(symbol, name, letter, argument, value, use, fronts, help) \
    [OPTION_##symbol] = {name, letter, argument, value, use, fronts, help},
#include "harness/cli/options.def"
#undef OPTION
#undef HEADING
};

// ---- Words -------------------------------------------------------------------------------------

static bool has_option(const struct parser *parser, int id) {
    return table[id].fronts & (unsigned)parser->front;
}

static int find_long(const struct parser *parser, const char *name, size_t length) {
    for (int i = 0; i < OPTION_COUNT; i++)
        if (has_option(parser, i) && strlen(table[i].name) == length &&
            memcmp(table[i].name, name, length) == 0)
            return i;
    return -1;
}

static int find_letter(const struct parser *parser, char letter) {
    for (int i = 0; i < OPTION_COUNT; i++)
        if (has_option(parser, i) && table[i].letter && table[i].letter == letter)
            return i;
    return -1;
}

// An option with a value is given once: of two the user may mean either. Flags may be repeated.
static bool accept(struct parser *parser, enum option_id id, const char *value) {
    if (options_have(parser->options, id) && table[id].argument && id != OPTION_EXPORT)
        return error_set(parser->error, "option --%s: expected once, found it twice",
                         table[id].name);
    parser->options->given[id] = value;
    if (table[id].argument && *value == '\0' && table[id].set == set_text)
        return option_bad_value(parser, id, value, "a value");
    return table[id].set(parser, id, value);
}

// The option that [word] names, and in *[rest] what follows its name; -1 with an error.
static int find_option(const struct parser *parser, const char *word, bool *is_long,
                       const char **rest) {
    *is_long = strncmp(word, "--", 2) == 0 && word[2];
    bool is_short = !*is_long && word[0] == '-' && word[1];
    if (!*is_long && !is_short) {
        error_set(parser->error, "expected an option, found '%.200s' (see --help)", word);
        return -1;
    }
    size_t length = *is_long ? strcspn(word + 2, "=") : 1;
    int id = *is_long ? find_long(parser, word + 2, length) : find_letter(parser, word[1]);
    if (id < 0)
        error_set(parser->error, "unknown option '%.200s' (see --help)", word);
    *rest = *is_long ? word + 2 + length : word + 2;
    return id;
}

// Parses the word at words[*at] and, if its option takes one, the value after it.
static bool parse_word(struct parser *parser, char **words, int *at) {
    bool is_long;
    const char *rest;
    int id = find_option(parser, words[*at], &is_long, &rest);
    if (id < 0)
        return false;
    if (!table[id].argument) {
        if (*rest)
            return error_set(parser->error, "option --%s: expected no value, found '%.200s'",
                             table[id].name, rest);
        return accept(parser, (enum option_id)id, "");
    }
    const char *value = rest + (is_long ? 1 : 0);
    if (!*rest) {
        if (!words[*at + 1])
            return error_set(parser->error,
                             "option --%s: expected a value, found the end of the line",
                             table[id].name);
        value = words[++*at];
    }
    parser->next = words[*at + 1]; // they end in NULL
    parser->has_used_next = false;
    bool is_accepted = accept(parser, (enum option_id)id, value);
    *at += parser->has_used_next;
    return is_accepted;
}

static bool parse_words(struct parser *parser, char **words) {
    for (int i = 0; words[i]; i++)
        if (!parse_word(parser, words, &i))
            return false;
    return true;
}

// ---- What goes together ------------------------------------------------------------------------

static bool contradiction(struct parser *parser, enum option_id mode, enum option_id other) {
    return error_set(parser->error, "options --%s and --%s contradict each other", table[mode].name,
                     table[other].name);
}

// Whether an option of that use goes with the mode; OPTION_COUNT: a campaign.
// By the table's column, so that a new option says in one place what it goes with.
static bool goes_with(enum option_id mode, enum option_id id) {
    switch (table[id].use) {
    case USE_ANY:
        return true;
    case USE_MODE:
        return id == mode;
    case USE_FIXES: // what is listed is of a model
        return mode == OPTION_COUNT || (mode == OPTION_LIST && id == OPTION_MODEL);
    case USE_CAMPAIGN:
        return mode == OPTION_COUNT;
    case USE_EXECUTION:
        return mode == OPTION_COUNT || mode == OPTION_REPLAY;
    case USE_REPLAY:
    case USE_HISTORY:
        return true; // see check_needs
    }
    fail_at(FAIL_ASSERTION, HERE, "option %d has no use", (int)id);
}

static bool check_mode(struct parser *parser) {
    enum option_id mode = OPTION_COUNT;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (options_have(parser->options, (enum option_id)i) && table[i].use == USE_MODE) {
            if (mode != OPTION_COUNT)
                return contradiction(parser, mode, (enum option_id)i);
            mode = (enum option_id)i;
        }
    for (int i = 0; i < OPTION_COUNT; i++)
        if (options_have(parser->options, (enum option_id)i) && !goes_with(mode, (enum option_id)i))
            return contradiction(parser, mode, (enum option_id)i);
    return true;
}

static bool check_needs(struct parser *parser) {
    const struct options *options = parser->options;
    for (int i = 0; i < OPTION_COUNT; i++) {
        enum option_id needed = table[i].use == USE_REPLAY    ? OPTION_REPLAY
                                : table[i].use == USE_HISTORY ? OPTION_CHECK_HISTORY
                                                              : OPTION_COUNT;
        if (needed != OPTION_COUNT && options_have(options, (enum option_id)i) &&
            !options_have(options, needed))
            return error_set(parser->error, "option --%s: expected --%s too", table[i].name,
                             table[needed].name);
    }
    return !options_have(options, OPTION_CHECKPOINT_EVERY) || options->checkpoint ||
           options->resume ||
           error_set(parser->error,
                     "option --checkpoint-every: expected --checkpoint or --resume too");
}

static bool check_pairs(struct parser *parser) {
    static const enum option_id pairs[][2] = {
        {OPTION_VERBOSE, OPTION_QUIET},
        {OPTION_RESUME, OPTION_CHECKPOINT},
        {OPTION_RESUME, OPTION_ONLY_ITERATION},
        {OPTION_CHECKPOINT, OPTION_ONLY_ITERATION},
        {OPTION_ONLY_ITERATION, OPTION_KEEP_GOING},
    };
    const struct options *options = parser->options;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (options_have(options, pairs[i][0]) && options_have(options, pairs[i][1]))
            return contradiction(parser, pairs[i][0], pairs[i][1]);
    return !options_have(options, OPTION_ONLY_ITERATION) || options->shard_count <= 1 ||
           contradiction(parser, OPTION_ONLY_ITERATION, OPTION_SHARD);
}

// ---- Checkpoints -------------------------------------------------------------------------------

void options_describe(const struct options *options, uint64_t seed, struct text *text) {
    for (int i = 0; i < OPTION_COUNT; i++) {
        // The seed as it was drawn, not as it was asked for: "random" would be another one.
        if (table[i].use != USE_FIXES || i == OPTION_SEED || !options->given[i])
            continue;
        text_add(text, "--%s", table[i].name);
        if (table[i].argument)
            text_add(text, "=%s", options->given[i]);
        text_add(text, "\n");
    }
    text_add(text, "--seed=%" PRIu64 "\n", seed);
}

// A checkpoint says itself what campaign it is of.
static bool check_resume(struct parser *parser) {
    for (int i = 0; i < OPTION_COUNT; i++)
        if (table[i].use == USE_FIXES && options_have(parser->options, (enum option_id)i) &&
            options_have(parser->options, OPTION_RESUME))
            return contradiction(parser, OPTION_RESUME, (enum option_id)i);
    return true;
}

// Parses the lines of [stored], which are options that fix a campaign and nothing else.
static bool parse_stored(struct parser *parser, char *stored) {
    char *words[OPTION_COUNT + 1] = {NULL};
    int count = 0;
    char *end;
    for (char *line = strtok_r(stored, "\n", &end); line; line = strtok_r(NULL, "\n", &end)) {
        if (count == OPTION_COUNT)
            return error_set(parser->error, "more options than there are");
        words[count++] = line;
    }
    if (!parse_words(parser, words))
        return false;
    for (int i = 0; i < OPTION_COUNT; i++)
        if (options_have(parser->options, (enum option_id)i) && table[i].use != USE_FIXES &&
            i != OPTION_CACHE)
            return error_set(parser->error, "option --%s fixes no campaign", table[i].name);
    return true;
}

// Of a search that goes on: another size of the cache will do, but what was searched with one
// cannot be told without.
static bool check_cache(const struct parser *parser, const struct options *before) {
    const struct options *options = parser->options;
    bool had_cache = before->cache_bytes > 0;
    return !before->given[OPTION_CACHE] || (options->cache_bytes > 0) == had_cache ||
           error_set(parser->error, "option --cache: the search of the checkpoint has %s cache",
                     had_cache ? "a" : "no");
}

// What the checkpoint says comes first: an option that it holds and that stands on the command line
// too is then found twice, but for the cache, of which another size will do.
bool options_parse(enum front front, char **argv, char *stored, struct options *options,
                   struct error *error) {
    *options = (struct options){
        .iterations = 100000,
        .cache_bytes = UINT64_C(1) << 30,
        .seed = 1,
        .strategy = "portfolio",
        .jobs = 1,
        .checkpoint_every = 10,
        .shard_count = 1,
    };
    struct parser parser = {.table = table, .options = options, .error = error, .front = front};
    if (stored && !parse_stored(&parser, stored))
        return false;
    struct options before = *options;
    options->given[OPTION_CACHE] = NULL;
    if (argv[0] && !parse_words(&parser, argv + 1))
        return false;
    return check_mode(&parser) && (stored || check_resume(&parser)) && check_pairs(&parser) &&
           check_needs(&parser) && check_cache(&parser, &before);
}

// ---- Help --------------------------------------------------------------------------------------

enum { HELP_COLUMN = 27, HELP_WIDTH = 100 };

static void print_help_text(FILE *out, const char *text) {
    int room = HELP_WIDTH - HELP_COLUMN;
    while ((int)strlen(text) > room) {
        int length = room;
        // There is a space: no word of the help is as long as a line.
        while (text[length] != ' ')
            length--;
        fprintf(out, "%.*s\n%*s", length, text, HELP_COLUMN, "");
        text += length + 1;
    }
    fprintf(out, "%s\n", text);
}

static void print_help_line(FILE *out, const struct option *option) {
    char buffer[80];
    struct text text = text_in(buffer, sizeof buffer);
    if (option->letter)
        text_add(&text, "  -%c, --%s", option->letter, option->name);
    else
        text_add(&text, "      --%s", option->name);
    if (option->argument)
        text_add(&text, " %s", option->argument);
    fprintf(out, "%-*s", HELP_COLUMN - 1, buffer);
    fprintf(out, " ");
    print_help_text(out, option->help);
}

void options_print_help(FILE *out, enum front front) {
#define HEADING(words) fprintf(out, "%s\n", words);
#define OPTION(symbol, name, letter, argument, value, use, fronts, help) \
    if ((fronts) & (unsigned)front)                                      \
        print_help_line(out, &table[OPTION_##symbol]);
#include "harness/cli/options.def"
#undef OPTION
#undef HEADING
}
