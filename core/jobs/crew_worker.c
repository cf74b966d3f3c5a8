#include "core/jobs/crew_internal.h"

#include <unistd.h>

struct worker {
    struct sct_range_hooks hooks; // first: the context of its campaigns
    struct sct_engine *engine;
    const struct sct_crew_jobs *jobs;
    struct sct_crew_control *control;
    struct sct_crew_line *line;
    struct sct_path *path;
    struct sct_sleep *sleep; // of a reduced search; else NULL
    int channel;
    uint64_t executions, violations; // before the present piece
    struct sct_bytes bytes;          // of the message in hand
};

// _exit, not exit: handlers and buffers are the first process's, of which this one is a copy.
static void leave_if(bool is_over) {
    if (is_over)
        _exit(0); // whoever reads knows more
}

// ---- Messages ----------------------------------------------------------------------------------

static void receive(struct worker *worker) {
    leave_if(sct_read_message(worker->channel, &worker->bytes, NULL) != SCT_READ_ALL);
}

static void send_message(const struct worker *worker, const struct sct_bytes *bytes) {
    leave_if(!sct_write_message(worker->channel, bytes));
}

// ---- Between executions ------------------------------------------------------------------------

// Whether this worker is to answer a request that nobody has answered.
static bool claim_request(struct sct_crew_control *control) {
    // Two counts that only grow: asked for, and promised. Whoever raises the second one has
    // promised, so no request is answered twice, and none waits for a lock.
    uint64_t promised = atomic_load_explicit(&control->promised, memory_order_relaxed);
    // (A failed exchange puts the new count into [promised]: it is compared again.)
    while (promised < atomic_load_explicit(&control->wanted, memory_order_relaxed))
        if (atomic_compare_exchange_weak(&control->promised, &promised, promised + 1))
            return true;
    return false;
}

static void write_part(struct sct_bytes *bytes, const struct sct_path *path,
                       const struct sct_bytes *known) {
    sct_path_write(path, bytes);
    sct_bytes_add_block(bytes, known->data, known->size);
}

struct gift {
    uint64_t guards;
    struct sct_bytes parts;
};

static void take_part(void *context, const struct sct_path *path, const struct sct_bytes *known,
                      bool is_guard) {
    struct gift *gift = context;
    gift->guards += is_guard;
    write_part(&gift->parts, path, known);
}

// What the path gives away, of whatever kind the search is.
static void part(struct worker *worker, struct gift *gift) {
    if (worker->sleep) {
        sct_sleep_part(worker->sleep, take_part, gift);
        return;
    }
    struct sct_path right;
    bool is_split = sct_path_split(worker->path, &right);
    ASSERT(is_split);
    take_part(gift, &right, &(struct sct_bytes){0}, false);
    sct_path_deinit(&right);
}

// Whether it was so since this was asked.
static bool take_stop(struct worker *worker) {
    bool has_stop = worker->sleep && worker->sleep->has_late_stop;
    if (has_stop)
        worker->sleep->has_late_stop = false;
    return has_stop;
}

static void give(struct worker *worker) {
    bool can_part =
        worker->sleep ? sct_sleep_can_part(worker->sleep) : sct_path_can_split(worker->path);
    // Looked at first: a promise that cannot be kept would leave an idle worker waiting for ever.
    if (!can_part || !claim_request(worker->control))
        return;
    struct gift gift = {0};
    worker->bytes.size = 0;
    sct_bytes_add_number(&worker->bytes, MESSAGE_GIFT);
    sct_bytes_add_number(&worker->bytes, take_stop(worker)); // below the guards so far
    part(worker, &gift);
    sct_bytes_add_number(&worker->bytes, gift.guards);
    sct_bytes_add(&worker->bytes, gift.parts.data, gift.parts.size);
    ASSERT(gift.parts.size > 0); // what was promised
    send_message(worker, &worker->bytes);
    sct_bytes_free(&gift.parts);
}

// Whether the cache is to grow, for which everybody stops.
static bool is_growing(const struct worker *worker) {
    const struct sct_shared_states *states = sct_search_shared(worker->hooks.whole->search);
    return states && sct_shared_states_wants_growth(states);
}

// Stops for a pause, and gives a piece away where somebody has none.
// Called between two executions, so all that it looks at is read without an order: what it misses
// now it sees after the next one.
static bool goes_on(void *context) {
    struct worker *worker = context;
    struct sct_crew_control *control = worker->control;
    if (atomic_load_explicit(&control->pauses, memory_order_relaxed) ||
        atomic_load_explicit(&worker->line->is_recalled, memory_order_relaxed) ||
        is_growing(worker))
        return false;
    if (atomic_load_explicit(&control->promised, memory_order_relaxed) <
        atomic_load_explicit(&control->wanted, memory_order_relaxed))
        give(worker);
    return true;
}

