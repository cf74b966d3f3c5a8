// Checkpoints of searches. The records of the file, each with its kind first:
//   RECORD_SEARCH  once: how far the bounds are searched, and how the search ended if it did
//   RECORD_SUM     once: the sum so far, as of core/jobs/range.h
//   RECORD_PIECE   for each piece, from left to right
//   RECORD_STATES  entries of the cache, for so many of them at a time
//   RECORD_END     once: how many states there were
#include "core/jobs/crew_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum record { RECORD_SEARCH = 1, RECORD_SUM, RECORD_PIECE, RECORD_STATES, RECORD_END };

enum { RECORD_STATES_MAX = 1 << 16, PATH_BYTES = 4096 + 8 };

static struct sct_shared_states *states_of(const struct sct_crew *crew) {
    return sct_search_shared(crew->jobs->range->campaign->search);
}

// ---- Writing -----------------------------------------------------------------------------------

struct writer {
    struct sct_crew *crew;
    struct sct_checkpoint file;
    struct error *error;
};

// In the crew's buffer: one record at a time.
static struct sct_bytes *begin_record(struct writer *writer, enum record kind) {
    struct sct_bytes *record = &writer->crew->bytes;
    ASSERT(kind >= RECORD_SEARCH && kind <= RECORD_END);
    record->size = 0;
    sct_bytes_add_number(record, (uint64_t)kind);
    return record;
}

static bool end_record(struct writer *writer) {
    return sct_checkpoint_put(&writer->file, &writer->crew->bytes, writer->error);
}

static bool write_search(struct writer *writer) {
    const struct sct_crew *crew = writer->crew;
    const struct sct_searched *search = &crew->sum.campaign->search;
    struct sct_bytes *record = begin_record(writer, RECORD_SEARCH);
    sct_bytes_add_number(record, crew->is_settled);
    sct_bytes_add_number(record, crew->path->bound);
    sct_bytes_add_number(record, crew->path->meets_bound);
    sct_bytes_add_number(record, search->bound_runs);
    sct_bytes_add_number(record, search->bounds_completed);
    sct_bytes_add_number(record, search->is_exhausted);
    sct_bytes_add_number(record, search->is_cut);
    sct_bytes_add_double(record, search->estimate);
    return end_record(writer);
}

static bool write_sum(struct writer *writer) {
    const struct sct_crew *crew = writer->crew;
    // The campaign gets its groups when the sum is closed; until then they are beside it.
    struct sct_campaign sum = *crew->sum.campaign;
    sum.groups = crew->sum.groups.first;
    sct_range_write(&crew->range, &sum, begin_record(writer, RECORD_SUM));
    return end_record(writer);
}

static bool write_pieces(struct writer *writer) {
    const struct sct_piece *piece = writer->crew->frontier.first;
    for (; piece; piece = piece->next) {
        sct_piece_write(piece, begin_record(writer, RECORD_PIECE));
        if (!end_record(writer))
            return false;
    }
    return true;
}

static bool write_states(struct writer *writer, const struct sct_shared_states *states) {
    uint64_t place = 0;
    struct digest key;
    uint32_t bound;
    // In records of a megabyte: a reader needs memory for one, not for the whole cache twice.
    for (bool is_more = true; is_more;) {
        struct sct_bytes *record = begin_record(writer, RECORD_STATES);
        int count = 0;
        while (count < RECORD_STATES_MAX &&
               (is_more = sct_shared_states_next(states, &place, &key, &bound))) {
            // The low byte first. Of a reduced search it is a set of marks.
            unsigned char word[4] = {(unsigned char)bound, (unsigned char)(bound >> 8),
                                     (unsigned char)(bound >> 16), (unsigned char)(bound >> 24)};
            sct_bytes_add_number(record, key.low);
            sct_bytes_add_number(record, key.high);
            sct_bytes_add(record, word, sizeof word);
            count++;
        }
        if (!end_record(writer))
            return false;
    }
    return true;
}

// What has ended for good has nothing to go on from. The end last: a file that was cut off anywhere
// has none (sct_crew_check).
static bool write_records(struct writer *writer) {
    const struct sct_crew *crew = writer->crew;
    const struct sct_shared_states *states = crew->is_settled ? NULL : states_of(crew);
    bool is_good = write_search(writer) && write_sum(writer) &&
                   (crew->is_settled || write_pieces(writer)) &&
                   (!states || write_states(writer, states));
    sct_bytes_add_number(begin_record(writer, RECORD_END),
                         states ? sct_shared_states_count(states) : 0);
    return is_good && end_record(writer);
}

