// Made-up histories of a store of many clients that are hard to check: many calls are open at once,
// and what is wrong with them is far from what shows it. Where every value is written once that is
// decided without a search; where few values are written again and again it is not.
//
// Clients call, take effect and return in random order, two thirds of them have a call open. Which
// verdict is right is known from how the history is made: what is at fault has a value of its own.
#ifndef TESTS_HARNESS_HARD_HISTORIES_H
#define TESTS_HARNESS_HARD_HISTORIES_H

#include "core/base/assert.h"
#include "core/base/grow.h"
#include "core/base/rng.h"
#include "harness/history/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum hard_fault {
    HARD_NONE,      // linearizable
    HARD_NEW_VALUE, // the last read returns what nobody wrote
    HARD_STALE,     // a late one a value that was no more; as late a value as is surely wrong
    HARD_LOST,      // an append returns without effect; only of histories without writes
    HARD_REORDERED, // one takes effect after the next one, called after its return; likewise
    HARD_FAULT_COUNT,
};

struct hard {
    const char *name;
    enum hard_fault fault;
    uint32_t clients, keys, operations;
    uint32_t reads, writes, appends; // relative frequencies
    uint32_t unanswered;             // of 1000 writes and appends: never return, done or not
    uint32_t common;                 // so many values are written again and again, nine times out
                                     // of ten; 0: none is
    uint32_t swaps;                  // compare-and-sets, as [reads]
};

// One of each kind, or more.
static const struct hard hard_kinds[] = {
    // name, fault, clients, keys, operations, reads : writes : appends, unanswered, common, swaps
    {"a mixed store", HARD_NONE, 50, 10, 2024, 9, 1, 10, 0, 0, 0},
    {"a value that nobody wrote", HARD_NEW_VALUE, 50, 10, 2024, 9, 1, 10, 0, 0, 0},
    {"a late stale read", HARD_STALE, 50, 10, 2024, 1, 1, 1, 0, 0, 0},
    {"one key", HARD_NONE, 50, 1, 2024, 1, 1, 1, 0, 0, 0},
    {"a late stale read of one key", HARD_STALE, 50, 1, 2024, 1, 1, 1, 0, 0, 0},
    {"a lost append", HARD_LOST, 50, 10, 2024, 1, 0, 1, 0, 0, 0},
    {"a lost append of few reads", HARD_LOST, 50, 1, 500, 1, 0, 10, 0, 0, 0},
    {"reordered appends", HARD_REORDERED, 50, 10, 2024, 1, 0, 1, 0, 0, 0},
    {"unknown outcomes", HARD_NONE, 30, 10, 2024, 1, 1, 1, 50, 0, 0},
    {"unknown outcomes, a stale read", HARD_STALE, 30, 10, 2024, 1, 1, 1, 50, 0, 0},
    {"unknown outcomes, a lost append", HARD_LOST, 30, 10, 2024, 1, 0, 1, 50, 0, 0},
    {"unique writes", HARD_NONE, 40, 1, 5000, 1, 1, 0, 0, 0, 0},
    {"unique writes, a stale read", HARD_STALE, 40, 1, 5000, 1, 1, 0, 0, 0, 0},
    {"unique writes, seldom read", HARD_STALE, 40, 1, 5000, 1, 9, 0, 0, 0, 0},
    {"unique writes, unknown outcomes", HARD_STALE, 40, 1, 5000, 1, 1, 0, 50, 0, 0},
    // Few values, written again and again: these take a search.
    {"common values", HARD_NONE, 50, 10, 2024, 1, 1, 0, 0, 5, 0},
    {"common values, a stale read", HARD_STALE, 50, 10, 2024, 1, 1, 0, 0, 5, 0},
    {"common values, swaps", HARD_NONE, 50, 10, 2024, 1, 1, 0, 0, 5, 1},
    {"common values, swaps, a stale read", HARD_STALE, 50, 10, 2024, 1, 1, 0, 0, 5, 1},
    {"a common mixed store", HARD_NONE, 50, 10, 2024, 9, 1, 10, 0, 5, 0},
    {"a common mixed store, a stale read", HARD_STALE, 50, 10, 2024, 9, 1, 10, 0, 5, 0},
    {"common appends", HARD_NONE, 50, 10, 2024, 1, 0, 1, 0, 5, 0},
    {"common appends, one lost", HARD_LOST, 50, 10, 2024, 1, 0, 1, 0, 5, 0},
    {"common appends, reordered", HARD_REORDERED, 50, 10, 2024, 1, 0, 1, 0, 5, 0},
    {"common, unknown outcomes", HARD_NONE, 30, 10, 2024, 1, 1, 1, 50, 5, 0},
    {"common, unknown outcomes, a stale read", HARD_STALE, 30, 10, 1000, 1, 1, 1, 50, 5, 0},
    {"swaps of one key", HARD_NONE, 10, 1, 2024, 1, 1, 0, 0, 5, 1},
    {"swaps of one key, a stale read", HARD_STALE, 10, 1, 2024, 1, 1, 0, 0, 5, 1},
};

