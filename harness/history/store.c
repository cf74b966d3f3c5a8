#include "harness/history/store.h"
#include "core/base/assert.h"
#include "core/base/grow.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    STORE_BYTES_MAX = 1 << 30, // of all values of the history, and those of the key in hand
    SHOWN_MAX = 48,            // bytes of a value
};

void store_init(struct store *store) {
    *store = (struct store){.initial = STORE_NIL};
    strings_init(&store->values, STORE_BYTES_MAX);
    strings_init(&store->keys, STORE_BYTES_MAX);
    // A string that no reader can give takes number 0; as a beginning it counts as empty.
    uint32_t nil = strings_add(&store->values, "\0nil", 4);
    ASSERT(nil == STORE_NIL);
}

void store_deinit(struct store *store) {
    strings_deinit(&store->values);
    strings_deinit(&store->keys);
    free(store->roles);
}

// Keeps [lengths] sorted, so that whoever goes through them can stop early.
// Linear in the lengths, of which there are few: after too many, values are not taken apart at all.
static void note_length(struct store *store, uint32_t length) {
    uint32_t at = store->length_count;
    for (uint32_t i = 0; i < store->length_count; i++)
        if (store->lengths[i] == length)
            return;
    store->is_ambiguous |= length == 0 || at == STORE_LENGTHS_MAX;
    if (store->is_ambiguous)
        return;
    for (; at > 0 && store->lengths[at - 1] > length; at--)
        store->lengths[at] = store->lengths[at - 1];
    store->lengths[at] = length;
    store->length_count++;
}

void store_note(struct store *store, const struct sct_operation *operation) {
    uint32_t value = (uint32_t)operation->input[0];
    bool is_append = operation->function == STORE_APPEND;
    ASSERT(value < store->values.count);
    if (!is_append && operation->function != STORE_WRITE)
        return;
    uint32_t count = store->role_count;
    if (value >= count) {
        GROW(store->roles, value + 1, store->role_capacity, "what values are");
        memset(store->roles + count, 0, value + 1 - count);
        store->role_count = value + 1;
    }
    store->roles[value] |= is_append ? STORE_APPENDED : STORE_WRITTEN;
    store->has_appends |= is_append;
    if (is_append)
        note_length(store, strings_length(&store->values, value));
}

static uint32_t state_words(const struct store *store) {
    // A map is checked key by key: linearizability is local. Only who asks for the whole gets a
    // state of all keys, which is what the tests compare with.
    return store->is_whole && store->keys.count > 1 ? store->keys.count : 1;
}

static uint64_t word_of(const struct store *store, const struct sct_operation *operation) {
    return state_words(store) > 1 ? operation->key : 0;
}

static void init(void *context, uint64_t *state) {
    const struct store *store = context;
    for (uint32_t i = 0; i < state_words(store); i++)
        state[i] = store->initial;
}

// Appending to nil gives the piece itself.
static uint64_t append(struct store *store, uint64_t value, uint64_t end) {
    // Strings are numbers: joining two of them is a look-up if the result was met before.
    if (value == STORE_NIL)
        return end;
    return strings_join(&store->values, (uint32_t)value, (uint32_t)end);
}

static uint32_t step(void *context, const uint64_t *state, const struct sct_operation *operation,
                     uint32_t way, uint64_t *next) {
    struct store *store = context;
    uint64_t word = word_of(store, operation);
    ASSERT(word < state_words(store));
    uint64_t value = state[word];
    bool is_expected = value == operation->input[0]; // by a compare-and-set
    (void)way;                                       // there is at most one
    switch ((enum store_function)operation->function) {
    case STORE_READ:
        if (operation->has_output && operation->output != value)
            return 0;
        break;
    case STORE_WRITE:
        value = operation->input[0];
        break;
    case STORE_CAS:
        if (operation->has_output && operation->output != is_expected)
            return 0;
        // One whose answer is unknown may have succeeded or not: the state says which, so one way.
        value = is_expected ? operation->input[1] : value;
        break;
    case STORE_APPEND:
        value = append(store, value, operation->input[0]);
        if (value == STRINGS_FULL)
            return LIN_GAVE_UP;
        break;
    case STORE_FUNCTION_COUNT:
        break;
    }
    memcpy(next, state, state_words(store) * sizeof *next);
    next[word] = value;
    return 1;
}

