// What the worlds of MigratingTable show of themselves in reports.
#ifndef HARNESS_MIGRATING_SHOW_H
#define HARNESS_MIGRATING_SHOW_H

#include "harness/subject/subject.h"

// The present execution's world: the three tables, each machine's state, each partition's.
void migrating_show(const void *world, struct panel_sink *sink);

extern const struct term migrating_terms[];

// Of the tests of MigratingTable.
extern const struct subject_view migrating_view;

#endif
