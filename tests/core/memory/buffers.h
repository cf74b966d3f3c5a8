// A machine of store buffers (Owens, Sarkar, Sewell, "A better x86 memory model: x86-TSO", TPHOLs
// 2009): all graphs of a little program, by trying every order of its steps and of the buffers'
// stores reaching memory. With buffers of no length it is sequentially consistent.
#ifndef TESTS_CORE_MEMORY_BUFFERS_H
#define TESTS_CORE_MEMORY_BUFFERS_H

#include "tests/core/memory/little.h"

struct buffers {
    struct graph graph;
    uint8_t lengths[LITTLE_LOCATIONS]; // of the orders of stores
    uint8_t next[LITTLE_THREADS];      // step of each thread
    // The oldest store of each thread that has not reached memory, and how many there are; each is
    // a step of its thread.
    uint8_t waiting[LITTLE_THREADS][LITTLE_LENGTH], counts[LITTLE_THREADS];
};

enum { BUFFER_STATES = 1 << 20 };
static uint64_t buffer_states[BUFFER_STATES]; // met, by hash; 0: none
static size_t buffer_state_count;

static const struct little *buffer_little;
static struct graphs *buffer_graphs;
static bool has_buffers;

static inline bool is_met(const struct buffers *state) {
    uint64_t hash = hash_bytes(state, sizeof *state) | 1;
    size_t index = hash >> 40 & (BUFFER_STATES - 1);
    while (buffer_states[index] != 0 && buffer_states[index] != hash)
        index = (index + 1) & (BUFFER_STATES - 1);
    bool is_known = buffer_states[index] == hash;
    buffer_states[index] = hash;
    buffer_state_count += !is_known;
    assert_true(buffer_state_count < BUFFER_STATES / 2);
    return is_known;
}

static inline uint8_t newest(const struct buffers *state, uint32_t location) {
    return state->graph.stores[location][state->lengths[location] - 1];
}

static inline void put(struct buffers *state, uint32_t location, uint32_t value) {
    state->graph.stores[location][state->lengths[location]++] = (uint8_t)value;
}

// What the thread sees: its own youngest store that waits, else memory.
static inline uint8_t seen_by(const struct buffers *state, uint32_t thread, uint32_t location) {
    for (uint32_t i = state->counts[thread]; i-- > 0;) {
        const struct little_step *store = &buffer_little->steps[thread][state->waiting[thread][i]];
        if (store->location == location)
            return (uint8_t)store->value;
    }
    return newest(state, location);
}

static inline bool waits_for_buffer(const struct little_step *step) {
    return step->op == EXCHANGE || step->op == CAS ||
           (step->order == SCT_SEQ_CST && (step->op == STORE || step->op == FENCE));
}

static inline void take_step(struct buffers *state, uint32_t thread) {
    uint8_t index = state->next[thread]++;
    const struct little_step *step = &buffer_little->steps[thread][index];
    uint8_t *read = &state->graph.reads[thread][index];
    uint32_t location = step->location;
    if (step->op == LOAD)
        *read = seen_by(state, thread, location);
    else if (step->op == EXCHANGE || step->op == CAS)
        *read = newest(state, location);
    if (step->op == STORE && has_buffers && !waits_for_buffer(step))
        state->waiting[thread][state->counts[thread]++] = index;
    else if (step->op == STORE || step->op == EXCHANGE ||
             (step->op == CAS && *read == step->expected))
        put(state, location, step->value);
}

static inline void flush(struct buffers *state, uint32_t thread) {
    const struct little_step *store = &buffer_little->steps[thread][state->waiting[thread][0]];
    put(state, store->location, store->value);
    memmove(state->waiting[thread], state->waiting[thread] + 1, LITTLE_LENGTH - 1);
    state->waiting[thread][LITTLE_LENGTH - 1] = 0;
    state->counts[thread]--;
}

static inline void explore(const struct buffers *state) {
    if (is_met(state))
        return;
    bool is_end = true;
    for (uint32_t t = 0; t < LITTLE_THREADS; t++) {
        const struct little_step *step = &buffer_little->steps[t][state->next[t]];
        bool can_step = state->next[t] < LITTLE_LENGTH && step->op != END &&
                        (state->counts[t] == 0 || !waits_for_buffer(step));
        is_end = is_end && !can_step && state->counts[t] == 0;
        struct buffers next = *state;
        if (can_step) {
            take_step(&next, t);
            explore(&next);
            next = *state;
        }
        if (state->counts[t] > 0) {
            flush(&next, t);
            explore(&next);
        }
    }
    if (is_end)
        graphs_add(buffer_graphs, &state->graph);
}

static inline void buffer_search(const struct little *little, bool with_buffers,
                                 struct graphs *graphs) {
    graphs_empty(graphs);
    buffer_graphs = graphs;
    buffer_little = little;
    has_buffers = with_buffers;
    memset(buffer_states, 0, sizeof buffer_states);
    buffer_state_count = 0;
    struct buffers state;
    memset(&state, 0, sizeof state);
    for (uint32_t l = 0; l < LITTLE_LOCATIONS; l++)
        state.lengths[l] = 1;
    explore(&state);
}

#endif
