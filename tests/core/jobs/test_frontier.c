#include "tests/support/test.h"

#include "core/jobs/frontier.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

// A path of decisions with [count] alternatives each, at its first leaf.
static struct sct_path walked(uint32_t depth, uint32_t count) {
    struct sct_path path = {.bound_kind = SCT_BOUND_DELAYS, .bound_limit = 9, .bound = 9};
    uint32_t answer;
    for (uint32_t i = 0; i < depth; i++)
        sct_path_answer(&path, i % 2 ? SCT_FRAME_VALUE : SCT_FRAME_SCHEDULE, count, i % 4 == 0,
                        &answer);
    return path;
}

static struct sct_piece *add_piece(struct sct_frontier *frontier, struct sct_piece *left,
                                   uint32_t depth) {
    struct sct_path path = walked(depth, 2);
    struct sct_piece *piece = sct_frontier_add(frontier, left, &path);
    sct_path_deinit(&path);
    return piece;
}

// The depths of the pieces' paths, from left to right and back.
static void assert_order(const struct sct_frontier *frontier, const char *depths) {
    const struct sct_piece *piece = frontier->first;
    for (const char *c = depths; *c; c++, piece = piece->next)
        assert_int_equal(piece->path.depth, *c - '0');
    assert_null(piece);
    piece = frontier->last;
    for (const char *c = depths + strlen(depths); c-- > depths; piece = piece->previous)
        assert_int_equal(piece->path.depth, *c - '0');
    assert_null(piece);
}

// Pieces stand where they were put, and go from wherever they stand.
static void test_order(void **state) {
    (void)state;
    struct sct_frontier frontier = {0};
    struct sct_piece *five = add_piece(&frontier, NULL, 5);
    assert_order(&frontier, "5");
    struct sct_piece *seven = add_piece(&frontier, five, 7);
    struct sct_piece *six = add_piece(&frontier, five, 6);
    struct sct_piece *four = add_piece(&frontier, NULL, 4);
    assert_order(&frontier, "4567");
    sct_frontier_remove(&frontier, six);
    assert_order(&frontier, "457");
    sct_frontier_remove(&frontier, four);
    assert_order(&frontier, "57");
    sct_frontier_remove(&frontier, seven);
    assert_order(&frontier, "5");
    sct_frontier_remove(&frontier, five);
    assert_order(&frontier, "");
    add_piece(&frontier, NULL, 3);
    sct_frontier_deinit(&frontier);
    assert_order(&frontier, "");
}

// The leftmost of those that nobody works on and that are not done.
static void test_waiting(void **state) {
    (void)state;
    struct sct_frontier frontier = {0};
    assert_null(sct_frontier_waiting(&frontier));
    struct sct_piece *one = add_piece(&frontier, NULL, 1), *two = add_piece(&frontier, one, 2);
    assert_ptr_equal(sct_frontier_waiting(&frontier), one);
    one->is_worked_on = true;
    assert_ptr_equal(sct_frontier_waiting(&frontier), two);
    two->is_done = true;
    assert_null(sct_frontier_waiting(&frontier));
    one->is_worked_on = false;
    assert_ptr_equal(sct_frontier_waiting(&frontier), one);
    sct_frontier_deinit(&frontier);
}

