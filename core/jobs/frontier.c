#include "core/jobs/frontier.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <stdlib.h>
#include <string.h>

// ---- Pieces ------------------------------------------------------------------------------------

static struct sct_piece *new_piece(void) {
    return grow_new(1, sizeof(struct sct_piece), "a piece of a search");
}

static void insert(struct sct_frontier *frontier, struct sct_piece *left, struct sct_piece *piece) {
    struct sct_piece *right = left ? left->next : frontier->first;
    ASSERT(!right || right->previous == left);
    piece->previous = left;
    piece->next = right;
    *(left ? &left->next : &frontier->first) = piece;
    *(right ? &right->previous : &frontier->last) = piece;
}

struct sct_piece *sct_frontier_add(struct sct_frontier *frontier, struct sct_piece *left,
                                   const struct sct_path *path) {
    struct sct_piece *piece = new_piece();
    // A copy with the kind of bound alone: the caches and reductions that the strategy's own path
    // tells of its frames know nothing of this one.
    piece->path.bound_kind = path->bound_kind;
    sct_path_take(&piece->path, path);
    piece->start = sct_path_share(&piece->path);
    piece->left = sct_path_left(&piece->path);
    ASSERT(piece->left >= 0 && piece->start >= 0);
    insert(frontier, left, piece);
    return piece;
}

struct sct_piece *sct_frontier_give(struct sct_frontier *frontier, struct sct_piece *left,
                                    const struct sct_path *path) {
    ASSERT(left);
    struct sct_piece *piece = sct_frontier_add(frontier, left, path);
    piece->under = left->under;
    if (piece->under)
        piece->under->pending++;
    return piece;
}

struct sct_piece *sct_frontier_guard(struct sct_frontier *frontier, struct sct_piece *left,
                                     const struct sct_path *path) {
    ASSERT(left);
    struct sct_piece *guard = sct_frontier_add(frontier, left, path);
    guard->is_guard = true;
    guard->left = 0;
    // The guard so far waits for this one instead of for its left.
    guard->under = left->under;
    left->under = guard;
    guard->pending = 1;
    return guard;
}

void sct_piece_has_stop(struct sct_piece *piece) {
    for (struct sct_piece *guard = piece->under; guard; guard = guard->under) {
        ASSERT(guard->is_guard && guard->pending > 0);
        guard->has_stop = true;
    }
}

void sct_piece_is_done(struct sct_piece *piece) {
    // A guard where nothing is to be done ends with the last that it has waited for, and what waits
    // for that with it.
    for (struct sct_piece *guard; (guard = piece->under); piece = guard) {
        piece->under = NULL;
        ASSERT(guard->is_guard && guard->pending > 0);
        if (--guard->pending > 0)
            return;
        guard->is_guard = false;
        if (guard->has_stop)
            return;
        guard->is_done = true;
    }
}

// Nobody waits for anything of a guard that goes.
static void leave_guard(struct sct_frontier *frontier, const struct sct_piece *guard) {
    ASSERT(guard->is_guard);
    for (struct sct_piece *piece = frontier->first; piece; piece = piece->next)
        if (piece->under == guard)
            piece->under = NULL;
}

void sct_frontier_remove(struct sct_frontier *frontier, struct sct_piece *piece) {
    if (piece->is_guard)
        leave_guard(frontier, piece);
    ASSERT(piece->previous ? piece->previous->next == piece : frontier->first == piece);
    ASSERT(piece->next ? piece->next->previous == piece : frontier->last == piece);
    *(piece->previous ? &piece->previous->next : &frontier->first) = piece->next;
    *(piece->next ? &piece->next->previous : &frontier->last) = piece->previous;
    sct_path_deinit(&piece->path);
    sct_bytes_free(&piece->known);
    sct_bytes_free(&piece->ranges);
    free(piece);
}

void sct_frontier_deinit(struct sct_frontier *frontier) {
    while (frontier->first)
        sct_frontier_remove(frontier, frontier->first);
    ASSERT(!frontier->last);
}

// The leftmost: what stands further left can be added sooner, and holds the others up.
struct sct_piece *sct_frontier_waiting(const struct sct_frontier *frontier) {
    struct sct_piece *piece = frontier->first;
    while (piece && (piece->is_worked_on || piece->is_done || piece->is_guard))
        piece = piece->next;
    return piece;
}

double sct_frontier_left(const struct sct_frontier *frontier) {
    double left = 0;
    for (const struct sct_piece *piece = frontier->first; piece; piece = piece->next)
        left += piece->left;
    ASSERT(left >= 0);
    return left;
}

// ---- As bytes ----------------------------------------------------------------------------------

_Static_assert(sizeof(double) == sizeof(uint64_t), "a double is one number");

void sct_bytes_add_double(struct sct_bytes *bytes, double value) {
    // The bits of IEEE 754, so that shares are the same to the last digit when they are read again.
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    sct_bytes_add_number(bytes, bits);
}