enum { HARD_CLIENTS_MAX = 64, HARD_KEYS_MAX = 64, HARD_PIECE = 64 };

struct hard_client {
    uint32_t operation; // open, or SCT_NEVER
    bool is_done;       // took effect, or never will
    bool is_unanswered;
    uint64_t output;
};

// A value that a key has had.
struct hard_value {
    uint64_t value;
    uint32_t maker; // operation; SCT_NEVER: the initial one
};

struct hard_key {
    uint64_t value;
    struct hard_value *past;
    uint32_t past_count, past_capacity;
};

struct hard_making {
    struct hard hard;
    struct record *record;
    struct rng rng;
    struct hard_key keys[HARD_KEYS_MAX];
    struct hard_client clients[HARD_CLIENTS_MAX];
    uint32_t processes;
    uint32_t victim; // the append at fault; SCT_NEVER: none yet
    bool is_waiting; // the victim has yet to take effect
    bool has_failed; // the fault shows
};

static inline struct sct_operation *hard_operation(struct hard_making *making, uint32_t index) {
    return &making->record->history.operations[index];
}

// What operation [number] writes or appends: its own, or one of the common ones.
static inline uint32_t hard_piece(struct hard_making *making, uint32_t number) {
    char piece[HARD_PIECE];
    uint32_t common = making->hard.common;
    bool is_common = common > 0 && rng_below(&making->rng, 10) > 0;
    int length = is_common ? snprintf(piece, sizeof piece, "c %" PRIu32 " y",
                                      rng_below(&making->rng, common))
                           : snprintf(piece, sizeof piece, "x %" PRIu32 " y", number);
    return strings_add(&making->record->store.values, piece, (size_t)length);
}

// Whether nobody else writes or appends what [operation] does.
static inline bool hard_is_own(const struct hard_making *making,
                               const struct sct_operation *operation) {
    uint32_t piece = (uint32_t)operation->input[operation->function == STORE_CAS];
    return strings_text(&making->record->store.values, piece)[0] == 'x';
}

static inline void hard_call(struct hard_making *making, struct hard_client *client) {
    const struct hard *hard = &making->hard;
    uint32_t number = making->record->history.operation_count;
    uint32_t draw =
        rng_below(&making->rng, hard->reads + hard->writes + hard->appends + hard->swaps);
    struct sct_operation operation = {.process = (uint32_t)(client - making->clients)};
    operation.function = draw < hard->reads                                  ? STORE_READ
                         : draw < hard->reads + hard->writes                 ? STORE_WRITE
                         : draw < hard->reads + hard->writes + hard->appends ? STORE_APPEND
                                                                             : STORE_CAS;
    operation.key = rng_below(&making->rng, hard->keys);
    if (operation.function == STORE_CAS) {
        operation.input[0] = making->keys[operation.key].value; // by its turn it may be another
        operation.input[1] = hard_piece(making, number);
    } else if (operation.function != STORE_READ) {
        operation.input[0] = hard_piece(making, number);
    }
    store_note(&making->record->store, &operation);
    bool is_unanswered =
        operation.function != STORE_READ && rng_below(&making->rng, 1000) < hard->unanswered;
    *client =
        (struct hard_client){.operation = sct_history_call(&making->record->history, &operation),
                             .is_unanswered = is_unanswered};
    // Who is not answered may take effect at once, much later, or never.
    client->is_done = is_unanswered && rng_below(&making->rng, 2) == 0;
}

