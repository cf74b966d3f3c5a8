#include "core/jobs/crew_internal.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <sys/mman.h>

static const double writing_share = 0.05; // of the time, for checkpoints

static const struct sct_campaign_options *campaign_of(const struct sct_crew *crew) {
    return crew->jobs->range->campaign;
}

// ---- Workers -----------------------------------------------------------------------------------

// What it was deciding is kept: run again, it may tell why.
static bool describe_death(struct sct_crew *crew, unsigned index, struct error *error) {
    ASSERT(index < crew->worker_count);
    // Its decisions are in shared memory, where it wrote them itself: the record outlives it. Of
    // several who die the first is told.
    struct sct_campaign *campaign = crew->sum.campaign;
    if (crew->records[index]->is_running && !campaign->died.is_found) {
        campaign->died.is_found = true;
        campaign->died.iteration = campaign->iterations_run;
        campaign->died.record = crew->records[index];
        crew->records[index] = NULL;
    }
    char when[64];
    snprintf(when, sizeof when, "after about %" PRIu64 " executions",
             atomic_load(&crew->control->lines[index].executions));
    return sct_worker_died(crew->workers, index, when, error);
}

struct sct_sleep *sct_crew_sleep(const struct sct_crew *crew) {
    return sct_search_sleep(campaign_of(crew)->search);
}

static unsigned count_idle(const struct sct_crew *crew) {
    unsigned count = 0;
    for (unsigned i = 0; i < crew->worker_count; i++)
        count += !crew->pieces[i];
    return count;
}

// ---- Sums --------------------------------------------------------------------------------------

static void add_range(struct sct_crew *crew, const unsigned char *range, size_t size) {
    struct sct_campaign *campaign = crew->sum.campaign;
    uint64_t before = campaign->iterations_run;
    bool goes_on;
    ASSERT(size > 0);
    crew->range.iteration_offset = before; // workers number within what they send
    struct sct_reader reader = {range, range + size, false};
    bool is_range =
        sct_range_add(&crew->range, &reader, &crew->sum, crew->jobs->on_new_group, &goes_on);
    ASSERT(is_range); // a socket loses nothing, and a checkpoint has checksums
    ASSERT(campaign->iterations_run >= before);
    campaign->search.bound_runs += campaign->iterations_run - before;
    campaign->distinct_behaviours = campaign->search.executions; // no two are the same
}

void sct_crew_add_ranges(struct sct_crew *crew, const struct sct_bytes *ranges) {
    if (ranges->size == 0)
        return;
    struct sct_reader reader = {ranges->data, ranges->data + ranges->size, false};
    size_t size;
    const unsigned char *range;
    while ((range = sct_take_block(&reader, &size)))
        add_range(crew, range, size);
    ASSERT(reader.at == reader.end);
}

// What a piece came to is added once: its ranges are emptied then, and it may go on.
static void add_piece(struct sct_crew *crew, struct sct_piece *piece) {
    sct_crew_add_ranges(crew, &piece->ranges);
    piece->ranges.size = 0;
    crew->path->meets_bound = crew->path->meets_bound || piece->meets_bound;
    piece->meets_bound = false;
}

// So many executions were in that share of the tree; as many, by the estimator, in the rest of it
// (core/strategy/path.h). Of no share at all there is no estimate, nor of a reduced search before
// its end, which does not take all alternatives.
static void set_estimate(const struct sct_crew *crew, struct sct_searched *search, double share) {
    bool is_known = share > 0 && (crew->path->is_exhausted || !sct_crew_sleep(crew));
    search->estimate = is_known ? (double)search->bound_runs / share : 0;
}

// All of the tree, within the present bound.
static void add_root(struct sct_crew *crew) {
    ASSERT(!crew->frontier.first);
    struct sct_piece *root = sct_frontier_add(&crew->frontier, NULL, crew->path);
    if (sct_crew_sleep(crew))
        sct_sleep_write(sct_crew_sleep(crew), &root->known);
}

