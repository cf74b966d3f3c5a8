// Coverage of the schema upgrade: release x operation x version of the entry x outcome.
//
// A write counts under the version that it was written over, a read and each row of a scan under
// the one that was read, each write of the worker as an upgrade.
#ifndef HARNESS_SCHEMA_COVERAGE_H
#define HARNESS_SCHEMA_COVERAGE_H

#include "harness/subject/coverage.h"
#include "model/schema/schema.h"

enum schema_operation {
    ERRAND_INSERT,
    ERRAND_UPDATE,
    ERRAND_CHOOSE,
    ERRAND_DELETE,
    ERRAND_READ,
    ERRAND_SCAN,
    ERRAND_UPGRADE,
    ERRAND_COUNT,
};

extern const char *const schema_operation_names[ERRAND_COUNT];

enum schema_outcome {
    ENDED_DONE,
    ENDED_RETRIED, // done, after a 412 or several
    ENDED_NOT_FOUND,
    ENDED_CONFLICT,
    ENDED_COUNT,
};

enum schema_version {              // as enum su_version, and
    NO_VERSION = SU_VERSION_COUNT, // there is no entry
    VERSIONS,
};

extern const struct coverage schema_coverage;

struct schema_cell {
    enum schema_operation operation;
    enum schema_outcome outcome;
    enum su_release release;
    unsigned version;
};

void schema_cover(struct schema_cell cell);

uint64_t schema_coverage_of(struct schema_cell cell);

#endif
