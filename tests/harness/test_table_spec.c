// The check of table histories against one that tries everything (table_brute.h).
//
// Exhaustive: every overlap of the intervals of
// - at most 4 operations on one row, out of [small], the row there at first or not;
// - at most 3 out of [large], on one row;
// - at most 3 out of [small], with the settlement at every place;
// - at most 2 (or 3) out of [wide]: two rows, both or one there at first; batches of two, queries,
//   streams with all their reads; without a settlement and with it at every place.
//
// Sampled: histories of 7 operations (calls and reads of a stream) and the final contents, on two
// keys (batches of one or two, queries, calls that never return, ETags that change by themselves,
// in half of them only up to a settlement), made by an imaginary table; in half something is then
// changed.
//
// MTCHECK_FULL=1 takes the larger numbers: 4 with a settlement, 3 of [large] with one, 3 of [wide],
// a million samples; minutes.
#include "tests/support/test.h"

#include "core/base/rng.h"
#include "harness/table/log_check.h"
#include "tests/harness/table_sample.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    SAMPLED_OPERATIONS = 7,
    DRIFTS_END = 12,
    READS_MAX = 3,
    CALLS_MAX = 4, // of the exhaustive part
};

static bool is_full(void) {
    const char *full = getenv("MTCHECK_FULL");
    return full && *full && *full != '0';
}

static struct log_checker *checker;

// ---- Comparison --------------------------------------------------------------------------------

struct tally {
    uint64_t yes, no;
};

static void compare(const struct sample *sample, struct tally *tally) {
    struct table_log log;
    arena_reset(&arena, 0);
    log_sample(&log, sample);
    enum lin_verdict verdict = log_check(checker, &log, NULL);
    bool expected = brute_verdict(sample);
    if (verdict != (expected ? LIN_LINEARIZABLE : LIN_NOT_LINEARIZABLE)) {
        for (uint32_t i = 0; i < sample->event_count; i++) {
            const struct event *event = &sample->events[i];
            const struct brute_operation *call = &sample->calls[event->index];
            print_message(
                "event %u of %u: kind %u, type %u match %u etag %u status %u; row %d %u e%u\n",
                (unsigned)event->kind, event->index, (unsigned)call->kind,
                (unsigned)call->changes[0].type, call->changes[0].match, call->changes[0].etag,
                call->status, event->row.exists, event->key, event->row.etag);
        }
        fail_msg("verdict %d, everything tried says %d", (int)verdict, expected);
    }
    tally->yes += expected;
    tally->no += !expected;
}

// ---- All small histories -----------------------------------------------------------------------

#define CHANGE(type_, match_, bits_, etag_) \
    .kind = BATCH, .count = 1,              \
    .changes = {{.type = (type_), .match = (match_), .bits = (bits_), .etag = (etag_)}}
#define SEEN(bits_, etag_) .kind = OBSERVATION, .seen = {{true, (bits_), (etag_)}}
#define PENDING .returned_at = UINT32_MAX

#define SIZE_OF(array) (sizeof(array) / sizeof(array)[0])

// An operation of the exhaustive part: a call, or a stream of [read_count] reads; READ_END is the
// end, else it is the key of the row.
enum { READ_END = BRUTE_KEYS };

struct item {
    struct brute_operation call;
    uint32_t read_count;
    struct {
        uint32_t key;
        struct brute_row row;
    } reads[READS_MAX];
};

static const struct item small[] = {
    {.call = {CHANGE(INSERT, NO_ETAG, 1, 2)}},
    {.call = {CHANGE(INSERT, NO_ETAG, 1, 0), .status = 409}},
    {.call = {CHANGE(INSERT_OR_MERGE, NO_ETAG, 2, 0), PENDING}},
    {.call = {CHANGE(REPLACE, 1, 3, 3)}},
    {.call = {CHANGE(REPLACE, 2, 3, 0), .status = 412}},
    {.call = {CHANGE(DELETE, MATCH_ANY, 0, 0)}},
    {.call = {.kind = OBSERVATION}},
    {.call = {SEEN(1, 1)}},
    {.call = {SEEN(1, 2)}},
    {.call = {SEEN(3, 4)}},
};

