// A client of the Azure Table protocol that does as little as one can, so that what is measured is
// the server: plain sockets, requests from templates, answers that are compared and not read.
//
// It sends the headers that official clients send, with a signature of the account's key. The first
// answer to each read is read in full, as JSON, and its rows are compared with those that were
// inserted; every later one must have the same bytes. Of a write each status is looked at. Whatever
// is not as it should be ends the process with a line. An instance serves one thread at a time.
#ifndef TESTS_BENCH_PLAIN_CLIENT_H
#define TESTS_BENCH_PLAIN_CLIENT_H

#include "model/azure/account.h"

#include <stddef.h>

struct plain_client;

// Of an account over http at a numeric address, and a table that is there. Both are the caller's,
// and so is the function that gives the row that is expected under a key.
struct plain_client *plain_open(const struct ct_azure_account *account, const char *table);

// Inserts [count] rows into [partition], whose row keys are numbers of eight digits from [first]
// on: one by a request of its own, several by an entity group transaction.
void plain_insert(struct plain_client *client, const char *partition, unsigned first, size_t count);

// Reads one row, or the whole of a partition of [count] rows from 0 on.
void plain_get(struct plain_client *client, const char *partition, unsigned number);
void plain_query(struct plain_client *client, const char *partition, size_t count);

#endif
