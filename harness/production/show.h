// What a world of production shows of itself in reports.
#ifndef HARNESS_PRODUCTION_SHOW_H
#define HARNESS_PRODUCTION_SHOW_H

#include "harness/subject/subject.h"

extern const struct subject_view production_view;

#endif