static const struct item large[] = {
    {.call = {CHANGE(INSERT, NO_ETAG, 1, 2)}},
    {.call = {CHANGE(INSERT, NO_ETAG, 1, 3)}},
    {.call = {CHANGE(INSERT, NO_ETAG, 1, 0), .status = 409}},
    {.call = {CHANGE(INSERT, NO_ETAG, 1, 0), PENDING}},
    {.call = {CHANGE(INSERT_OR_REPLACE, NO_ETAG, 2, 3)}},
    {.call = {CHANGE(INSERT_OR_MERGE, NO_ETAG, 2, 3)}},
    {.call = {CHANGE(INSERT_OR_MERGE, NO_ETAG, 2, 0), PENDING}},
    {.call = {CHANGE(REPLACE, 1, 3, 3)}},
    {.call = {CHANGE(REPLACE, 1, 3, 0), .status = 412}},
    {.call = {CHANGE(REPLACE, 1, 3, 0), .status = 404}},
    {.call = {CHANGE(REPLACE, 1, 3, 0), PENDING}},
    {.call = {CHANGE(MERGE, MATCH_ANY, 2, 3)}},
    {.call = {CHANGE(MERGE, 4, 2, 3)}},
    {.call = {CHANGE(MERGE, 4, 2, 0), .status = 412}},
    {.call = {CHANGE(MERGE, MATCH_ANY, 2, 0), .status = 412}},
    {.call = {CHANGE(DELETE, MATCH_ANY, 0, 0)}},
    {.call = {CHANGE(DELETE, 2, 0, 0)}},
    {.call = {CHANGE(DELETE, 2, 0, 0), .status = 412}},
    {.call = {CHANGE(DELETE, MATCH_ANY, 0, 0), .status = 404}},
    {.call = {CHANGE(DELETE, MATCH_IF_EXISTS, 0, 0)}},
    {.call = {CHANGE(DELETE, MATCH_IF_EXISTS, 0, 0), PENDING}},
    {.call = {CHANGE(DELETE, 1, 0, 0), PENDING}},
    {.call = {.kind = OBSERVATION}},
    {.call = {.kind = OBSERVATION, .is_filtered = true}},
    {.call = {SEEN(1, 1)}},
    {.call = {SEEN(1, 2)}},
    {.call = {SEEN(1, 4)}},
    {.call = {SEEN(2, 3)}},
    {.call = {SEEN(3, 3), .is_filtered = true}},
    {.call = {SEEN(3, 4)}},
    {.call = {SEEN(3, 5)}},
    {.call = {.kind = NOTHING, .count = 1, .changes = {{.type = DELETE, .match = MATCH_ANY}}}},
};

#define CHANGES(type_, match_, bits_, etag0_, etag1_)                                    \
    .kind = BATCH, .count = 2,                                                           \
    .changes = {{.type = (type_), .match = (match_), .bits = (bits_), .etag = (etag0_)}, \
                {.type = INSERT_OR_MERGE, .key = 1, .bits = 2, .etag = (etag1_)}}
static const struct item wide[] = {
    {.call = {CHANGES(REPLACE, 1, 2, 3, 4)}},
    {.call = {CHANGES(REPLACE, 6, 2, 0, 0), .status = 412}},
    {.call = {CHANGES(DELETE, MATCH_ANY, 0, 0, 5)}},
    {.call = {CHANGES(INSERT, NO_ETAG, 1, 0, 0), PENDING}},
    {.call = {CHANGE(REPLACE, 1, 1, 0), .status = 412}},
    {.call = {CHANGE(DELETE, MATCH_IF_EXISTS, 0, 0)}},
    {.call = {.kind = OBSERVATION, .seen = {{true, 1, 1}, {true, 2, 2}}}},
    {.call = {.kind = OBSERVATION, .seen = {{true, 1, 6}, {false, 0, 0}}}},
    {.call = {.kind = OBSERVATION, .seen = {{false, 0, 0}, {true, 2, 5}}}},
    {.call = {.kind = OBSERVATION, .seen = {{true, 2, 3}, {true, 2, 4}}}},
    {.read_count = 1, .reads = {{.key = READ_END}}},
    {.read_count = 1, .reads = {{1, {true, 2, 5}}}},
    {.read_count = 2, .reads = {{0, {true, 1, 6}}, {.key = READ_END}}},
    {.read_count = 2, .reads = {{1, {true, 2, 2}}, {0, {true, 1, 1}}}},
    {.read_count = 3, .reads = {{0, {true, 1, 1}}, {1, {true, 2, 4}}, {.key = READ_END}}},
    {.read_count = 1, .call = {.is_filtered = true}, .reads = {{1, {true, 2, 2}}}},
    {.read_count = 1, .call = {.is_filtered = true}, .reads = {{.key = READ_END}}},
};