bool sct_crew_save(struct sct_crew *crew, struct error *error) {
    // Beside the other one, as rename does not reach into another file system; the lock
    // (checkpoint_lock.h) keeps others off this name, too.
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s.tmp", crew->jobs->checkpoint);
    struct writer writer = {.crew = crew, .error = error};
    if (!sct_checkpoint_create(&writer.file, path, crew->jobs->checkpoint_text, error))
        return false;
    if (write_records(&writer) &&
        sct_checkpoint_publish(&writer.file, crew->jobs->checkpoint, error))
        return true;
    sct_checkpoint_close(&writer.file);
    remove(path);
    return false;
}

// ---- Reading -----------------------------------------------------------------------------------

static bool read_search(struct sct_reader *record, struct sct_crew *crew) {
    struct sct_searched *search = &crew->sum.campaign->search;
    // A search that had ended for good is not begun again: what it had found is told once more.
    crew->is_settled = crew->is_over = sct_take_number(record) != 0;
    crew->path->bound = (uint32_t)sct_take_number(record);
    crew->path->meets_bound = sct_take_number(record) != 0;
    search->bound_runs = sct_take_number(record);
    search->bounds_completed = (uint32_t)sct_take_number(record);
    search->is_exhausted = sct_take_number(record) != 0;
    search->is_cut = sct_take_number(record) != 0;
    search->estimate = sct_take_double(record);
    return !record->is_bad;
}

static bool read_sum(struct sct_reader *record, struct sct_crew *crew) {
    bool goes_on;
    // Numbers in the sum are those of the whole already.
    crew->range.iteration_offset = 0;
    bool is_good =
        sct_range_add(&crew->range, record, &crew->sum, crew->jobs->on_new_group, &goes_on);
    crew->sum.campaign->distinct_behaviours = crew->sum.campaign->search.executions;
    return is_good;
}

static bool read_states(struct sct_reader *record, struct sct_crew *crew) {
    struct sct_shared_states *states = states_of(crew);
    while (states && !record->is_bad && record->at < record->end) {
        struct digest key;
        key.low = sct_take_number(record);
        key.high = sct_take_number(record);
        if (record->is_bad || record->end - record->at < 4)
            return false;
        uint32_t bound = (uint32_t)record->at[0] | (uint32_t)record->at[1] << 8 |
                         (uint32_t)record->at[2] << 16 | (uint32_t)record->at[3] << 24;
        record->at += 4;
        // No state comes twice in a checkpoint: one that is not new is damage that a checksum does
        // not see.
        if (sct_shared_states_wants_growth(states))
            sct_shared_states_grow(states);
        if (sct_shared_states_visit(states, key, bound) != SCT_VISIT_NEW)
            return false;
    }
    return states && !record->is_bad;
}

static bool read_record(struct sct_crew *crew) {
    struct sct_reader record = {crew->bytes.data, crew->bytes.data + crew->bytes.size, false};
    switch (sct_take_number(&record)) {
    case RECORD_SEARCH:
        return read_search(&record, crew);
    case RECORD_SUM:
        return read_sum(&record, crew);
    case RECORD_PIECE:
        return sct_piece_read(&record, &crew->frontier);
    case RECORD_STATES:
        return read_states(&record, crew);
    case RECORD_END:
        return true;
    default:
        return false;
    }
}

static bool damaged(const struct sct_checkpoint *file, struct error *error) {
    return error_set(error, "checkpoint '%.300s': expected a complete one of a search", file->path);
}

bool sct_crew_load(struct sct_crew *crew, struct error *error) {
    bool is_good = true;
    while (is_good && sct_checkpoint_read(crew->jobs->resumed, &crew->bytes))
        is_good = read_record(crew);
    is_good = is_good && sct_frontier_link(&crew->frontier);
    return is_good || damaged(crew->jobs->resumed, error);
}

// The kind of a record that was read, and in *[number] the number after it.
static uint64_t kind_of(const struct sct_bytes *bytes, uint64_t *number) {
    struct sct_reader record = {bytes->data, bytes->data + bytes->size, false};
    uint64_t kind = sct_take_number(&record);
    *number = sct_take_number(&record);
    return kind;
}

bool sct_crew_check(struct sct_checkpoint *checkpoint, uint64_t cache_bytes, struct error *error) {
    struct sct_bytes record = {0};
    // All of it is read once, checksums and all, before anything is believed: a search that has
    // begun with half of it could not be undone.
    long begin = ftell(checkpoint->file);
    uint64_t kind = 0, states = 0;
    while (sct_checkpoint_read(checkpoint, &record))
        kind = kind_of(&record, &states);
    bool is_at_end = feof(checkpoint->file) && kind == RECORD_END;
    sct_bytes_free(&record);
    if (!is_at_end || fseek(checkpoint->file, begin, SEEK_SET) != 0)
        return damaged(checkpoint, error);
    uint64_t capacity = sct_shared_states_capacity(cache_bytes);
    return states <= capacity ||
           error_set(error, "checkpoint '%.200s': %llu states do not fit a cache of %llu bytes",
                     checkpoint->path, (unsigned long long)states, (unsigned long long)cache_bytes);
}
