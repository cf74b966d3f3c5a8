// Metadata of rows: how the protocol's rows are stored in the backend tables. Pure functions.
//
// A raw row is what a backend holds. Read as a row of the protocol it has two metadata properties,
// which may be missing (not a tombstone, no partition state); written it always says whether it is
// a tombstone, so that InsertOrMerge over a tombstone clears the mark.
#ifndef MODEL_MIGRATING_ENTITY_H
#define MODEL_MIGRATING_ENTITY_H

#include "bugs/bugs.h"
#include "model/migrating/state.h"
#include "model/table/table.h"

// Whether [key] is one of the reserved rows, which are never part of the virtual table.
bool mt_is_internal(struct ct_key key);

// Whether [key] is kept for the protocol, which may come to use more such rows than it has.
bool mt_is_reserved(struct ct_key key);

// Whether [row] has a property of the protocol's.
bool mt_has_metadata(const struct ct_row *row);

// Whether the raw [row] represents absence. A mark that is not a bool counts as missing.
bool mt_is_tombstone(const struct ct_row *row);

// The partition state that [meta_row] stores; MT_PARTITION_NONE for NULL, or if
// it stores none.
enum mt_partition_state mt_partition_state_of(const struct ct_row *meta_row);

// A copy of [row] in written form, with If-Match [etag] (may be NULL).
struct ct_row *mt_write_row(struct arena *arena, const struct ct_row *row, const char *etag);

// The row without metadata, under [etag].
struct ct_row *mt_plain_row(struct arena *arena, const struct ct_row *row, const char *etag);

// A tombstone with null keys, for the caller to set, and If-Match [etag] (may be NULL).
struct ct_row *mt_tombstone(struct arena *arena, const char *etag);

// A row without properties, as an operation that only names its row needs it.
struct ct_row *mt_bare_row(struct arena *arena, struct ct_key key, const char *etag);

// The reserved rows of [partition].
struct ct_key mt_meta_key(const char *partition);
struct ct_key mt_assertion_key(const char *partition);
struct ct_row *mt_meta_row(struct arena *arena, const char *partition,
                           enum mt_partition_state state, const char *etag);
struct ct_row *mt_assertion_row(struct arena *arena, const char *partition);

// The raw [row] as the application sees it: without metadata, same key, ETag and timestamp. The row
// itself if there is nothing to drop.
const struct ct_row *mt_export_row(struct arena *arena, const struct ct_row *row);

// The raw [row] exported, or NULL if the application must not see it: it is internal or a
// tombstone, or does not match [filter] as exported. A raw row matches whatever its exported form
// does (a missing property matches nothing), so backends may be asked with the same filter.
const struct ct_row *mt_visible_row(struct arena *arena, struct bug_set *bugs,
                                    const struct ct_filter *filter, const struct ct_row *row);

#endif