// A history being made: its operations, and for each how many of its returns are still to come.
struct building {
    struct sample sample;
    struct item items[CALLS_MAX];
    uint32_t count, called;
    uint32_t left[CALLS_MAX];
    bool settles; // still to come
    struct tally *tally;
};

static struct event begin_item(struct building *of, uint32_t i) {
    const struct item *item = &of->items[i];
    of->left[i] = item->read_count                       ? item->read_count
                  : item->call.returned_at != UINT32_MAX ? 1
                                                         : 0;
    return (struct event){.kind = item->read_count ? OPEN : CALL, .index = i};
}

static struct event end_item(struct building *of, uint32_t i) {
    const struct item *item = &of->items[i];
    if (item->read_count == 0)
        return (struct event){.kind = RETURN, .index = i};
    uint32_t read = item->read_count - of->left[i];
    return (struct event){
        .kind = READ, .index = i, .key = item->reads[read].key, .row = item->reads[read].row};
}

// Continues the history with every event that may be next, and compares what is complete.
static void each_overlap(struct building *of) {
    struct event *event = &of->sample.events[of->sample.event_count++];
    bool is_complete = of->called == of->count && !of->settles;
    if (of->settles) {
        *event = (struct event){.kind = SETTLE};
        of->settles = false;
        each_overlap(of);
        of->settles = true;
    }
    if (of->called < of->count) {
        *event = begin_item(of, of->called++);
        each_overlap(of);
        of->left[--of->called] = 0;
    }
    for (uint32_t i = 0; i < of->count; i++) {
        if (of->left[i] == 0)
            continue;
        is_complete = false;
        *event = end_item(of, i);
        of->left[i]--;
        each_overlap(of);
        of->left[i]++;
    }
    of->sample.event_count--;
    if (is_complete)
        compare(&of->sample, of->tally);
}

// Compares all histories of [count] operations out of [items].
static void each_history(const struct item *items, uint32_t item_count, uint32_t count,
                         bool has_settlement, struct tally *tally) {
    struct building of = {.sample.peeked = {1u << 4 | 1u << 6, 0},
                          .count = count,
                          .settles = has_settlement,
                          .tally = tally};
    bool is_wide = items == wide;
    uint32_t digits[CALLS_MAX] = {0};
    for (uint32_t at = 0; at < count;) {
        for (uint32_t i = 0; i < count; i++) {
            of.items[i] = items[digits[i]];
            of.sample.calls[i] = of.items[i].call;
            of.sample.is_filtered[i] = of.items[i].call.is_filtered;
        }
        for (int exists = 0; exists < 2; exists++) {
            of.sample.initial[0] = (struct brute_row){exists == 1, 1, 1};
            of.sample.initial[1] = (struct brute_row){is_wide, 2, 2};
            each_overlap(&of);
        }
        for (at = 0; at < count && ++digits[at] == item_count; at++)
            digits[at] = 0;
    }
}

static void each_up_to(const struct item *items, uint32_t item_count, uint32_t count_max,
                       bool has_settlement) {
    struct tally tally = {0};
    for (uint32_t count = 1; count <= count_max; count++)
        each_history(items, item_count, count, has_settlement, &tally);
    print_message("%llu linearizable, %llu not\n", (unsigned long long)tally.yes,
                  (unsigned long long)tally.no);
    assert_true(tally.yes > 100 && tally.no > 100);
}