static void tell(void *context, const struct sct_campaign *campaign) {
    struct worker *worker = context;
    atomic_store(&worker->line->executions, worker->executions + campaign->iterations_run);
    atomic_store(&worker->line->violations, worker->violations + campaign->violations);
    if (!worker->sleep) // of which there are no estimates
        atomic_store(&worker->line->left, sct_path_left(worker->path));
}

// ---- A piece -----------------------------------------------------------------------------------

// Numbered as all of this worker's, so that as many as usual are repeated.
static struct sct_campaign_options describe(struct worker *worker, uint64_t iterations) {
    struct sct_campaign_options own = sct_range_describe(&worker->hooks);
    // The campaign repeats its first executions and every so-many-th (campaign.h): numbered from 0
    // in each piece, small pieces would be all repetition.
    own.first_iteration = worker->executions;
    own.iteration_step = 1;
    own.iterations = iterations;
    own.seconds_max = 0; // when to stop is the first process's to say
    own.interrupted = &worker->control->leaves;
    own.on_progress = tell;
    own.goes_on = goes_on;
    return own;
}

static void write_report(struct worker *worker, struct sct_campaign *campaign) {
    struct sct_bytes *bytes = &worker->bytes;
    const struct sct_path *path = worker->path;
    bytes->size = 0;
    // In the order in which take_message, read_report and update_piece of crew.c take it apart.
    sct_bytes_add_number(bytes, MESSAGE_REPORT);
    sct_bytes_add_number(bytes, campaign->search.is_exhausted);
    sct_bytes_add_number(bytes, campaign->violations > 0 && !worker->hooks.whole->keep_going);
    sct_bytes_add_number(bytes, campaign->search.is_cache_full);
    sct_bytes_add_number(bytes, campaign->unrepeatable.is_found);
    sct_bytes_add_number(bytes, path->meets_bound);
    sct_bytes_add_number(bytes, take_stop(worker));
    sct_bytes_add_double(bytes, sct_path_share(path));
    struct sct_bytes known = {0};
    if (worker->sleep)
        sct_sleep_write(worker->sleep, &known);
    write_part(bytes, path, &known);
    sct_bytes_free(&known);
    // Within the piece.
    for (struct sct_group *group = campaign->groups; group; group = group->next)
        group->iteration -= worker->executions;
    if (campaign->unrepeatable.is_found)
        campaign->unrepeatable.iteration -= worker->executions;
    // (add_range of crew.c moves them to where they are in the whole.)
    sct_range_write(worker->jobs->range, campaign, bytes);
}

static void search_piece(struct worker *worker, uint64_t iterations) {
    struct sct_campaign campaign;
    struct sct_campaign_options own = describe(worker, iterations);
    sct_range_clear(worker->jobs->range);
    sct_campaign_run(worker->engine, &own, &campaign);
    write_report(worker, &campaign);
    // Told before the report is: whoever has read that finds counts that are no older.
    worker->executions += campaign.iterations_run;
    worker->violations += campaign.violations;
    atomic_store(&worker->line->executions, worker->executions);
    atomic_store(&worker->line->violations, worker->violations);
    sct_campaign_free(&campaign);
    send_message(worker, &worker->bytes);
}

static bool read_part(struct worker *worker, struct sct_reader *reader) {
    size_t size;
    if (!sct_path_read(reader, worker->path))
        return false;
    const unsigned char *known = sct_take_block(reader, &size);
    ASSERT(known || !worker->sleep);
    struct sct_reader nodes = {known, known + size, false};
    return !worker->sleep || sct_sleep_read(worker->sleep, &nodes);
}

_Noreturn void sct_crew_work(void *context, unsigned index, int channel) {
    struct sct_crew *crew = context;
    const struct sct_campaign_options *whole = crew->jobs->range->campaign;
    struct worker worker = {
        .engine = crew->engine,
        .jobs = crew->jobs,
        .hooks = {.whole = whole},
        .control = crew->control,
        .line = &crew->control->lines[index],
        .path = whole->strategy->path,
        .sleep = sct_search_sleep(whole->search),
        .channel = channel,
    };
    // When a bound is done is only known to the first process: others may still work within it.
    ASSERT(index < crew->jobs->workers && worker.path);
    worker.path->is_one_bound = true;
    sct_engine_forked(crew->engine);
    // Its decisions go where the first process finds them if it dies (describe_death of crew.c).
    sct_engine_record_in(crew->engine, crew->records[index]);
    for (;;) {
        receive(&worker);
        struct sct_reader reader = {worker.bytes.data, worker.bytes.data + worker.bytes.size,
                                    false};
        uint64_t iterations = sct_take_number(&reader);
        bool is_part = read_part(&worker, &reader);
        ASSERT(is_part);
        search_piece(&worker, iterations);
    }
}
