#define _XOPEN_SOURCE 700 // realpath
#include "model/live/accounts.h"

#include "model/azure/azure_table.h"
#include "model/table/batch.h"
#include "model/table/row.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IN_FILE "account:"
#define IN_ENVIRONMENT "environment:"
#define FENCE_ROW "_mtable_fence"

enum { ARENA_BYTES = 1 << 20 };

// What follows [begin] in [place], or NULL.
static const char *behind(const char *place, const char *begin) {
    size_t length = strlen(begin);
    return strncmp(place, begin, length) == 0 ? place + length : NULL;
}

bool account_is_named(const char *place) {
    return behind(place, IN_FILE) || behind(place, IN_ENVIRONMENT);
}

static bool read_variable(struct ct_azure_account *account, const char *name, struct error *error) {
    struct error inner;
    const char *text = getenv(name);
    if (!text)
        return error_set(error, "%.200s: expected a connection string in the environment", name);
    return ct_azure_account_read(account, text, false, &inner) ||
           error_set(error, "%.100s: %.300s", name, inner.text);
}

static bool read_account(struct ct_azure_account *account, const char *place, struct error *error) {
    const char *file = behind(place, IN_FILE);
    return file ? ct_azure_account_load(account, file, false, error)
                : read_variable(account, behind(place, IN_ENVIRONMENT), error);
}

// The interface of such a table is the table.
static void set_deadline(struct ct_table *table, uint64_t time) {
    ct_azure_set_deadline((struct ct_azure_table *)(void *)table, (double)time / 1e9);
}

// A write that changes nothing. Where writes of a table wait for each other, as those of mtable
// serve do, what was begun before it has ended then; elsewhere ACCOUNTS_LATE_MS is all there is.
static struct ct_outcome fence(struct ct_table *table) {
    struct arena arena;
    struct ct_op_result result;
    arena_init(&arena, ARENA_BYTES);
    struct ct_batch batch = ct_batch_new(&arena, 1);
    // A row that is not there and never will be.
    struct ct_key key = {"", FENCE_ROW};
    ct_batch_add(&batch, CT_DELETE, ct_row_new(&arena, key, CT_IF_EXISTS_ETAG, NULL, 0));
    struct ct_outcome outcome = ct_execute(table, &batch, &arena, &result);
    arena_deinit(&arena);
    return outcome.kind == CT_SUCCEEDED ? ct_success()
                                        : ct_storage_error(CT_STATUS_SERVER_ERROR, 0);
}

struct ct_table *account_open(const char *place, const char *name, struct mt_bounded *bounded,
                              struct error *error) {
    struct ct_azure_account account;
    if (!read_account(&account, place, error))
        return NULL;
    struct ct_azure_table *table = ct_azure_open(
        &(struct ct_azure_options){
            .account = &account, .name = name, .creates = true, .late_ms = ACCOUNTS_LATE_MS},
        error);
    if (!table)
        return NULL;
    *bounded = (struct mt_bounded){ct_azure_interface(table), set_deadline, fence};
    return bounded->table;
}

const char *account_resolve(struct arena *arena, const char *place, struct error *error) {
    const char *file = behind(place, IN_FILE);
    // A variable's name is the same everywhere; its value is each process's own.
    if (!file)
        return arena_strdup(arena, place);
    char *resolved = realpath(file, NULL);
    if (!resolved) {
        error_set(error, "%.200s: %s", file, strerror(errno));
        return NULL;
    }
    const char *full = arena_printf(arena, IN_FILE "%s", resolved);
    free(resolved);
    return full;
}
