#include "harness/programs/conclude.h"
#include "core/campaign/campaign.h"
#include "core/posix/orders.h"
#include "core/posix/places.h"
#include "harness/cli/process.h"
#include "harness/cli/status.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

// A search that is not at its end by then is given up, and so many executions are drawn: of short
// ones so many, of long ones so many points, whatever the machine and its load.
enum { SEARCHED_MAX = 20000, DRAWN = 10000, POINTS_MAX = 1000000 };
// The same where orders are tried, of which there are up to four at each place.
enum { POINTS_OF_ORDERS = 500000 };

static const struct program_command *command;
static const char *program_name;
static uint32_t identity; // of the program as its user asked for it
static struct sct_seen graphs;
static bool is_proved;
static char lines[4096];

static uint64_t points_left; // of the campaign that runs

static void count_points(void *context, uint64_t iteration, const struct sct_result *result) {
    (void)context;
    (void)iteration;
    points_left = points_left > result->point_count ? points_left - result->point_count : 0;
}

static bool goes_on(void *context) {
    (void)context;
    return points_left > 0 && !posix_world.was_crowded;
}

static void add_graph(void) {
    sct_seen_add(&graphs, sct_memory_graph());
}

void conclude_begin(const struct program_command *given, const char *name) {
    command = given;
    program_name = name;
    identity = posix_world_identity();
    if (!given->counts_graphs && !given->proves)
        return;
    sct_seen_init(&graphs);
    posix_world.on_pass = add_graph;
}

// ---- All or some executions --------------------------------------------------------------------

// What is known of a violation under certain options.
struct finding {
    bool is_found;
    bool is_of_all; // executions: not found means that there is none
    uint64_t executions;
};

static bool has_kind(const struct sct_campaign *campaign, const char *kind) {
    for (const struct sct_group *group = campaign->groups; group; group = group->next)
        if (strcmp(group->violation.kind, kind) == 0)
            return true;
    return false;
}

static struct finding look(struct sct_engine *engine, struct sct_campaign_options options,
                           const char *kind, uint64_t points) {
    struct sct_campaign campaign;
    options.keep_going = true;
    options.interrupted = &process_interrupted;
    options.after_counted = count_points;
    options.goes_on = goes_on;
    points_left = points;
    posix_world.leaves_crowds = true;
    posix_world.was_crowded = false;
    sct_campaign_run(engine, &options, &campaign);
    const struct finding finding = {
        .is_found = has_kind(&campaign, kind),
        // Steps that do not tell what plain variables they access depend on each other by a race.
        .is_of_all = campaign.search.is_exhausted && campaign.step_limit_hits == 0 &&
                     !posix_world.was_crowded && posix_world.options.races == POSIX_RACES_FIRST,
        .executions = campaign.iterations_run,
    };
    sct_campaign_free(&campaign);
    return finding;
}

static struct finding look_at_all(struct sct_engine *engine, const struct sct_program *program,
                                  const char *kind, uint64_t points) {
    struct error error;
    struct sct_strategy *strategy = sct_strategy_new("dfs", &error);
    struct sct_search *search = sct_search_open(&(struct sct_search_options){
        .program = program, .strategy = strategy, .reduction = SCT_REDUCE_SLEEP});
    const struct sct_campaign_options options = {
        .program = program, .strategy = strategy, .search = search, .iterations = SEARCHED_MAX};
    const struct finding finding = look(engine, options, kind, points);
    sct_search_close(search);
    sct_strategy_free(strategy);
    return finding;
}

static struct finding look_at_some(struct sct_engine *engine, const struct sct_program *program,
                                   const char *kind, uint64_t points) {
    struct error error;
    struct sct_strategy *strategy = sct_strategy_new("portfolio", &error);
    sct_engine_stop(engine, &process_interrupted, 0);
    sct_calibrate(engine, program, program_name, strategy, 1);
    sct_engine_stop(engine, NULL, 0);
    const struct sct_campaign_options options = {
        .program = program, .strategy = strategy, .seed = 1, .iterations = DRAWN};
    const struct finding finding = look(engine, options, kind, points);
    sct_strategy_free(strategy);
    return finding;
}

// All executions, if they are few enough; else some.
static struct finding look_for(struct sct_engine *engine, enum sct_memory_model model,
                               const char *kind, uint64_t points) {
    const struct posix_options asked = posix_world.options;
    struct posix_options options = asked;
    options.model = model;
    options.history = options.stale_max = 0;
    posix_world.options.has_no_creation_points =
        options.races == POSIX_RACES_FIRST && options.points != POSIX_POINTS_ALL;
    const struct sct_program program = posix_program_under(&options);
    struct finding finding = look_at_all(engine, &program, kind, points);
    if (!finding.is_found && !finding.is_of_all)
        finding = look_at_some(engine, &program, kind, points);
    posix_world.options = asked;
    return finding;
}

static void describe(const struct finding *finding, struct text *text) {
    if (finding->is_found)
        text_add(text, "too");
    else if (finding->is_of_all)
        text_add(text, "in no execution (a search of all)");
    else
        text_add(text, "in none of %" PRIu64 " executions", finding->executions);
}

// ---- Where a violation happens -----------------------------------------------------------------

// The other models, as a line.
static void look_elsewhere(const struct subject_end *end, struct text *text) {
    const struct finding tso = look_for(end->engine, SCT_MEMORY_TSO, end->kind, POINTS_MAX);
    const struct finding sc = look_for(end->engine, SCT_MEMORY_SC, end->kind, POINTS_MAX);
    if (sc.is_found) {
        text_add(text, "memory model: no matter; sequential consistency has it too\n");
        return;
    }
    text_add(text, "memory model: found under c11; under tso, what x86 shows, ");
    describe(&tso, text);
    text_add(text, "; under sc ");
    describe(&sc, text);
    text_add(text, "\n");
}