static uint64_t part(void *context, const struct sct_operation *operation) {
    (void)context;
    return operation->key;
}

static bool observes(void *context, const struct sct_operation *operation) {
    (void)context;
    return operation->function == STORE_READ ||
           (operation->function == STORE_CAS && operation->has_output && !operation->output);
}

// Whether [value] is [goal], or can become it by appending.
static bool can_become(const struct store *store, uint64_t value, uint64_t goal) {
    // A necessary condition, for giving up early: values only grow by appending, so what is not a
    // beginning of the goal never becomes it.
    if (value == goal || (value == STORE_NIL && store->has_appends))
        return true;
    return store->has_appends && goal != STORE_NIL &&
           strings_begins(&store->values, (uint32_t)goal, (uint32_t)value);
}

static bool reaches(void *context, const uint64_t *state, const struct sct_operation *goal) {
    const struct store *store = context;
    return goal->function != STORE_READ ||
           can_become(store, state[word_of(store, goal)], goal->output);
}

// An append is none of these: it makes longer what is there, and can_become counts on that already.
static bool leads(void *context, const struct sct_operation *operation,
                  const struct sct_operation *goal) {
    const struct store *store = context;
    if (operation->key != goal->key)
        return false;
    if (operation->function == STORE_WRITE)
        return can_become(store, operation->input[0], goal->output);
    return operation->function == STORE_CAS && can_become(store, operation->input[1], goal->output);
}

// A part with a compare-and-set is left to the search: what it does depends on the value that it
// finds.
static enum lin_access access(void *context, const struct sct_operation *operation,
                              uint64_t *value) {
    (void)context;
    switch ((enum store_function)operation->function) {
    case STORE_READ:
        *value = operation->output;
        return operation->has_output ? LIN_READS : LIN_PASSES;
    case STORE_WRITE:
        *value = operation->input[0];
        return LIN_WRITES;
    case STORE_APPEND:
        *value = operation->input[0];
        return LIN_APPENDS;
    case STORE_CAS:
    case STORE_FUNCTION_COUNT:
        break;
    }
    return LIN_SEARCHED;
}

static bool has_role(const struct store *store, uint32_t value, enum store_role role) {
    return value < store->role_count && (store->roles[value] & role);
}

// The written or initial value that is the first [end] bytes of [text], or STRINGS_FULL.
static uint32_t find_written(const struct store *store, const char *text, uint32_t end) {
    uint32_t value = strings_find(&store->values, text, end);
    bool is_written =
        value != STRINGS_FULL && (value == store->initial || has_role(store, value, STORE_WRITTEN));
    return is_written ? value : STRINGS_FULL;
}

// Finds in how many ways the first [end] bytes of [text] end with an appended piece, and that
// piece.
// By the lengths of what was appended, and not by every length: each is one look-up.
static uint32_t find_appended(const struct store *store, const char *text, uint32_t end,
                              uint32_t *piece) {
    uint32_t ways = 0;
    for (uint32_t i = 0; i < store->length_count && store->lengths[i] <= end; i++) {
        uint32_t length = store->lengths[i];
        uint32_t found = strings_find(&store->values, text + end - length, length);
        if (found == STRINGS_FULL || !has_role(store, found, STORE_APPENDED))
            continue;
        *piece = found;
        ways++;
    }
    return ways;
}

static void reverse(uint64_t *pieces, uint32_t count) {
    for (uint32_t i = 0; i < count / 2; i++) {
        uint64_t piece = pieces[i];
        pieces[i] = pieces[count - 1 - i];
        pieces[count - 1 - i] = piece;
    }
}

