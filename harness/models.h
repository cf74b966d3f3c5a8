// The models of this project as subjects: their tests (scenarios.def) and optional bugs
// (bugs/bugs.def).
#ifndef HARNESS_MODELS_H
#define HARNESS_MODELS_H

#include "harness/subject/subject.h"

// NULL after the last (models.def); the first is the default.
extern const struct subject *const models[];

#endif