// ---- Which orders are missing ------------------------------------------------------------------

static const char *const order_names[] = {"relaxed", "consume", "acquire",
                                          "release", "acq_rel", "seq_cst"};

// The orders that are stronger than [place]'s own, the weakest first; how many.
static unsigned stronger(const struct posix_order_place *place, enum sct_order orders[4]) {
    unsigned count = 0;
    bool loads = place->kind != SCT_STORES, stores = place->kind != SCT_LOADS;
    bool acquires = sct_order_acquires(place->own), releases = sct_order_releases(place->own);
    if (loads && !acquires && !releases)
        orders[count++] = SCT_ACQUIRE;
    if (stores && !releases && !acquires)
        orders[count++] = SCT_RELEASE;
    if (loads && stores && !(acquires && releases))
        orders[count++] = SCT_ACQ_REL;
    if (place->own != SCT_SEQ_CST)
        orders[count++] = SCT_SEQ_CST;
    return count;
}

// Makes a place as weak as it may be, the others being as they are.
// One place at a time, the others as they are by then: what comes out is one set of orders of which
// none can be weaker, and depends on the order of the places.
static void weaken(const struct subject_end *end, struct posix_order_place *place) {
    enum sct_order orders[4], strongest = place->tried;
    unsigned count = stronger(place, orders);
    place->tried = place->own;
    for (unsigned i = 0; i < count; i++) {
        if (!look_for(end->engine, SCT_MEMORY_C11, end->kind, POINTS_OF_ORDERS).is_found)
            return;
        place->tried = orders[i];
    }
    place->tried = strongest;
}

static void add_place(const struct posix_order_place *place, struct text *text) {
    static const char *const kinds[] = {[SCT_LOADS] = "load",
                                        [SCT_STORES] = "store",
                                        [SCT_UPDATES] = "read-modify-write",
                                        [SCT_FENCES] = "fence"};
    text_add(text, "  %s in place of %s: the %s at %s\n", order_names[place->tried],
             order_names[place->own], kinds[place->kind], posix_place(place->caller));
}

// Notes all places, then makes them as strong as they can be.
static void strengthen_all(const struct subject_end *end) {
    posix_orders = (struct posix_orders){.are_used = true};
    look_for(end->engine, SCT_MEMORY_C11, end->kind, POINTS_OF_ORDERS);
    for (unsigned i = 0; i < posix_orders.count; i++)
        posix_orders.places[i].tried = SCT_SEQ_CST;
}

// The strongest first: where seq_cst everywhere does not help no order does.
static void find_orders(const struct subject_end *end, struct text *text) {
    strengthen_all(end);
    if (look_for(end->engine, SCT_MEMORY_C11, end->kind, POINTS_OF_ORDERS).is_found) {
        text_add(text, "missing orders: none; seq_cst at every atomic operation would not do\n");
        return;
    }
    for (unsigned i = 0; i < posix_orders.count; i++)
        weaken(end, &posix_orders.places[i]);
    const struct finding last = look_for(end->engine, SCT_MEMORY_C11, end->kind, POINTS_OF_ORDERS);
    text_add(text, "missing orders: with these it happens ");
    describe(&last, text);
    text_add(text, ", with less it does:\n");
    for (unsigned i = 0; i < posix_orders.count; i++)
        if (posix_orders.places[i].tried != posix_orders.places[i].own)
            add_place(&posix_orders.places[i], text);
}

// ---- The end -----------------------------------------------------------------------------------

static void conclude_proof(const struct sct_campaign *campaign, struct text *text) {
    const struct sct_searched *search = &campaign->search;
    is_proved = campaign->violations == 0 && search->path && search->is_exhausted &&
                !search->path->meets_bound && campaign->step_limit_hits == 0;
    if (!is_proved || !posix_world.on_pass)
        return;
    text_add(text, "proved: no violation in any of the %zu execution graphs under %s%s",
             graphs.count, sct_memory_model_name(posix_world.options.model),
             posix_world.options.merges_twins ? ", symmetric threads merged" : "");
    text_add(text, "%s\n",
             posix_world.options.races != POSIX_RACES_OFF ? ", up to the first data race"
                                                          : ", if there are no data races");
}

const char *conclude(const struct subject_end *end) {
    struct text text = text_in(lines, sizeof lines);
    if (end->campaign)
        conclude_proof(end->campaign, &text);
    posix_world.on_pass = NULL; // what comes does not count
    bool is_asked = end->kind && end->engine && end->is_told && !process_interrupted;
    if (is_asked && posix_world.options.model == SCT_MEMORY_C11) {
        look_elsewhere(end, &text);
        if (end->explains)
            find_orders(end, &text);
    }
    posix_orders.are_used = false;
    if (is_asked && process_interrupted)
        text = text_in(lines, sizeof lines);    // what was not looked for is no conclusion
    ASSERT(posix_world_identity() == identity); // what was tried is put back
    return text.length > 0 ? lines : NULL;
}

int conclude_status(int status) {
    if (command->counts_graphs)
        fprintf(stderr, "%s: %zu execution graphs\n", program_name, graphs.count);
    if (!command->proves || is_proved || status != EXIT_CLEAN)
        return status;
    complain("not proved: the search did not come to its end");
    return EXIT_NO_VERDICT;
}