// All of the tree is searched, within the present bound at least.
static void finish_tree(struct sct_crew *crew) {
    struct sct_searched *search = &crew->sum.campaign->search;
    struct sct_shared_states *states = sct_search_shared(campaign_of(crew)->search);
    ASSERT(!crew->frontier.first && crew->path->depth == 0);
    ASSERT(count_idle(crew) == crew->worker_count);
    // Nobody works, so nobody is about to keep a promise: requests that are still open were made
    // when there was nothing to give.
    atomic_store(&crew->control->wanted, atomic_load(&crew->control->promised));
    if (sct_searched_advance(search, crew->path)) {
        if (states)
            sct_shared_states_clear(states);
        add_root(crew);
        return;
    }
    set_estimate(crew, search, 1);
    // With a cache a state may have been entered, and cut off, by an execution that had come to it
    // late; one that came to it earlier was pruned there. So what lies behind it may never have
    // been seen.
    search->is_cut = states && crew->sum.campaign->step_limit_hits > 0;
    search->is_exhausted = !search->is_cut;
    crew->is_over = crew->is_settled = true;
}

// Whether the guards that waited for [piece], to whose left all is done, are all that is right of
// it, and come to nothing. They go with it.
static bool leave_guards(struct sct_crew *crew, const struct sct_piece *piece) {
    bool are_idle = true;
    ASSERT(piece->is_done);
    for (struct sct_piece *guard = piece->under, *next; guard; guard = next) {
        next = guard->under;
        ASSERT(!guard->is_worked_on);
        are_idle = are_idle && !guard->has_stop;
        sct_frontier_remove(&crew->frontier, guard);
    }
    return are_idle;
}

// The last leaf of the piece is a violation that ends the search.
static void finish_at_violation(struct sct_crew *crew, const struct sct_piece *piece) {
    ASSERT(piece->is_done && piece->has_ended && crew->is_ordered);
    struct sct_searched *search = &crew->sum.campaign->search;
    if (!leave_guards(crew, piece) || !piece->is_last)
        set_estimate(crew, search, piece->end);
    else
        finish_tree(crew);
    crew->is_over = crew->is_settled = true;
}

// Adds what stands at the left end, and takes pieces away that are done: also of a search that is
// stopped, since nobody waits for such a piece when it goes on.
static void add_from_left(struct sct_crew *crew) {
    struct sct_piece *piece;
    while (!crew->is_settled && (piece = crew->frontier.first)) {
        add_piece(crew, piece);
        if (!piece->is_done)
            return;
        // Removed first: finish_at_violation may find that nothing is left of the tree.
        struct sct_piece copy = *piece;
        sct_frontier_remove(&crew->frontier, piece);
        if (copy.has_ended)
            finish_at_violation(crew, &copy);
    }
}

// In any order.
static void add_all(struct sct_crew *crew) {
    for (struct sct_piece *piece = crew->frontier.first; piece; piece = piece->next)
        add_piece(crew, piece);
}

// ---- What workers send -------------------------------------------------------------------------

static bool is_guard_of(const struct sct_piece *piece, const struct sct_piece *below) {
    ASSERT(piece != below);
    const struct sct_piece *guard = below->under;
    while (guard && guard != piece)
        guard = guard->under;
    return guard;
}

// Everything to the right of a piece whose last leaf is a violation that ends the search.
static void drop_right(struct sct_crew *crew, struct sct_piece *piece) {
    ASSERT(crew->is_ordered && piece->has_ended);
    struct sct_piece *next;
    for (struct sct_piece *right = piece->next; right; right = next) {
        next = right->next;
        if (is_guard_of(right, piece))
            continue; // to be asked in the end whether it would have come to anything
        // Who works on it is told, and sends a report all the same, with which the piece ends: it
        // is not to be removed before.
        if (right->is_worked_on) {
            right->is_dropped = true;
            right->under = NULL; // nobody waits for it
        } else
            sct_frontier_remove(&crew->frontier, right);
    }
    for (unsigned i = 0; i < crew->worker_count; i++)
        if (crew->pieces[i] && crew->pieces[i]->is_dropped)
            atomic_store(&crew->control->lines[i].is_recalled, true);
}

static void take_known(struct sct_piece *piece, struct sct_reader *reader) {
    size_t size;
    const unsigned char *known = sct_take_block(reader, &size);
    piece->known.size = 0;
    sct_bytes_add(&piece->known, known, size);
}