// Every history of the spaces described above gets the right verdict.
static void test_all_small_histories(void **state) {
    (void)state;
    uint32_t longest = ARENA_POISONS ? 3 : 4;
    each_up_to(small, SIZE_OF(small), longest, false);
    each_up_to(large, SIZE_OF(large), longest - 1, false);
}

static void test_all_small_settled_histories(void **state) {
    (void)state;
    uint32_t longest = is_full() ? 4 : ARENA_POISONS ? 2 : 3;
    each_up_to(small, SIZE_OF(small), longest, true);
    each_up_to(large, SIZE_OF(large), is_full() ? 3 : 2, true);
}

static void test_all_small_histories_of_two_rows(void **state) {
    (void)state;
    each_up_to(wide, SIZE_OF(wide), is_full() ? 3 : 2, false);
    each_up_to(wide, SIZE_OF(wide), is_full() ? 3 : 2, true);
}

// ---- Sampled histories -------------------------------------------------------------------------

struct imagination {
    struct rng rng;
    struct sample *sample;
    struct brute_row rows[BRUTE_KEYS];
    uint32_t next_etag;
    bool is_settled;
    struct {
        enum { IDLE, CALLED, EFFECTIVE, STREAMING, STOPPED } phase;
        uint32_t index, place;
        struct brute_row seen[BRUTE_KEYS]; // STREAMING: what each key's read will show
    } processes[3];
};

static uint32_t draw(struct imagination *of, uint32_t count) {
    return rng_below(&of->rng, count);
}

static struct event *add_event(struct sample *sample, enum event_kind kind, uint32_t index) {
    assert_true(sample->event_count < EVENTS_MAX);
    struct event *event = &sample->events[sample->event_count++];
    *event = (struct event){.index = index};
    event->kind = kind;
    return event;
}

static uint32_t draw_match(struct imagination *of, enum brute_type type, uint32_t key) {
    if (type == INSERT || type == INSERT_OR_REPLACE || type == INSERT_OR_MERGE)
        return NO_ETAG;
    switch (draw(of, 4)) {
    case 0:
        return type == DELETE ? MATCH_IF_EXISTS : MATCH_ANY;
    case 1:
        return 1 + draw(of, of->next_etag);
    case 2:
        return MATCH_ANY;
    default:
        return of->rows[key].exists ? of->rows[key].etag : MATCH_ANY;
    }
}

static void draw_call(struct imagination *of, struct brute_operation *call) {
    if (draw(of, 3) == 0) {
        *call = (struct brute_operation){.kind = OBSERVATION, .is_filtered = draw(of, 2) == 0};
        return;
    }
    *call = (struct brute_operation){.kind = BATCH, .count = 1 + draw(of, 2)};
    uint32_t first = draw(of, 2);
    for (uint32_t i = 0; i < call->count; i++) {
        struct brute_change *change = &call->changes[i];
        change->type = (enum brute_type)draw(of, 6);
        change->key = first ^ i;
        change->bits = draw(of, 4);
        change->match = draw_match(of, change->type, change->key);
    }
}

// The call takes effect, with ETags of its own.
static void take_effect(struct imagination *of, struct brute_operation *call) {
    if (call->kind == OBSERVATION) {
        for (uint32_t key = 0; key < BRUTE_KEYS; key++)
            if (of->rows[key].exists && (!call->is_filtered || (of->rows[key].bits & 1)))
                call->seen[key] = of->rows[key];
        return;
    }
    struct brute_table table = {.is_settled = false};
    memcpy(table.rows, of->rows, sizeof table.rows);
    uint32_t etag = of->next_etag;
    for (uint32_t i = 0; i < call->count; i++) {
        assert_true(etag < BRUTE_ETAGS);
        call->changes[i].etag = etag++;
        call->status = brute_change_row(&table, &call->changes[i], true);
        if (call->status != 0) {
            call->failed_at = i;
            return;
        }
    }
    of->next_etag = etag;
    memcpy(of->rows, table.rows, sizeof table.rows);
}