double sct_take_double(struct sct_reader *reader) {
    uint64_t bits = sct_take_number(reader);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

void sct_path_write(const struct sct_path *path, struct sct_bytes *bytes) {
    sct_bytes_add_number(bytes, (uint64_t)path->bound_kind);
    sct_bytes_add_number(bytes, path->bound);
    sct_bytes_add_number(bytes, path->depth);
    for (uint32_t i = 0; i < path->depth; i++) {
        const struct sct_path_frame *frame = &path->frames[i];
        // What sct_path_read asks of a frame, asked before it is written.
        ASSERT(frame->answer < frame->limit && frame->limit <= frame->width);
        sct_bytes_add_number(bytes, (uint64_t)frame->answer << 48 | (uint64_t)frame->limit << 32 |
                                        (uint64_t)frame->count << 16 |
                                        (uint64_t)frame->is_preempting << 8 | frame->kind);
        sct_bytes_add_number(bytes, (uint64_t)frame->spent << 32 | frame->width);
        sct_bytes_add_number(bytes, frame->barred);
    }
}

static bool read_frame(struct sct_reader *reader, struct sct_path_frame *frame) {
    uint64_t first = sct_take_number(reader), second = sct_take_number(reader);
    uint64_t barred = sct_take_number(reader);
    // What is the cache's (entry, cuts) does not travel: it is of the process that has it.
    *frame = (struct sct_path_frame){
        .answer = (uint16_t)(first >> 48),
        .limit = (uint16_t)(first >> 32),
        .count = (uint16_t)(first >> 16),
        .is_preempting = first >> 8 & 1,
        .kind = (uint8_t)first,
        .spent = (uint32_t)(second >> 32),
        .width = (uint32_t)second,
        .barred = barred,
    };
    return !reader->is_bad && frame->answer < frame->limit && frame->limit <= frame->width &&
           frame->width <= frame->count && frame->kind <= SCT_FRAME_STATE;
}

bool sct_path_read(struct sct_reader *reader, struct sct_path *path) {
    struct sct_path part = {.bound_kind = (enum sct_bound_kind)sct_take_number(reader)};
    // sct_path_take leaves the kind as it is: a strategy has its own for good.
    path->bound_kind = part.bound_kind;
    part.bound = (uint32_t)sct_take_number(reader);
    uint64_t depth = sct_take_number(reader);
    // A frame is three numbers: the rest cannot hold more, whatever a damaged file says.
    uint64_t most = (uint64_t)(reader->end - reader->at) / (3 * sizeof(uint64_t));
    bool is_good = !reader->is_bad && depth <= most;
    if (is_good && depth > 0)
        part.frames = grow_new(depth, sizeof *part.frames, "a path");
    for (uint64_t i = 0; is_good && i < depth; i++)
        is_good = read_frame(reader, &part.frames[i]);
    part.depth = is_good ? (uint32_t)depth : 0;
    ASSERT(part.depth == 0 || part.frames);
    sct_path_take(path, &part);
    free(part.frames);
    return is_good;
}

// How many pieces to the right of [piece] its guard is; 0: there is none.
static uint64_t distance_to_guard(const struct sct_piece *piece) {
    uint64_t distance = 0;
    for (const struct sct_piece *right = piece; piece->under && right != piece->under;
         right = right->next) {
        ASSERT(right);
        distance++;
    }
    return distance;
}

void sct_piece_write(const struct sct_piece *piece, struct sct_bytes *bytes) {
    ASSERT(!piece->is_worked_on);
    sct_bytes_add_number(bytes, piece->is_done);
    sct_bytes_add_number(bytes, piece->has_ended);
    sct_bytes_add_number(bytes, piece->is_last);
    sct_bytes_add_number(bytes, piece->meets_bound);
    sct_bytes_add_double(bytes, piece->start);
    sct_bytes_add_double(bytes, piece->left);
    sct_bytes_add_double(bytes, piece->end);
    sct_bytes_add_number(bytes, distance_to_guard(piece));
    sct_bytes_add_number(bytes, piece->is_guard);
    sct_bytes_add_number(bytes, piece->has_stop);
    sct_path_write(&piece->path, bytes);
    sct_bytes_add_block(bytes, piece->known.data, piece->known.size);
    sct_bytes_add_block(bytes, piece->ranges.data, piece->ranges.size);
}

bool sct_piece_read(struct sct_reader *reader, struct sct_frontier *frontier) {
    // In the frontier at once, whatever comes: it is freed with the others, if the rest is damaged.
    struct sct_piece *piece = new_piece();
    insert(frontier, frontier->last, piece);
    piece->is_done = sct_take_number(reader) != 0;
    piece->has_ended = sct_take_number(reader) != 0;
    piece->is_last = sct_take_number(reader) != 0;
    piece->meets_bound = sct_take_number(reader) != 0;
    piece->start = sct_take_double(reader);
    piece->left = sct_take_double(reader);
    piece->end = sct_take_double(reader);
    piece->pending = sct_take_number(reader); // until all are read
    piece->is_guard = sct_take_number(reader) != 0;
    piece->has_stop = sct_take_number(reader) != 0;
    bool is_good = sct_path_read(reader, &piece->path);
    size_t size;
    const unsigned char *block = sct_take_block(reader, &size);
    sct_bytes_add(&piece->known, block, size);
    block = sct_take_block(reader, &size);
    sct_bytes_add(&piece->ranges, block, size);
    return is_good && !reader->is_bad;
}

bool sct_frontier_link(struct sct_frontier *frontier) {
    bool is_good = true;
    for (struct sct_piece *piece = frontier->first; piece; piece = piece->next) {
        struct sct_piece *guard = piece;
        for (uint64_t i = 0; guard && i < piece->pending; i++)
            guard = guard->next;
        piece->under = guard != piece ? guard : NULL;
        is_good = is_good && guard && (!piece->under || guard->is_guard);
        piece->pending = 0;
    }
    // Counted from the left, as guards stand to the right of what they wait for.
    for (struct sct_piece *piece = frontier->first; piece; piece = piece->next)
        if (piece->under)
            piece->under->pending++;
    return is_good;
}