// Takes pieces off the end as long as there is one way to do it.
static uint32_t take_apart(void *context, uint64_t value, uint64_t *pieces, uint32_t pieces_max) {
    const struct store *store = context;
    const char *text = strings_text(&store->values, (uint32_t)value);
    uint32_t end = strings_length(&store->values, (uint32_t)value), count = 0;
    ASSERT(pieces_max >= 1);
    pieces[0] = value;
    if (value == STORE_NIL)
        return 1;
    if (store->is_ambiguous)
        return LIN_SEVERAL_WAYS;
    for (;;) {
        // Appending to nil is as to "".
        bool is_nil = end == 0 && count > 0 &&
                      (store->initial == STORE_NIL || has_role(store, STORE_NIL, STORE_WRITTEN));
        uint32_t first = find_written(store, text, end), piece = 0;
        uint32_t ways = find_appended(store, text, end, &piece) + is_nil + (first != STRINGS_FULL);
        if (ways > 1)
            return LIN_SEVERAL_WAYS;
        if (ways == 0 || count == pieces_max)
            return 0;
        bool is_first = is_nil || first != STRINGS_FULL;
        pieces[count++] = is_nil ? STORE_NIL : is_first ? first : piece;
        if (is_first)
            break;
        end -= strings_length(&store->values, piece);
    }
    reverse(pieces, count);
    return count;
}

// What appending has made in the search of one key is of no use to the next.
static void forget(void *context) {
    struct store *store = context;
    strings_forget(&store->values, store->told_values);
}

// ---- Words -------------------------------------------------------------------------------------

static bool is_number(const char *bytes, uint32_t length) {
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] < '0' || bytes[i] > '9')
            return false;
    return length > 0 && length <= SHOWN_MAX;
}

static void add_string(const struct strings *strings, uint32_t number, struct text *text) {
    ASSERT(number < strings->count);
    const char *bytes = strings_text(strings, number);
    uint32_t length = strings_length(strings, number);
    if (is_number(bytes, length))
        text_add(text, "%.*s", (int)length, bytes);
    else if (length <= SHOWN_MAX)
        text_add(text, "\"%.*s\"", (int)length, bytes);
    else
        text_add(text, "\"%.*s...%.*s\" (%" PRIu32 " bytes)", SHOWN_MAX / 2, bytes, SHOWN_MAX / 2,
                 bytes + length - SHOWN_MAX / 2, length);
}

void store_describe_value(const struct store *store, uint64_t value, struct text *text) {
    if (value == STORE_NIL)
        text_add(text, "nil");
    else
        add_string(&store->values, (uint32_t)value, text);
}

static void add_value(const struct store *store, uint64_t value, struct text *text) {
    text_add(text, " ");
    store_describe_value(store, value, text);
}

static void describe(void *context, const struct sct_operation *operation, struct text *text) {
    const struct store *store = context;
    ASSERT(operation->function < STORE_FUNCTION_COUNT);
    text_add(text, "%s", store->names[operation->function]);
    if (store->is_map) {
        text_add(text, " ");
        add_string(&store->keys, (uint32_t)operation->key, text);
    }
    if (operation->function != STORE_READ)
        add_value(store, operation->input[0], text);
    if (operation->function == STORE_CAS)
        add_value(store, operation->input[1], text);
    if (operation->returned_at == SCT_NEVER) {
        text_add(text, ", never returned");
    } else if (operation->function == STORE_READ || operation->function == STORE_CAS) {
        text_add(text, " ->");
        if (!operation->has_output)
            text_add(text, " ?");
        else if (operation->function == STORE_READ)
            add_value(store, operation->output, text);
        else
            text_add(text, " %s", operation->output ? "ok" : "fail");
    }
}

struct lin_spec store_spec(struct store *store) {
    store->told_values = store->values.count;
    return (struct lin_spec){
        .context = store,
        .state_words = state_words(store),
        .init = init,
        .step = step,
        .describe = describe,
        .part = store->is_whole ? NULL : part,
        .observes = observes,
        .reaches = reaches,
        .leads = leads,
        // Who took no note of the operations does not know what makes a value.
        .access = state_words(store) == 1 && store->role_count > 0 ? access : NULL,
        .take_apart = take_apart,
        .forget = forget,
    };
}