static void read_stream(struct imagination *of, uint32_t process) {
    uint32_t index = of->processes[process].index;
    struct event *event = add_event(of->sample, READ, index);
    of->sample->read_count++;
    for (uint32_t key = of->processes[process].place; key < BRUTE_KEYS; key++) {
        struct brute_row row = of->processes[process].seen[key];
        if (!row.exists || (of->sample->is_filtered[index] && !(row.bits & 1)))
            continue;
        event->row = row;
        event->key = key;
        of->processes[process].place = key + 1;
        return;
    }
    of->processes[process].phase = IDLE;
}

static void begin_something(struct imagination *of, uint32_t process) {
    struct sample *sample = of->sample;
    if (sample->stream_count < 1 && draw(of, 6) == 0) {
        uint32_t index = sample->stream_count++;
        sample->is_filtered[index] = draw(of, 2) == 0;
        add_event(sample, OPEN, index);
        of->processes[process].phase = STREAMING;
        of->processes[process].index = index;
        of->processes[process].place = 0;
        memcpy(of->processes[process].seen, of->rows, sizeof of->rows);
        return;
    }
    uint32_t index = sample->call_count++;
    draw_call(of, &sample->calls[index]);
    add_event(sample, CALL, index);
    of->processes[process].phase = CALLED;
    of->processes[process].index = index;
}

static uint32_t operations_of(const struct sample *sample) {
    return sample->call_count + sample->read_count;
}

static void act(struct imagination *of, uint32_t process) {
    uint32_t index = of->processes[process].index;
    switch (of->processes[process].phase) {
    case IDLE:
        if (operations_of(of->sample) < SAMPLED_OPERATIONS)
            begin_something(of, process);
        return;
    case CALLED:
        of->processes[process].phase = EFFECTIVE;
        if (draw(of, 16) == 0)
            of->processes[process].phase = STOPPED; // died without having done it
        else
            take_effect(of, &of->sample->calls[index]);
        return;
    case EFFECTIVE:
        of->processes[process].phase = draw(of, 12) == 0 ? STOPPED : IDLE;
        if (of->processes[process].phase == IDLE)
            add_event(of->sample, RETURN, index);
        return;
    case STREAMING:
        read_stream(of, process);
        return;
    case STOPPED:
        return;
    }
}

// A row changes its ETag, and streams look at rows again.
static void drift(struct imagination *of) {
    uint32_t key = draw(of, BRUTE_KEYS);
    if (draw(of, 10) == 0 && !of->is_settled && of->rows[key].exists && of->next_etag < DRIFTS_END)
        of->rows[key].etag = of->next_etag++;
    for (uint32_t p = 0; p < 3; p++)
        if (of->processes[p].phase == STREAMING && draw(of, 2) == 0)
            of->processes[p].seen[key] = of->rows[key];
}

static void imagine(struct sample *sample, uint64_t seed) {
    struct imagination of = {.sample = sample, .next_etag = 1};
    *sample = (struct sample){.has_final = true};
    rng_seed(&of.rng, seed);
    for (uint32_t key = 0; key < BRUTE_KEYS; key++)
        if (draw(&of, 3) > 0)
            of.rows[key] = (struct brute_row){true, draw(&of, 4), of.next_etag++};
    memcpy(sample->initial, of.rows, sizeof of.rows);
    uint32_t settled_at = draw(&of, 80); // in half of them not before the end
    for (uint32_t i = 0; i < 40; i++) {
        act(&of, draw(&of, 3));
        drift(&of);
        if (i != settled_at)
            continue;
        of.is_settled = true;
        add_event(sample, SETTLE, 0);
    }
    memcpy(sample->final, of.rows, sizeof of.rows);
    for (uint32_t key = 0; key < BRUTE_KEYS; key++) // callers may have got ETags anywhere
        sample->peeked[key] = (1u << of.next_etag) - 2;
}

static void change_row(struct rng *rng, struct brute_row *row) {
    switch (rng_below(rng, 3)) {
    case 0:
        row->exists = !row->exists;
        row->bits = rng_below(rng, 4);
        row->etag = 1 + rng_below(rng, 8);
        return;
    case 1:
        row->bits ^= 1 + rng_below(rng, 3);
        return;
    default:
        row->etag = 1 + rng_below(rng, 8);
    }
}

