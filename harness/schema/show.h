// What the schema upgrade shows of itself in reports.
#ifndef HARNESS_SCHEMA_SHOW_H
#define HARNESS_SCHEMA_SHOW_H

#include "harness/subject/panels.h"
#include "harness/schema/fleet.h"

// The table with its entries, and each server's release.
void schema_show(struct panel_sink *sink, const struct fleet *fleet,
                 const struct ct_memory_table *table);

extern const struct term schema_terms[];

#endif
