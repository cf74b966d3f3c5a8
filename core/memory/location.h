// Locations of atomics: the stores of each in modification order, and who may read which.
//
// The caller makes the scheduling point before an operation; the operation itself is none, and
// consumes value choices as core/memory/memory.h says (and compare-exchange one among the stores
// that let it succeed and those that do not). Values are of [bytes] bytes; the rest of a word is
// ignored. The newest store's value is to be kept in the program's own memory by the caller
// (sct_location_newest), so that plain code and debuggers see it.
//
// Follows "operational" presentations of RC11 without load buffering: bounds from views (Kang, Hur,
// Lahav, Vafeiadis, Dreyer, POPL 2017), with the order of execution as the order of SEQ_CST
// operations.
//
// Stability: the library's own; it is here for its types.
#ifndef CORE_MEMORY_LOCATION_H
#define CORE_MEMORY_LOCATION_H

#include "core/memory/memory.h"

// In the arena.
struct sct_location;

// A location of [bytes] bytes (1, 2, 4 or 8) that holds [value], stored by the running thread.
struct sct_location *sct_location_new(uint32_t bytes, uint64_t value);

// The location of [bytes] bytes at [address] (a multiple of it), made when first asked for with one
// store of [value], what memory holds there, known to all. If memory was changed past it since (the
// newest store's value is not [value]), or an overlapping location of another size was used, its
// history is forgotten: it is as made now.
struct sct_location *sct_location_at(uintptr_t address, uint32_t bytes, uint64_t value);

// The locations that overlap with that range have been written by plain code of the running thread,
// or are no more.
void sct_location_forget(uintptr_t address, size_t bytes);

// How many times locations of different sizes have overlapped in this execution.
uint32_t sct_location_overlaps(void);

// The value of the last store in modification order, and its time: what tells it from others.
uint64_t sct_location_newest(const struct sct_location *location);
uint64_t sct_location_newest_time(const struct sct_location *location);

// The time of the store that the last operation of this execution has read; of its own store, if it
// has stored.
uint64_t sct_location_last_time(void);

// The operations of the running thread are at [place] (as of sct_shadow_access), until it says
// another.
void sct_location_place(const void *place);

// The next operation reads only stores behind the one of [time] (which must not be the last). For
// loads, and what may load.
void sct_location_pass(uint64_t time);

// The next operation, a read-modify-write, reads no store of [value] (which must not be the last).
void sct_location_pass_value(uint64_t value);

// How a read-modify-write makes the new value.
enum sct_change {
    SCT_CHANGE_EXCHANGE,
    SCT_CHANGE_ADD,
    SCT_CHANGE_SUB,
    SCT_CHANGE_AND,
    SCT_CHANGE_OR,
    SCT_CHANGE_XOR,
    SCT_CHANGE_NAND,
};

uint64_t sct_change_apply(enum sct_change change, uint64_t old, uint64_t operand);

uint64_t sct_location_load(struct sct_location *location, enum sct_order order);

void sct_location_store(struct sct_location *location, uint64_t value, enum sct_order order);

// Returns the old value.
uint64_t sct_location_change(struct sct_location *location, enum sct_change change,
                             uint64_t operand, enum sct_order order);

struct sct_exchange {
    uint64_t expected, desired;
    enum sct_order success, failure;
    bool is_weak;     // it may fail although it reads what it expects
    bool is_too_late; // afterwards: it has failed, and another has taken a store that would have
                      // done
};

// If it reads exchange->expected it stores exchange->desired, and the result is true; else
// exchange->expected becomes what it read.
bool sct_location_exchange(struct sct_location *location, struct sct_exchange *exchange);

#endif