// Adds a part that the giver has given away.
static void add_part(struct sct_crew *crew, struct sct_piece *giver, bool is_guard,
                     struct sct_reader *reader) {
    struct sct_path path = {0};
    bool is_path = sct_path_read(reader, &path);
    ASSERT(is_path);
    ASSERT(path.depth > 0); // the root is nobody's to give
    // The right end of what the giver had: so it stands directly to the right of it.
    struct sct_piece *piece = is_guard ? sct_frontier_guard(&crew->frontier, giver, &path)
                                       : sct_frontier_give(&crew->frontier, giver, &path);
    take_known(piece, reader);
    sct_path_deinit(&path);
}

// Guards, from the root on, and a piece.
static void take_gift(struct sct_crew *crew, struct sct_piece *giver, struct sct_reader *reader) {
    crew->received++;
    // Each gift keeps a promise, and was made before it was sent.
    ASSERT(crew->received <= atomic_load(&crew->control->promised));
    // A dropped piece lies to the right of the violation that ends the search, and so does its
    // gift.
    if (giver->is_dropped)
        return;
    if (sct_take_number(reader))
        sct_piece_has_stop(giver); // of the guards that it has until now
    uint64_t guards = sct_take_number(reader);
    for (uint64_t i = 0; i <= guards; i++)
        add_part(crew, giver, i < guards, reader);
    ASSERT(!reader->is_bad);
}

static struct sct_crew_report read_report(struct sct_reader *reader) {
    struct sct_crew_report report;
    report.is_done = sct_take_number(reader) != 0;
    report.has_ended = sct_take_number(reader) != 0;
    report.is_full = sct_take_number(reader) != 0;
    report.is_broken = sct_take_number(reader) != 0;
    report.meets_bound = sct_take_number(reader) != 0;
    report.has_stop = sct_take_number(reader) != 0;
    report.share = sct_take_double(reader);
    return report;
}

// Whether there is nothing right of [piece] but guards that wait for it.
static bool is_last(const struct sct_piece *piece) {
    const struct sct_piece *right = piece->next;
    while (right && is_guard_of(right, piece))
        right = right->next;
    return !right;
}

// What the piece is after somebody has worked on it.
static void update_piece(struct sct_piece *piece, const struct sct_crew_report *report,
                         struct sct_reader *reader) {
    bool is_path = sct_path_read(reader, &piece->path);
    ASSERT(is_path);
    take_known(piece, reader);
    if (report->has_stop)
        sct_piece_has_stop(piece);
    // Where it ends: the next piece begins there, or, at the right end of the tree, nothing does.
    // That is asked now, as the next piece may be gone when this one is added.
    ASSERT(!piece->is_worked_on);
    piece->is_done = report->is_done || report->has_ended;
    piece->has_ended = report->has_ended;
    piece->is_last = report->is_done && is_last(piece);
    if (report->is_done && !report->has_ended)
        sct_piece_is_done(piece);
    piece->end = report->is_done && piece->next ? piece->next->start : report->share;
    piece->left = piece->is_done ? 0 : sct_path_left(&piece->path);
    piece->meets_bound = piece->meets_bound || report->meets_bound;
    // Behind what earlier reports of it brought: after a pause a piece is handed out again, and in
    // order it may wait long for those to its left.
    sct_bytes_add_block(&piece->ranges, reader->at, (size_t)(reader->end - reader->at));
}

// With a cache: what the piece came to was added; the first violation that comes ends the search.
static void take_away(struct sct_crew *crew, struct sct_piece *piece) {
    ASSERT(!crew->is_ordered && !piece->is_worked_on);
    bool has_ended = piece->has_ended;
    if (piece->is_done)
        sct_frontier_remove(&crew->frontier, piece);
    if (!has_ended)
        return;
    set_estimate(crew, &crew->sum.campaign->search, 1 - sct_frontier_left(&crew->frontier));
    crew->is_over = crew->is_settled = true;
}

// In order, a piece waits until all to its left are added; so the sum is at any time that of one
// process which has come so far. With a cache there is no such order to keep.
static void take_report(struct sct_crew *crew, struct sct_piece *piece, struct sct_reader *reader) {
    struct sct_crew_report report = read_report(reader);
    if (crew->is_settled)
        return; // another one has come before
    ASSERT(!reader->is_bad);
    ASSERT(piece->is_worked_on && !piece->is_done);
    piece->is_worked_on = false;
    if (piece->is_dropped) {
        sct_frontier_remove(&crew->frontier, piece);
        return;
    }
    update_piece(piece, &report, reader);
    // A full cache ends the search without a verdict, whoever meets it.
    crew->sum.campaign->search.is_cache_full |= report.is_full;
    crew->is_over = crew->is_over || report.is_full || report.is_broken;
    if (report.is_broken || !crew->is_ordered)
        add_piece(crew, piece); // an execution that did not repeat need not wait for its turn
    if (!crew->is_ordered)
        take_away(crew, piece);
    else if (report.has_ended)
        drop_right(crew, piece);
    if (crew->is_ordered)
        add_from_left(crew);
}

