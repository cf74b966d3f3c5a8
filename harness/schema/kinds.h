// The closed list of the kinds of violation of the schema upgrade, beside the engine's own
// (core/engine/machine.h) and KIND_OUTCOME_MISMATCH and KIND_CALL_FAILED (harness/table/kinds.h).
#ifndef HARNESS_SCHEMA_KINDS_H
#define HARNESS_SCHEMA_KINDS_H

// By the numbers of the properties that must always hold.
#define KIND_PROPERTY_ERROR "property-error"   // 1: a server met an unknown or a missing property
#define KIND_AREA_LOST "area-lost"             // 2: a chosen area is gone, or no longer chosen
#define KIND_DEFAULT_TRUSTED "default-trusted" // 3: a default area passes for a chosen one
#define KIND_VERSION_DOWN "version-down"       // 4: the version of an entry went down
#define KIND_UPDATE_LOST "update-lost"         // 5: a temperature is not the sum of its updates
#define KIND_READING_INVALID "reading-invalid" // 5: no instant explains what a server has read
#define KIND_AREA_MISSING "area-missing"       // 6: a 1.5 entry without area
#define KIND_UPGRADE_INCOMPLETE "upgrade-incomplete" // 7: what the worker has left behind

#endif
