// What a recording keeps of an execution that is over: all strings, whose turns they were, and in
// which turns a counter grew.
#include "tests/support/programs.h"

#include "core/trace/recording.h"

#include <stdio.h>

static uint64_t counter;

static void walk(void *argument) {
    (void)argument;
    char text[40];
    for (int i = 0; i < 3; i++) {
        step("walk");
        snprintf(text, sizeof text, "has made step %d", i); // the next one writes over it
        sct_note("%s", text);
        counter += i == 1;
    }
}

static void walkers(void *context) {
    (void)context;
    char name[] = "a";
    start(arena_printf(sct_arena(), "%s", name), walk, NULL);
    name[0] = 'b';
    start(arena_printf(sct_arena(), "%s", name), walk, NULL);
    counter++;
}

// The execution that was recorded is over, and another one has its memory.
static void record(struct sct_recording *recording, const struct sct_recording_options *options) {
    sct_recording_start(recording, engine, options);
    assert_passed(run_stay(walkers));
    sct_recording_stop(recording, engine);
    assert_passed(run_stay(two_walkers));
}

static const struct sct_recording_options all = {.bytes = 1 << 20, .counter = &counter};

static void test_strings_outlive_the_execution(void **state) {
    (void)state;
    struct sct_recording recording;
    record(&recording, &all);
    char told[400];
    struct text text = text_in(told, sizeof told);
    for (uint32_t i = 0; i < recording.count; i++)
        if (recording.events[i].event.kind == SCT_EVENT_NOTE)
            text_add(&text, "%s %s; ", recording.events[i].event.machine,
                     recording.events[i].event.text);
    assert_string_equal(told, "a has made step 0; a has made step 1; a has made step 2; "
                              "b has made step 0; b has made step 1; b has made step 2; ");
    sct_recording_free(&recording);
}

// A machine's signature goes with all that happens in its turns.
static void test_tasks(void **state) {
    (void)state;
    struct sct_recording recording;
    uint64_t of_a = 0, of_b = 0;
    record(&recording, &all);
    for (uint32_t i = 0; i < recording.count; i++) {
        const struct sct_heard *heard = &recording.events[i];
        if (heard->event.kind != SCT_EVENT_NOTE)
            continue;
        uint64_t *of = heard->event.machine[0] == 'a' ? &of_a : &of_b;
        assert_true(heard->task != 0 && (*of == 0 || *of == heard->task));
        *of = heard->task;
    }
    assert_true(of_a != of_b);
    assert_true(recording.events[0].event.kind == SCT_EVENT_TASK_STARTED);
    assert_true(recording.events[0].task == 0); // the setup's
    sct_recording_free(&recording);
}

// The counter grows behind the last event of the setup and of the second step of each: the next
// event tells, which is the turn that follows.
static void test_growth_is_told_at_the_next_event(void **state) {
    (void)state;
    struct sct_recording recording;
    record(&recording, &all);
    uint32_t grown = 0;
    for (uint32_t i = 0; i < recording.count; i++) {
        const struct sct_heard *heard = &recording.events[i];
        if (!heard->has_grown)
            continue;
        grown++;
        assert_int_equal(heard->event.kind, SCT_EVENT_TURN);
        assert_true(grown == 1 || strcmp(heard[-1].event.text, "has made step 1") == 0);
    }
    assert_int_equal(grown, 3);
    assert_false(recording.has_grown);
    sct_recording_free(&recording);
}

static void count_heard(void *context, const struct sct_heard *heard) {
    uint32_t *count = context;
    assert_non_null(heard->event.text);
    ++*count;
}

// What is before the first decision asked for is counted, not kept, and nobody watches it.
static void test_first_decision(void **state) {
    (void)state;
    struct sct_recording whole, end;
    struct sct_recording_options options = all;
    uint32_t watched = 0;
    record(&whole, &all);
    options.first_decision = 3;
    options.watch = count_heard;
    options.context = &watched;
    record(&end, &options);
    assert_true(end.count > 0 && end.turns_left_out > 0);
    assert_int_equal(watched, end.count);
    uint32_t turns = 0, skipped = whole.count - end.count;
    for (uint32_t i = 0; i < skipped; i++)
        turns += whole.events[i].event.kind == SCT_EVENT_TURN;
    assert_int_equal(end.turns_left_out, turns);
    for (uint32_t i = 0; i < end.count; i++) {
        assert_true(end.events[i].event.decision >= 3);
        assert_string_equal(end.events[i].event.text, whole.events[skipped + i].event.text);
    }
    assert_true(end.events[0].has_grown); // in what was left out
    sct_recording_free(&whole);
    sct_recording_free(&end);
}

// Texts that are the same are kept once, as a rule; others stay apart wherever they fall.
static void test_texts(void **state) {
    (void)state;
    struct sct_recording recording = {0};
    enum { TEXTS = 4 * SCT_RECORDING_TEXTS };
    const char *kept[TEXTS];
    char text[20];
    arena_init(&recording.arena, 1 << 20);
    assert_null(sct_recording_text(&recording, NULL));
    for (int i = 0; i < TEXTS; i++) {
        snprintf(text, sizeof text, "text %d", i);
        kept[i] = sct_recording_text(&recording, text);
        assert_ptr_equal(sct_recording_text(&recording, text), kept[i]);
    }
    for (int i = 0; i < TEXTS; i++) {
        snprintf(text, sizeof text, "text %d", i);
        assert_string_equal(kept[i], text);
    }
    sct_recording_free(&recording);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(test_strings_outlive_the_execution),
        ENGINE_TEST(test_tasks),
        ENGINE_TEST(test_growth_is_told_at_the_next_event),
        ENGINE_TEST(test_first_decision),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
