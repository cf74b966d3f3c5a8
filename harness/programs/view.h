// What reports and explanations know of programs under control.
#ifndef HARNESS_PROGRAMS_VIEW_H
#define HARNESS_PROGRAMS_VIEW_H

#include "harness/subject/subject.h"

extern const struct subject_view program_view;

#endif