// A guard waits until all that is below it is done, the guards below it included; then it is
// searched if a machine was stopped there, or done itself.
static void test_guards(void **state) {
    (void)state;
    for (int has_stop = 0; has_stop < 2; has_stop++) {
        struct sct_frontier frontier = {0};
        struct sct_path path = walked(3, 2);
        struct sct_piece *giver = add_piece(&frontier, NULL, 1);
        struct sct_piece *outer = sct_frontier_guard(&frontier, giver, &path);
        struct sct_piece *inner = sct_frontier_guard(&frontier, giver, &path);
        struct sct_piece *gift = sct_frontier_give(&frontier, giver, &path);
        struct sct_bytes bytes = {0};
        assert_ptr_equal(giver->next, gift);
        assert_ptr_equal(gift->next, inner);
        assert_ptr_equal(inner->next, outer);
        if (has_stop)
            sct_piece_has_stop(gift);
        giver->is_done = true;
        sct_piece_is_done(giver);
        assert_ptr_equal(sct_frontier_waiting(&frontier), gift);
        // As read from a checkpoint.
        struct sct_frontier copy = {0};
        for (struct sct_piece *piece = frontier.first; piece; piece = piece->next) {
            bytes.size = 0;
            sct_piece_write(piece, &bytes);
            struct sct_reader reader = {bytes.data, bytes.data + bytes.size, false};
            assert_true(sct_piece_read(&reader, &copy));
        }
        assert_true(sct_frontier_link(&copy));
        gift = copy.first->next;
        gift->is_done = true;
        sct_piece_is_done(gift);
        inner = gift->next;
        outer = inner->next;
        assert_false(inner->is_guard);
        assert_true(inner->is_done == !has_stop && outer->is_done == !has_stop);
        assert_ptr_equal(sct_frontier_waiting(&copy), has_stop ? inner : NULL);
        if (has_stop) {
            assert_true(outer->is_guard);
            sct_piece_is_done(inner); // it may be stopped below it, too, or not
            assert_false(outer->is_guard || outer->is_done);
        }
        sct_bytes_free(&bytes);
        sct_path_deinit(&path);
        sct_frontier_deinit(&frontier);
        sct_frontier_deinit(&copy);
    }
}

// A guard that is said to be where none is.
static void test_lost_guards_are_refused(void **state) {
    (void)state;
    struct sct_frontier frontier = {0};
    struct sct_piece *piece = add_piece(&frontier, NULL, 1);
    add_piece(&frontier, piece, 1);
    piece->pending = 1;
    assert_false(sct_frontier_link(&frontier));
    piece->pending = 9;
    assert_false(sct_frontier_link(&frontier));
    piece->pending = 0;
    assert_true(sct_frontier_link(&frontier));
    sct_frontier_deinit(&frontier);
}

// A piece knows how much of the tree is before it and left of it, also when it is given away.
static void test_shares(void **state) {
    (void)state;
    struct sct_frontier frontier = {0};
    struct sct_path path = walked(3, 2), right;
    assert_true(sct_path_split(&path, &right));
    struct sct_piece *left_piece = sct_frontier_add(&frontier, NULL, &path);
    struct sct_piece *right_piece = sct_frontier_add(&frontier, left_piece, &right);
    assert_true(left_piece->start == 0 && left_piece->left == 0.5);
    assert_true(right_piece->start == 0.5 && right_piece->left == 0.5);
    assert_true(sct_frontier_left(&frontier) == 1);
    sct_frontier_remove(&frontier, left_piece);
    assert_true(sct_frontier_left(&frontier) == 0.5);
    sct_path_deinit(&path);
    sct_path_deinit(&right);
    sct_frontier_deinit(&frontier);
}

static void assert_same_path(const struct sct_path *a, const struct sct_path *b) {
    assert_int_equal(a->depth, b->depth);
    assert_int_equal(a->bound_kind, b->bound_kind);
    assert_int_equal(a->bound, b->bound);
    for (uint32_t i = 0; i < a->depth; i++) {
        const struct sct_path_frame *x = &a->frames[i], *y = &b->frames[i];
        assert_true(x->count == y->count && x->limit == y->limit && x->answer == y->answer);
        assert_true(x->kind == y->kind && x->is_preempting == y->is_preempting);
        assert_true(x->spent == y->spent && x->width == y->width && x->barred == y->barred);
    }
}

static struct sct_piece *fill(struct sct_frontier *frontier) {
    struct sct_path path = walked(6, 3), right;
    for (int i = 0; i < 5; i++)
        sct_path_advance(&path);
    sct_path_split(&path, &right);
    right.frames[0].barred = 5;
    struct sct_piece *piece = sct_frontier_add(frontier, NULL, &right);
    sct_bytes_add(&piece->known, "known", 5);
    piece->is_done = piece->has_ended = piece->is_last = piece->meets_bound = true;
    piece->end = 0.75;
    sct_bytes_add_block(&piece->ranges, "ranges", 6);
    sct_path_deinit(&path);
    sct_path_deinit(&right);
    return piece;
}

