// What a world of production shows of itself in reports.
#ifndef HARNESS_PRODUCTION_SHOW_H
#define HARNESS_PRODUCTION_SHOW_H

#include "harness/production/process.h"
#include "harness/subject/subject.h"

// The world of the present execution.
struct production *production_present(void);

extern const struct subject_view production_view;

#endif
