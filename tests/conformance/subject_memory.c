#include "tests/conformance/subjects.h"

#include "model/memory/memory_table.h"

struct ct_table *open_memory(struct arena *arena, int number) {
    (void)number;
    return ct_memory_table_interface(ct_memory_table_open(
        &(struct ct_memory_options){.arena = arena, .etag_prefix = "memory-"}));
}

void close_memory(struct ct_table *table) {
    ct_close(table);
}
