// The frontier of a search by several processes: the parts of the tree that are not yet searched,
// and what the others came to, from left to right.
//
// A piece is a part of the tree as of sct_path_split. Its left end is where the search of it
// stands; whoever works on it may give its right end away, which becomes the next piece. So the
// pieces, in their order, are all that is left of the tree, and what they came to can be put
// together as if one process had gone through it from left to right.
#ifndef CORE_JOBS_FRONTIER_H
#define CORE_JOBS_FRONTIER_H

#include "core/base/bytes.h"
#include "core/strategy/path.h"

struct sct_piece {
    struct sct_piece *previous, *next;
    struct sct_path path;    // where it goes on, unless somebody works on it or it is done
    struct sct_bytes ranges; // blocks: what it came to so far and is in no sum yet
    double start;            // share of the tree before its first leaf (sct_path_share)
    double left;             // share of the tree that is left of it
    double end;              // if it has ended: share of the tree before the leaf after its last
    bool meets_bound;        // with the present bound something was left out
    bool is_worked_on;
    bool is_done;
    bool has_ended;  // done, because of a violation that ends the search
    bool is_last;    // if it has ended: there was no leaf after its last
    bool is_dropped; // what comes of it does not count
};

struct sct_frontier {
    struct sct_piece *first, *last;
};

// Adds a piece to the right of [left] (NULL: at the left end), to be searched along [path], which
// is copied.
struct sct_piece *sct_frontier_add(struct sct_frontier *frontier, struct sct_piece *left,
                                   const struct sct_path *path);

void sct_frontier_remove(struct sct_frontier *frontier, struct sct_piece *piece);

// Removes all pieces.
void sct_frontier_deinit(struct sct_frontier *frontier);

// The first piece that waits for somebody to work on it, or NULL.
struct sct_piece *sct_frontier_waiting(const struct sct_frontier *frontier);

// The share of the tree that is left.
double sct_frontier_left(const struct sct_frontier *frontier);

// Appends [path] as a part of the tree; reads one into [path], which is overwritten (whether the
// bytes were one; if not, the path is at the root).
void sct_path_write(const struct sct_path *path, struct sct_bytes *bytes);
bool sct_path_read(struct sct_reader *reader, struct sct_path *path);

// The same with pieces, which nobody works on; a piece that is read becomes the last one.
void sct_piece_write(const struct sct_piece *piece, struct sct_bytes *bytes);
bool sct_piece_read(struct sct_reader *reader, struct sct_frontier *frontier);

void sct_bytes_add_double(struct sct_bytes *bytes, double value);
double sct_take_double(struct sct_reader *reader);

#endif
