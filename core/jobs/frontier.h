// The frontier of a search by several processes: the parts of the tree that are not yet searched,
// and what the others came to, from left to right.
//
// A piece is a part of the tree as of sct_path_split. Its left end is where the search of it
// stands; whoever works on it may give its right end away, which becomes the next piece. So the
// pieces, in their order, are all that is left of the tree, and what they came to can be put
// together as if one process had gone through it from left to right.
//
// Of a reduced search a piece also has what is known of its path's nodes, and there are guards
// (core/search/parts.h): pieces that nobody searches until all that is below the guard's last
// decision has been, which stands directly to its left; and then only if a machine was stopped
// there.
#ifndef CORE_JOBS_FRONTIER_H
#define CORE_JOBS_FRONTIER_H

#include "core/base/bytes.h"
#include "core/strategy/path.h"

struct sct_piece {
    struct sct_piece *previous, *next;
    struct sct_path path;    // where it goes on, unless somebody works on it or it is done
    struct sct_bytes known;  // of a reduced search: of the path's nodes
    struct sct_bytes ranges; // blocks: what it came to so far and is in no sum yet
    double start;            // share of the tree before its first leaf (sct_path_share)
    double left;             // share of the tree that is left of it
    double end;              // if it has ended: share of the tree before the leaf after its last
    bool meets_bound;        // with the present bound something was left out
    bool is_worked_on;
    bool is_done;
    bool has_ended;          // done, because of a violation that ends the search
    bool is_last;            // if it has ended: there was no leaf after its last
    bool is_dropped;         // what comes of it does not count
    struct sct_piece *under; // the guard right of it that waits for it; NULL: none does
    uint64_t pending;        // of a guard: pieces that it waits for
    bool is_guard;           // it waits for them
    bool has_stop;           // of a guard: a machine was stopped below it
};

struct sct_frontier {
    struct sct_piece *first, *last;
};

// Adds a piece to the right of [left] (NULL: at the left end), to be searched along [path], which
// is copied.
struct sct_piece *sct_frontier_add(struct sct_frontier *frontier, struct sct_piece *left,
                                   const struct sct_path *path);

// The same with a piece that [left] gives away.
struct sct_piece *sct_frontier_give(struct sct_frontier *frontier, struct sct_piece *left,
                                    const struct sct_path *path);

// The same with a guard of [left] and what that gives away, below all its guards so far.
struct sct_piece *sct_frontier_guard(struct sct_frontier *frontier, struct sct_piece *left,
                                     const struct sct_path *path);

// In [piece] a machine was stopped below all its guards.
void sct_piece_has_stop(struct sct_piece *piece);

// [piece], which somebody has worked on, is done, and no guard waits for it any more. A guard that
// waits for nobody is a piece like others, or done in its turn.
void sct_piece_is_done(struct sct_piece *piece);

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

// When all are read: finds their guards. False if they are not where they were said to be.
bool sct_frontier_link(struct sct_frontier *frontier);

void sct_bytes_add_double(struct sct_bytes *bytes, double value);
double sct_take_double(struct sct_reader *reader);

#endif