static inline void hard_set(struct hard_making *making, uint32_t maker) {
    const struct sct_operation *operation = hard_operation(making, maker);
    struct hard_key *key = &making->keys[operation->key];
    struct strings *values = &making->record->store.values;
    key->value = operation->function == STORE_CAS ? operation->input[1]
                 : operation->function == STORE_WRITE
                     ? operation->input[0]
                     : strings_join(values, (uint32_t)key->value, (uint32_t)operation->input[0]);
    GROW(key->past, key->past_count + 1, key->past_capacity, "the values of a key");
    key->past[key->past_count++] = (struct hard_value){key->value, maker};
}

// Whether a write or an append of the same key was called after [maker] returned, and returned
// before [reader] was called: then no order lets [reader] find what [maker] left.
static inline bool hard_is_gone(struct hard_making *making, uint32_t maker, uint32_t reader) {
    const struct sct_operation *read = hard_operation(making, reader);
    uint32_t gone = maker == SCT_NEVER ? 0 : hard_operation(making, maker)->returned_at;
    for (uint32_t i = 0; i < making->record->history.operation_count; i++) {
        const struct sct_operation *between = hard_operation(making, i);
        if (between->function != STORE_READ && between->function != STORE_CAS &&
            between->key == read->key && between->called_at >= gone &&
            between->returned_at < read->called_at)
            return true;
    }
    return false;
}

static inline uint64_t hard_stale_value(struct hard_making *making, uint32_t reader) {
    const struct hard_key *key = &making->keys[hard_operation(making, reader)->key];
    for (uint32_t i = key->past_count; i-- > 0;) {
        uint32_t maker = key->past[i].maker;
        bool is_own = maker == SCT_NEVER || hard_is_own(making, hard_operation(making, maker));
        if (is_own && hard_is_gone(making, maker, reader)) {
            making->has_failed = true;
            return key->past[i].value;
        }
    }
    return key->value;
}

static inline bool hard_is_late(const struct hard_making *making) {
    return making->record->history.operation_count > making->hard.operations / 10 * 9;
}

static inline bool hard_is_victim(const struct hard_making *making,
                                  const struct sct_operation *operation) {
    return operation->function == STORE_APPEND && making->victim == SCT_NEVER &&
           (making->hard.fault == HARD_LOST || making->hard.fault == HARD_REORDERED) &&
           hard_is_own(making, operation) &&
           making->record->history.operation_count > making->hard.operations / 2;
}

static inline void hard_take_effect(struct hard_making *making, struct hard_client *client) {
    uint32_t index = client->operation;
    struct sct_operation *operation = hard_operation(making, index);
    client->is_done = true;
    client->output = making->keys[operation->key].value;
    if (operation->function == STORE_READ) {
        if (making->hard.fault == HARD_STALE && hard_is_late(making) && !making->has_failed)
            client->output = hard_stale_value(making, index);
        return;
    }
    if (operation->function == STORE_CAS) {
        client->output = making->keys[operation->key].value == operation->input[0];
        if (!client->output)
            return;
    }
    if (!client->is_unanswered && hard_is_victim(making, operation)) {
        making->victim = index;
        making->is_waiting = making->hard.fault == HARD_REORDERED;
        return;
    }
    hard_set(making, index);
    if (!making->is_waiting)
        return;
    const struct sct_operation *victim = hard_operation(making, making->victim);
    if (victim->key != operation->key || victim->returned_at >= operation->called_at ||
        !hard_is_own(making, operation))
        return;
    making->is_waiting = false;
    hard_set(making, making->victim);
}

static inline void hard_return(struct hard_making *making, struct hard_client *client) {
    const struct sct_operation *operation = hard_operation(making, client->operation);
    if (!client->is_unanswered)
        sct_history_return(&making->record->history, client->operation, client->output);
    // What a read that was called after the victim's return sees is wrong.
    if (making->victim != SCT_NEVER && operation->function == STORE_READ) {
        const struct sct_operation *victim = hard_operation(making, making->victim);
        making->has_failed |=
            victim->key == operation->key && victim->returned_at < operation->called_at;
    }
    client->operation = SCT_NEVER;
}

