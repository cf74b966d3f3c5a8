// Names for addresses of the program: places of its code, variables, and steps on them.
//
// A text is made when an address is first met and kept to the end of the process: a look-up later
// costs a few nanoseconds, and engine, traces and reports handle strings as always. No text depends
// on where the program lies in memory. Lines and functions come from the program's debugging
// information, by libdw, which is loaded when it is first needed; without it, or without -g, places
// are "object+offset".
#ifndef CORE_POSIX_PLACES_H
#define CORE_POSIX_PLACES_H

#include <stdbool.h>
#include <stdint.h>

// "queue.c:41 (dequeue)", for the return address [code].
const char *posix_place(const void *code);

// The same for a call of the program's; NULL for one of the C library's or the tester's.
const char *posix_call(const void *code);

// The function at [code], its first address: "consumer". The same text for the same function.
const char *posix_function(const void *code);

// The variable at [address], or NULL if it is none with a symbol: "queue", "queue+16".
const char *posix_variable(const void *address);

// "[verb] [name]" for a step on [address], where [name] is that of the variable; without a symbol,
// "[verb] [otherwise]". [verb] is a constant.
const char *posix_step(const char *verb, const void *address, const char *otherwise);

// "[name]-[number]" ([name] a constant), or [name] itself for number 1.
const char *posix_numbered(const char *name, uint32_t number);

#endif
