// A table that could fail, and does not; or that can do less than the memory table within.
#include "tests/conformance/subjects.h"

#include "model/faulty/faulty_table.h"
#include "model/memory/memory_table.h"

static struct ct_faulty_table faulty;

struct ct_table *open_faultless(struct arena *arena, int number) {
    struct ct_memory_table *memory =
        ct_memory_table_open(&(struct ct_memory_options){.arena = arena, .etag_prefix = "inner-"});
    struct ct_faulty_options options = {.inner = ct_memory_table_interface(memory)};
    if (number == 1)
        options.limits = (struct ct_table_limits){.query_rows = 1000, .no_delete_if_exists = true};
    ct_faulty_init(&faulty, &options);
    return &faulty.table;
}

void close_faultless(struct ct_table *table) {
    ct_close(table);
    ct_close(faulty.options.inner);
}