static void change_call(struct rng *rng, struct brute_operation *call) {
    static const uint32_t statuses[] = {0, 404, 409, 412};
    if (call->kind == OBSERVATION) {
        change_row(rng, &call->seen[rng_below(rng, BRUTE_KEYS)]);
        return;
    }
    struct brute_change *change = &call->changes[rng_below(rng, call->count)];
    if (rng_below(rng, 2) == 0) {
        call->status = statuses[rng_below(rng, 4)];
        call->failed_at = rng_below(rng, call->count);
    } else {
        change->etag = 1 + rng_below(rng, 8);
    }
    for (uint32_t i = 0; i < call->count; i++)
        if (call->changes[i].etag == NO_ETAG)
            call->changes[i].etag = 14;
}

// Changes something that was answered.
static void spoil(struct sample *sample, uint64_t seed) {
    struct rng rng;
    rng_seed(&rng, ~seed);
    struct event *event = &sample->events[rng_below(&rng, sample->event_count)];
    if (rng_below(&rng, 4) == 0)
        memset(sample->peeked, 0, sizeof sample->peeked);
    if (rng_below(&rng, 8) == 0)
        change_row(&rng, &sample->final[rng_below(&rng, BRUTE_KEYS)]);
    else if (event->kind == READ && event->row.exists)
        change_row(&rng, &event->row);
    else if (event->kind == RETURN || event->kind == CALL)
        change_call(&rng, &sample->calls[event->index]);
}

// Histories of an imaginary table are linearizable; these and what becomes of them when an answer
// is changed get the right verdict.
static void test_sampled_histories(void **state) {
    (void)state;
    struct tally honest = {0}, spoilt = {0};
    static struct sample sample;
    uint64_t samples = is_full() ? 1000000 : ARENA_POISONS ? 2000 : 50000;
    for (uint64_t seed = 0; honest.yes + honest.no + spoilt.yes + spoilt.no < samples; seed++) {
        imagine(&sample, seed);
        if (operations_of(&sample) < SAMPLED_OPERATIONS)
            continue;
        bool is_honest = seed % 2 == 0;
        if (!is_honest)
            spoil(&sample, seed);
        compare(&sample, is_honest ? &honest : &spoilt);
    }
    print_message("honest: %llu\n", (unsigned long long)honest.yes);
    print_message("spoilt: %llu linearizable, %llu not\n", (unsigned long long)spoilt.yes,
                  (unsigned long long)spoilt.no);
    assert_int_equal(honest.no, 0);
    assert_true(spoilt.no > spoilt.yes / 4);
}

// What cannot be explained is told with the ETag that it had, not with that of an equal row.
static void test_words_for_a_read(void **state) {
    (void)state;
    struct table_log log;
    char buffer[500];
    struct text text = text_in(buffer, sizeof buffer);
    arena_reset(&arena, 0);
    table_log_init(&log, &arena, rows_of((struct brute_row[BRUTE_KEYS]){{true, 1, 1}}));
    table_log_settle(&log);
    table_log_read(&log, table_log_open(&log, NULL), row_of(0, 1, etags[1]));
    table_log_read(&log, table_log_open(&log, NULL), row_of(0, 1, etags[2]));
    assert_int_equal(log_check(checker, &log, &text), LIN_NOT_LINEARIZABLE);
    assert_string_equal(buffer,
                        "a stream's read that for key 'p' '0' gave {'p'/'0' a=true etag e2}");
}

static int open_all(void **state) {
    (void)state;
    arena_init(&arena, 1 << 26);
    for (int etag = 1; etag < BRUTE_ETAGS; etag++)
        snprintf(etags[etag], sizeof etags[etag], "e%d", etag);
    checker = log_checker_open(
        &(struct lin_limits){.steps_max = 1000000, .memory_bytes = 8 * 1024 * 1024});
    return 0;
}

static int close_all(void **state) {
    (void)state;
    log_checker_close(checker);
    arena_deinit(&arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_small_histories),
        cmocka_unit_test(test_all_small_settled_histories),
        cmocka_unit_test(test_all_small_histories_of_two_rows),
        cmocka_unit_test(test_sampled_histories),
        cmocka_unit_test(test_words_for_a_read),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