// What is written is read again, behind the pieces that are there.
static void test_pieces_as_bytes(void **state) {
    (void)state;
    struct sct_frontier frontier = {0};
    struct sct_bytes bytes = {0};
    struct sct_piece *piece = fill(&frontier);
    sct_piece_write(piece, &bytes);
    struct sct_reader reader = {bytes.data, bytes.data + bytes.size, false};
    assert_true(sct_piece_read(&reader, &frontier));
    assert_true(reader.at == reader.end);
    const struct sct_piece *copy = frontier.last;
    assert_ptr_equal(copy->previous, piece);
    assert_same_path(&copy->path, &piece->path);
    assert_true(copy->is_done && copy->has_ended && copy->is_last && copy->meets_bound);
    assert_true(copy->start == piece->start && copy->left == piece->left && copy->end == 0.75);
    assert_int_equal(copy->known.size, 5);
    assert_memory_equal(copy->known.data, "known", 5);
    assert_int_equal(copy->ranges.size, piece->ranges.size);
    assert_memory_equal(copy->ranges.data, piece->ranges.data, copy->ranges.size);
    sct_bytes_free(&bytes);
    sct_frontier_deinit(&frontier);
}

// Each of the four marks by itself.
static void test_marks_as_bytes(void **state) {
    (void)state;
    for (unsigned marks = 0; marks < 16; marks++) {
        struct sct_frontier frontier = {0};
        struct sct_bytes bytes = {0};
        struct sct_piece *piece = add_piece(&frontier, NULL, 2);
        piece->is_done = marks & 1;
        piece->has_ended = marks >> 1 & 1;
        piece->is_last = marks >> 2 & 1;
        piece->meets_bound = marks >> 3 & 1;
        sct_piece_write(piece, &bytes);
        struct sct_reader reader = {bytes.data, bytes.data + bytes.size, false};
        assert_true(sct_piece_read(&reader, &frontier));
        const struct sct_piece *copy = frontier.last;
        assert_int_equal(marks, copy->is_done | copy->has_ended << 1 | copy->is_last << 2 |
                                    copy->meets_bound << 3);
        sct_bytes_free(&bytes);
        sct_frontier_deinit(&frontier);
    }
}

// No beginning of the bytes is a piece, and what is no path is refused, whatever follows.
static void test_damaged_pieces_are_refused(void **state) {
    (void)state;
    // Behind four marks, three shares, what it has of guards, kind, bound and depth.
    enum { FRAMES_AT = 13 * 8 };
    struct sct_frontier frontier = {0};
    struct sct_bytes bytes = {0};
    sct_piece_write(fill(&frontier), &bytes);
    for (size_t length = 0; length < bytes.size; length++) {
        unsigned char *copy = malloc(length ? length : 1); // whose end a sanitizer watches
        memcpy(copy, bytes.data, length);
        struct sct_reader reader = {copy, copy + length, false};
        assert_false(sct_piece_read(&reader, &frontier));
        free(copy);
    }
    static const struct {
        size_t at;
        unsigned char value;
    } changes[] = {
        {FRAMES_AT - 8 + 6, 1}, // a depth beyond all bytes
        {FRAMES_AT + 6, 9},     // an answer that there is not
        {FRAMES_AT + 4, 9},     // a limit above the width
        {FRAMES_AT + 8, 9},     // a width above the count
        {FRAMES_AT, 7},         // a kind that there is not
    };
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        unsigned char old = bytes.data[changes[i].at];
        bytes.data[changes[i].at] = changes[i].value;
        struct sct_reader reader = {bytes.data, bytes.data + bytes.size, false};
        assert_false(sct_piece_read(&reader, &frontier));
        bytes.data[changes[i].at] = old;
    }
    sct_bytes_free(&bytes);
    sct_frontier_deinit(&frontier);
}

static void test_doubles(void **state) {
    (void)state;
    static const double values[] = {0, -0.0, 1, 0.1, -1e300, 0x1p-1074, INFINITY};
    struct sct_bytes bytes = {0};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        sct_bytes_add_double(&bytes, values[i]);
    struct sct_reader reader = {bytes.data, bytes.data + bytes.size, false};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        double value = sct_take_double(&reader);
        assert_memory_equal(&value, &values[i], sizeof value);
    }
    sct_bytes_free(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order),          cmocka_unit_test(test_waiting),
        cmocka_unit_test(test_guards),         cmocka_unit_test(test_lost_guards_are_refused),
        cmocka_unit_test(test_shares),         cmocka_unit_test(test_pieces_as_bytes),
        cmocka_unit_test(test_marks_as_bytes), cmocka_unit_test(test_damaged_pieces_are_refused),
        cmocka_unit_test(test_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