static bool take_message(struct sct_crew *crew, unsigned index, struct error *error) {
    if (!sct_worker_read(crew->workers, crew->worker_count, index, &crew->bytes,
                         campaign_of(crew)->interrupted))
        return describe_death(crew, index, error);
    struct sct_piece *piece = crew->pieces[index];
    ASSERT(piece);
    struct sct_reader reader = {crew->bytes.data, crew->bytes.data + crew->bytes.size, false};
    if (sct_take_number(&reader) == MESSAGE_GIFT) {
        take_gift(crew, piece, &reader);
        return true;
    }
    // It waits for a piece now, and looks at nothing: the call back is void before the next one.
    crew->pieces[index] = NULL;
    atomic_store(&crew->control->lines[index].is_recalled, false);
    take_report(crew, piece, &reader);
    return true;
}

// Waits for what comes within a moment.
static bool take_messages(struct sct_crew *crew, struct error *error) {
    // Not for ever: between messages there may be a checkpoint to write or an interrupt to notice.
    struct pollfd files[SCT_WORKERS_MAX];
    ASSERT(crew->worker_count <= SCT_WORKERS_MAX);
    for (unsigned i = 0; i < crew->worker_count; i++)
        files[i] = (struct pollfd){.fd = crew->workers[i].channel, .events = POLLIN};
    if (poll(files, crew->worker_count, SCT_TICK_MS) <= 0)
        return true; // nothing yet, or an interrupt
    for (unsigned i = 0; i < crew->worker_count; i++)
        if (files[i].revents && !take_message(crew, i, error))
            return false;
    return true;
}

// ---- Handing out -------------------------------------------------------------------------------

static uint64_t executions_left(const struct sct_crew *crew) {
    uint64_t all = campaign_of(crew)->iterations, run = crew->sum.campaign->iterations_run;
    // One worker where there is a limit (start_workers): so what it has run is what was added.
    ASSERT(all == SCT_UNLIMITED || crew->worker_count <= 1);
    return all == SCT_UNLIMITED ? all : all > run ? all - run : 0;
}

static bool hand_out(struct sct_crew *crew, unsigned index, struct sct_piece *piece,
                     struct error *error) {
    ASSERT(!piece->is_worked_on && !piece->is_done && !crew->pieces[index]);
    crew->bytes.size = 0;
    sct_bytes_add_number(&crew->bytes, executions_left(crew));
    sct_path_write(&piece->path, &crew->bytes);
    sct_bytes_add_block(&crew->bytes, piece->known.data, piece->known.size);
    // Before it is sent: from then on the worker writes its line, and would be told over with what
    // is older.
    atomic_store(&crew->control->lines[index].left, piece->left);
    if (!sct_write_message(crew->workers[index].channel, &crew->bytes))
        return describe_death(crew, index, error);
    piece->is_worked_on = true;
    crew->pieces[index] = piece;
    crew->sum.campaign->search.pieces++;
    return true;
}

// Everybody without a piece gets one, or a piece is asked for.
static bool hand_out_pieces(struct sct_crew *crew, struct error *error) {
    struct sct_piece *piece;
    for (unsigned i = 0; i < crew->worker_count; i++)
        if (!crew->pieces[i] && (piece = sct_frontier_waiting(&crew->frontier)) &&
            !hand_out(crew, i, piece, error))
            return false;
    // Idle ones ask for as many pieces as are not under way to them already.
    // Only while somebody works: else there is nobody to answer, and the leftmost piece is handed
    // out.
    uint64_t asked = atomic_load(&crew->control->wanted) - crew->received;
    unsigned idle = count_idle(crew);
    if (idle < crew->worker_count && idle > asked)
        atomic_fetch_add(&crew->control->wanted, idle - asked);
    return true;
}

// ---- The search --------------------------------------------------------------------------------

