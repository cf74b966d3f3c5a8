// The protocol's names: metadata, partition states, reserved rows; and why the protocol is right.
//
// A row of the virtual table is represented by its row in the new table if there is one there (a
// tombstone represents absence), else by its row in the old table. A partition is
//   none       no meta row: all its data, if any, is in the old table;
//   POPULATED  meta row 0 and assertion row: writers in PREFER_OLD still write to the old table,
//              guarded by a Merge of the assertion row in the same batch;
//   SWITCHED   meta row 1, no assertion row: the old table's data rows never change again until
//              clean-up, every write goes to the new table.
// It moves none -> POPULATED, none -> SWITCHED, POPULATED -> SWITCHED, and only forward. A
// PREFER_OLD writer that loses the race sees its guard fail and follows the new-table procedure.
//
// The barrier of the configuration service keeps clients at most one state apart, so
//   USE_OLD and PREFER_OLD agree that a partition nobody switched is in the old table;
//   PREFER_OLD and PREFER_NEW meet in the partition state, which both respect;
//   PREFER_NEW and USE_NEW_WITH_TOMBSTONES agree because the copy pass ended in between: the new
//     table holds every row, and tombstones keep shadowing the old rows that PREFER_NEW still
//     reads;
//   USE_NEW_WITH_TOMBSTONES and USE_NEW_HIDE_METADATA read the new table only, so the latter may
//     delete physically; clean-up begins when nobody can miss a tombstone or an old row.
#ifndef MODEL_MIGRATING_STATE_H
#define MODEL_MIGRATING_STATE_H

#define MT_RESERVED_PREFIX "_mtable_" // of row keys that applications may not write

#define MT_META_ROW "_mtable_partition_meta"
#define MT_ASSERTION_ROW "_mtable_partition_populated_assertion"

#define MT_PARTITION_STATE_PROPERTY "_mtable_partition_state" // int32, on the meta row
#define MT_DELETED_PROPERTY "_mtable_deleted"                 // bool, true: a tombstone

enum mt_partition_state {
    MT_PARTITION_POPULATED = 0, // as stored in the meta row
    MT_PARTITION_SWITCHED = 1,
    MT_PARTITION_NONE, // no meta row; never stored
};

#endif