static inline void hard_write_value(const struct store *store, uint64_t value, FILE *out) {
    const struct strings *values = &store->values;
    fprintf(out, " \"%.*s\"", (int)strings_length(values, (uint32_t)value),
            strings_text(values, (uint32_t)value));
}

// Writes [record], which is one of these, in the native format of a map.
static inline void hard_write(const struct record *record, FILE *out) {
    static const char *const names[] = {
        [STORE_READ] = "get",
        [STORE_WRITE] = "put",
        [STORE_CAS] = "cas",
        [STORE_APPEND] = "append",
    };
    fprintf(out, "mtcheck-history 1 map\n");
    // At first a value is nil in that format, and "" in these.
    for (uint32_t i = 0; i < record->store.keys.count; i++)
        fprintf(out, "0 call put %" PRIu32 " \"\"\n0 return put\n", i);
    for (uint32_t i = 0; i < record->history.event_count; i++) {
        const struct sct_operation *operation =
            &record->history.operations[record->history.events[i] / 2];
        bool is_return = record->history.events[i] & 1;
        // In that format who is not answered calls nothing more.
        uint32_t process = operation->returned_at == SCT_NEVER
                               ? HARD_CLIENTS_MAX + record->history.events[i] / 2
                               : operation->process;
        fprintf(out, "%" PRIu32 " %s %s", process, is_return ? "return" : "call",
                names[operation->function]);
        if (!is_return)
            fprintf(out, " %" PRIu64, operation->key);
        if (!is_return && operation->function != STORE_READ)
            hard_write_value(&record->store, operation->input[0], out);
        if (operation->function == STORE_CAS && is_return)
            fprintf(out, " %s", operation->output ? "ok" : "fail");
        else if (operation->function == STORE_CAS)
            hard_write_value(&record->store, operation->input[1], out);
        else if (operation->function == STORE_READ && is_return)
            hard_write_value(&record->store, operation->output, out);
        fprintf(out, "\n");
    }
}

static inline void hard_begin(struct hard_making *making) {
    struct store *store = &making->record->store;
    char name[16];
    *making->record = (struct record){0};
    sct_history_init(&making->record->history);
    store_init(store);
    store->initial = strings_add(&store->values, "", 0);
    for (uint32_t i = 0; i < making->hard.keys; i++) {
        strings_add(&store->keys, name, (size_t)snprintf(name, sizeof name, "%" PRIu32, i));
        struct hard_key *key = &making->keys[i];
        key->value = store->initial;
        GROW(key->past, 1, key->past_capacity, "the values of a key");
        key->past[key->past_count++] = (struct hard_value){store->initial, SCT_NEVER};
    }
    for (uint32_t i = 0; i < making->hard.clients; i++)
        making->clients[i].operation = SCT_NEVER;
}

// Makes a history; it is linearizable if and only if [hard] has no fault. Free [record] afterwards.
static inline void hard_history(const struct hard *hard, uint64_t seed, struct record *record) {
    struct hard_making making = {.hard = *hard, .record = record, .victim = SCT_NEVER};
    struct sct_history *history = &record->history;
    uint32_t returned = 0;
    rng_seed(&making.rng, seed);
    ASSERT(hard->clients <= HARD_CLIENTS_MAX && hard->keys <= HARD_KEYS_MAX);
    hard_begin(&making);
    while (returned < hard->operations) {
        struct hard_client *client = &making.clients[rng_below(&making.rng, hard->clients)];
        if (client->operation == SCT_NEVER) {
            if (history->operation_count < hard->operations)
                hard_call(&making, client);
        } else if (!client->is_done) {
            hard_take_effect(&making, client);
        } else {
            hard_return(&making, client);
            returned++;
        }
    }
    for (uint32_t i = history->operation_count; hard->fault == HARD_NEW_VALUE && i-- > 0;)
        if (history->operations[i].function == STORE_READ) {
            history->operations[i].output = strings_add(&record->store.values, "new", 3);
            making.has_failed = true;
            break;
        }
    ASSERT(making.has_failed == (hard->fault != HARD_NONE)); // else it is not long enough
    for (uint32_t i = 0; i < hard->keys; i++)
        free(making.keys[i].past);
}

#endif