// As far as workers have told.
static void tell_progress(const struct sct_crew *crew) {
    const struct sct_campaign_options *options = campaign_of(crew);
    if (!options->on_progress)
        return;
    // A view of its own: the sum has only what was added, which in order lags behind. Workers write
    // their lines as they go; they may be of different moments, which nobody minds here.
    struct sct_campaign view = *crew->sum.campaign;
    view.iterations_run = view.iterations_resumed;
    view.violations = crew->violations_resumed;
    for (unsigned i = 0; i < crew->worker_count; i++) {
        const struct sct_crew_line *line = &crew->control->lines[i];
        view.iterations_run += atomic_load(&line->executions);
        view.violations += atomic_load(&line->violations);
        if (crew->pieces[i])
            crew->pieces[i]->left = atomic_load(&line->left);
    }
    view.search.bound_runs += view.iterations_run - crew->sum.campaign->iterations_run;
    set_estimate(crew, &view.search, 1 - sct_frontier_left(&crew->frontier));
    options->on_progress(options->context, &view);
}

static bool is_interrupted(const struct sct_crew *crew) {
    const volatile sig_atomic_t *interrupted = campaign_of(crew)->interrupted;
    return interrupted && *interrupted;
}

// Until nobody works. Whoever wants the end does not wait for somebody who was stopped.
static bool gather(struct sct_crew *crew, struct error *error) {
    // Each stops after the execution in hand and reports how far it has come.
    atomic_store(&crew->control->pauses, true);
    bool is_good = true;
    while (is_good && count_idle(crew) < crew->worker_count) {
        // One that somebody has stopped (SIGSTOP) would keep all from ending.
        if (is_interrupted(crew))
            sct_workers_continue(crew->workers, crew->worker_count);
        is_good = take_messages(crew, error);
    }
    ASSERT(!is_good || count_idle(crew) == crew->worker_count);
    atomic_store(&crew->control->pauses, false);
    return is_good;
}

// Between two: not soon after the last, if that took long.
static bool save(struct sct_crew *crew, struct error *error) {
    // Pieces and cache stand still, or are not written.
    ASSERT(crew->is_settled || count_idle(crew) == crew->worker_count);
    double begin = sct_sum_seconds(&crew->sum);
    if (!crew->jobs->checkpoint)
        return true;
    if (!sct_crew_save(crew, error))
        return false;
    double end = sct_sum_seconds(&crew->sum), interval = (end - begin) / writing_share;
    double least = crew->jobs->checkpoint_seconds;
    crew->checkpoint_due = end + (interval > least ? interval : least);
    return true;
}

static bool is_due(const struct sct_crew *crew) {
    return crew->jobs->checkpoint && sct_sum_seconds(&crew->sum) >= crew->checkpoint_due;
}

// Whether somebody or something stops the search here.
static bool is_stopped(struct sct_crew *crew) {
    const struct sct_campaign_options *options = campaign_of(crew);
    if (is_interrupted(crew)) {
        crew->sum.campaign->was_interrupted = true;
        return true;
    }
    if (executions_left(crew) == 0)
        return true;
    return options->seconds_max > 0 && sct_sum_seconds(&crew->sum) >= options->seconds_max;
}

// Workers find that the cache is nearly full and stop between two executions; nobody may be in it
// while its entries move.
static bool wants_growth(const struct sct_crew *crew) {
    const struct sct_shared_states *states = sct_search_shared(campaign_of(crew)->search);
    return states && sct_shared_states_wants_growth(states);
}

// While nobody uses the cache.
static bool grow(struct sct_crew *crew, struct error *error) {
    if (!gather(crew, error))
        return false;
    sct_shared_states_grow(sct_search_shared(campaign_of(crew)->search));
    return true;
}

// A moment of the search, at whose end workers have what there is to do.
static bool go_on(struct sct_crew *crew, struct error *error) {
    if (wants_growth(crew) && !grow(crew, error))
        return false;
    // Gathered, everybody has reported: that may have been the end of the search, of which
    // `conclude` writes the last checkpoint.
    if (is_due(crew) && (!gather(crew, error) || (!crew->is_over && !save(crew, error))))
        return false;
    if (crew->is_over || !crew->frontier.first)
        return true;
    if (!hand_out_pieces(crew, error) || !take_messages(crew, error))
        return false;
    tell_progress(crew);
    return true;
}

