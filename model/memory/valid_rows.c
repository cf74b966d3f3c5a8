#include "model/memory/valid_rows.h"

#include "model/table/filter.h"
#include "model/table/row.h"

// One revision of the window a stream looks at: D_j is what matches in [first, rows.count).
struct view {
    struct ct_rows rows;
    size_t first; // of the rows with a key >= the stream's position
    size_t at;    // the search for m has come so far
    size_t end;   // after the last row with a key <= m
};

// The lower bound of [from] in [rows]. Neighbouring revisions differ in few rows, so that it is
// mostly that of the [previous] view or beside it; and a row that both have in the same place needs
// no comparison.
static size_t first_from(struct ct_rows rows, struct ct_key from, const struct view *previous) {
    const struct ct_row *const *others = previous->rows.rows;
    size_t first = previous->first;
    if (first > rows.count)
        return ct_rows_lower_bound(rows, from);
    if (first > 0 && rows.rows[first - 1] != others[first - 1] &&
        ct_key_compare(rows.rows[first - 1]->key, from) >= 0) {
        first--;
        return first == 0 || ct_key_compare(rows.rows[first - 1]->key, from) < 0
                   ? first
                   : ct_rows_lower_bound(rows, from);
    }
    if (first == rows.count ||
        (first < previous->rows.count && rows.rows[first] == others[first]) ||
        ct_key_compare(rows.rows[first]->key, from) >= 0)
        return first;
    first++;
    return first == rows.count || ct_key_compare(rows.rows[first]->key, from) >= 0
               ? first
               : ct_rows_lower_bound(rows, from);
}

// Whether the two show the same rows, and not only equal ones.
static bool show_same(const struct view *a, const struct view *b) {
    size_t count = a->rows.count - a->first;
    if (b->rows.count - b->first != count)
        return false;
    const struct ct_row *const *rows = a->rows.rows + a->first;
    const struct ct_row *const *others = b->rows.rows + b->first;
    // The last first: a batch that changes rows there changes mostly one of the last.
    while (count > 0 && rows[count - 1] == others[count - 1])
        count--;
    return count == 0;
}

// The first view is searched, each other one begins where its neighbour does; one that shows what
// its neighbour does adds nothing, and is left out. How many are left in [count].
static struct view *open_views(struct ct_revisions revisions, struct ct_key from,
                               struct arena *arena, size_t *count) {
    struct view *views = ARENA_ARRAY(arena, struct view, revisions.count);
    struct view *last = views;
    last->rows = revisions.of[0];
    last->first = last->at = ct_rows_lower_bound(last->rows, from);
    for (size_t i = 1; i < revisions.count; i++) {
        struct view *view = last + 1;
        view->rows = revisions.of[i];
        view->first = view->at = first_from(view->rows, from, last);
        if (!show_same(view, last))
            last = view;
    }
    *count = (size_t)(last - views) + 1;
    return views;
}

// Moves [view] to its first matching row with a key >= that of the matching row [candidate] (NULL:
// any); false if there is none.
static bool advance(struct view *view, const struct ct_filter *filter,
                    const struct ct_row *candidate) {
    for (; view->at < view->rows.count; view->at++) {
        const struct ct_row *row = view->rows.rows[view->at];
        if (row == candidate)
            return true;
        if (candidate && ct_key_compare(row->key, candidate->key) < 0)
            continue;
        if (ct_filter_matches(filter, row))
            return true;
    }
    return false;
}

// Moves all views to the smallest key that matches in every one of them (m); false without one.
// The views raise the candidate in turn until all of them agree.
// Each turn raises the candidate or adds a view that agrees, so it ends; all views together go
// through their rows once.
static bool find_common_key(struct view *views, size_t count, const struct ct_filter *filter) {
    const struct ct_row *candidate = NULL;
    size_t agreeing = 0;
    for (size_t i = 0; agreeing < count; i = i + 1 < count ? i + 1 : 0) {
        if (!advance(&views[i], filter, candidate))
            return false;
        const struct ct_row *row = views[i].rows.rows[views[i].at];
        bool agrees = candidate && (row == candidate || ct_key_equal(row->key, candidate->key));
        agreeing = agrees ? agreeing + 1 : 1;
        candidate = row;
    }
    return true;
}

// By pointer first: a row listed before is mostly the very same one, shared between revisions.
// Linear in what is listed, which is short as a rule.
static bool is_listed(const struct ct_valid_rows *valid, const struct ct_row *row) {
    for (size_t i = 0; i < valid->count; i++)
        if (valid->rows[i] == row)
            return true;
    for (size_t i = 0; i < valid->count; i++)
        if (ct_row_equal(valid->rows[i], row))
            return true;
    return false;
}

// Adds the matching rows of [view] that are not listed yet. A row that stood in the same place of
// the [previous] view was dealt with there, matching or not.
static void list_view(struct ct_valid_rows *valid, const struct view *view,
                      const struct view *previous, const struct ct_filter *filter) {
    for (size_t i = view->first; i < view->end; i++) {
        const struct ct_row *row = view->rows.rows[i];
        if (previous && i >= previous->first && i < previous->end && previous->rows.rows[i] == row)
            continue;
        if (ct_filter_matches(filter, row) && !is_listed(valid, row))
            valid->rows[valid->count++] = row;
    }
}

static struct ct_valid_rows list_views(struct view *views, size_t count,
                                       const struct ct_filter *filter, bool may_end,
                                       struct arena *arena) {
    size_t room = 0;
    for (size_t i = 0; i < count; i++) {
        views[i].end = may_end ? views[i].rows.count : views[i].at + 1;
        room += views[i].end - views[i].first;
    }
    struct ct_valid_rows valid = {
        .rows = ARENA_ARRAY(arena, const struct ct_row *, room), .count = 0, .may_end = may_end};
    for (size_t i = 0; i < count; i++)
        list_view(&valid, &views[i], i > 0 ? &views[i - 1] : NULL, filter);
    return valid;
}

// The rule for a window of one revision, the most frequent one: the first match is m, so it is the
// whole answer.
static struct ct_valid_rows valid_rows_now(struct ct_rows rows, const struct ct_filter *filter,
                                           struct ct_key from, struct arena *arena) {
    size_t at = ct_rows_lower_bound(rows, from);
    while (at < rows.count && !ct_filter_matches(filter, rows.rows[at]))
        at++;
    bool found = at < rows.count;
    const struct ct_row **list = ARENA_ARRAY(arena, const struct ct_row *, 1);
    if (found)
        *list = rows.rows[at];
    return (struct ct_valid_rows){.rows = list, .count = found ? 1 : 0, .may_end = !found};
}

struct ct_valid_rows ct_valid_rows(struct ct_revisions revisions, const struct ct_filter *filter,
                                   struct ct_key from, struct arena *arena) {
    ASSERT(revisions.count >= 1);
    if (revisions.count == 1)
        return valid_rows_now(revisions.of[0], filter, from, arena);
    size_t count;
    struct view *views = open_views(revisions, from, arena, &count);
    bool may_end = !find_common_key(views, count, filter);
    return list_views(views, count, filter, may_end, arena);
}

bool ct_is_valid_row(const struct ct_valid_rows *valid, const struct ct_row *row) {
    return row ? is_listed(valid, row) : valid->may_end;
}