static bool search(struct sct_crew *crew, struct error *error) {
    while (!crew->is_over) {
        if (!crew->frontier.first)
            finish_tree(crew);
        else if (is_stopped(crew))
            crew->is_over = true;
        else if (!go_on(crew, error))
            return false;
    }
    return true;
}

// What is known when nobody is to work any more; for good, or to go on later.
static bool conclude(struct sct_crew *crew, struct error *error) {
    ASSERT(crew->is_over);
    // Of an execution that is left the states are in the cache as if they had been searched: a
    // search that goes on from a checkpoint would take them for known.
    crew->control->leaves =
        !sct_search_shared(campaign_of(crew)->search) || !crew->jobs->checkpoint;
    if (!crew->is_settled && !gather(crew, error))
        return false;
    const struct sct_campaign *campaign = crew->sum.campaign;
    // Neither of these moments is one to go on from.
    bool is_lost = campaign->search.is_cache_full || campaign->unrepeatable.is_found;
    return is_lost || save(crew, error);
}

static bool start_workers(struct sct_crew *crew, struct error *error) {
    bool is_limited = campaign_of(crew)->iterations != SCT_UNLIMITED;
    // Several could not keep a limit together: who has how many left would have to be agreed on
    // before each execution.
    unsigned count = is_limited ? 1 : crew->jobs->workers;
    const struct sct_work todo = {.run = sct_crew_work, .context = crew, .is_told = true};
    fflush(NULL); // a worker must not write it again
    for (crew->worker_count = 0; crew->worker_count < count; crew->worker_count++) {
        // Before its fork, by which it gets the same memory: it is still here when the worker has
        // died.
        crew->records[crew->worker_count] =
            sct_record_new(sct_engine_steps_max(crew->engine), true);
        if (!sct_worker_start(crew->workers, crew->worker_count, &todo, error))
            return false;
    }
    return true;
}

static bool begin(struct sct_crew *crew, struct error *error) {
    struct sct_campaign *campaign = crew->sum.campaign;
    if (!crew->jobs->resumed) {
        add_root(crew);
        return save(crew, error);
    }
    // Counters and marks are this process's: what the checkpoint has of them is added to nothing.
    sct_range_clear(&crew->range);
    if (!sct_crew_load(crew, error))
        return false;
    campaign->iterations_resumed = campaign->iterations_run;
    campaign->search.states_resumed = campaign->search.states_met;
    crew->violations_resumed = campaign->violations;
    crew->checkpoint_due = crew->jobs->checkpoint_seconds;
    return true;
}

static bool run_crew(struct sct_crew *crew, struct error *error) {
    if (!begin(crew, error))
        return false;
    if (crew->is_over)
        return true;
    return start_workers(crew, error) && search(crew, error) && conclude(crew, error);
}

bool sct_crew_run(struct sct_engine *engine, const struct sct_crew_jobs *jobs,
                  struct sct_campaign *campaign, struct error *error) {
    const struct sct_campaign_options *options = jobs->range->campaign;
    ASSERT(jobs->workers >= 1 && jobs->workers <= SCT_WORKERS_MAX);
    ASSERT(options->strategy->path);
    ASSERT(!options->search || sct_search_shared(options->search) ||
           sct_search_sleep(options->search));
    struct sct_crew crew = {
        .jobs = jobs,
        .range = *jobs->range,
        .engine = engine,
        .path = options->strategy->path,
        .control = sct_map_shared(sizeof *crew.control),
        .is_ordered = !sct_search_shared(options->search),
    };
    sct_sum_init(&crew.sum, campaign, options->strategy);
    bool is_good = run_crew(&crew, error);
    // By force: what was wanted of them they have reported, and the rest (to the right of a
    // violation, or after an error) does not count.
    sct_workers_dismiss(crew.workers, SCT_WORKERS_MAX);
    for (unsigned i = 0; i < SCT_WORKERS_MAX; i++)
        sct_record_free(crew.records[i]);
    if (!crew.is_settled) { // findings to the right of what is left are findings too
        set_estimate(&crew, &campaign->search, 1 - sct_frontier_left(&crew.frontier));
        add_all(&crew);
    }
    sct_sum_close(&crew.sum, options);
    sct_frontier_deinit(&crew.frontier);
    sct_bytes_free(&crew.bytes);
    munmap(crew.control, sizeof *crew.control);
    return is_good;
}
