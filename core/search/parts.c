#include "core/search/parts.h"
#include "core/base/assert.h"

// What is to be done first with a part that was read.
enum beginning {
    BEGIN_HERE, // its path stands at a leaf
    BEGIN_NEXT, // the last decision takes its next alternative
    BEGIN_ALL,  // the same of a guard, where all are to be tried
    BEGINNINGS,
};

// ---- Where ------------------------------------------------------------------------------------

// The first decision with an alternative left from [from] on, or [to].
static uint32_t find_open(const struct sct_sleep *sleep, uint32_t from, uint32_t to) {
    ASSERT(to <= sleep->path->depth);
    while (from < to && !sct_path_is_open(sleep->path, from))
        from++;
    return from;
}

static bool is_node(const struct sct_sleep *sleep, uint32_t index) {
    ASSERT(index < sleep->path->depth);
    return sleep->path->frames[index].kind == SCT_FRAME_SCHEDULE;
}

// Whether the step of [node], if [index] is within it, has drawn to the last what it draws there
// and behind it.
static bool is_drawn(const struct sct_sleep *sleep, uint32_t node, uint32_t index) {
    if (node == SCT_NO_FRAME || sleep->nodes[node].end <= index)
        return true; // of a step without a node: it sleeps nowhere
    uint32_t end = sleep->nodes[node].end;
    // The last frame is one that has just taken another alternative, which was not yet run.
    return end < sleep->path->depth && find_open(sleep, index + 1, end) == end;
}

// Who is awake beside the task that [node] takes alone.
static uint64_t others_of(const struct sct_sleep *sleep, const struct sct_sleep_node *node) {
    ASSERT(node->enabled >> node->slot & 1); // who is taken could be
    uint64_t others = node->enabled & ~(UINT64_C(1) << node->slot);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct sct_sleeper *sleeper = &sleep->sleepers[node->first + i];
        if (!sleeper->is_half_awake)
            others &= ~(UINT64_C(1) << sleeper->slot);
    }
    return others;
}

// Whether all may yet have to be tried at the decision [index], where one is alone.
static bool may_widen(const struct sct_sleep *sleep, uint32_t index) {
    const struct sct_sleep_node *node = &sleep->nodes[index];
    return is_node(sleep, index) && sct_sleep_is_alone(node) && others_of(sleep, node) != 0;
}

// The decision at which the path is parted, or its depth. The first one, which has the most below
// it.
static uint32_t find_place(const struct sct_sleep *sleep) {
    uint32_t depth = sleep->path->depth, node = SCT_NO_FRAME;
    uint32_t open = find_open(sleep, 0, depth);
    ASSERT(open <= depth);
    for (uint32_t i = 0; i < depth; i++) {
        node = is_node(sleep, i) ? i : node;
        bool is_place = sct_path_is_open(sleep->path, i) && is_drawn(sleep, node, i);
        if (is_place)
            return find_open(sleep, i + 1, depth) < depth ? i : depth;
        if (may_widen(sleep, i) && (open < i || !is_drawn(sleep, i, i)))
            return depth;
    }
    return depth;
}

bool sct_sleep_can_part(const struct sct_sleep *sleep) {
    return find_place(sleep) < sleep->path->depth;
}

// ---- As bytes ----------------------------------------------------------------------------------

static void write_print(const struct sct_footprint *print, struct sct_bytes *bytes) {
    ASSERT(print->count <= SCT_TOUCHES_MAX); // what read_print asks
    sct_bytes_add_number(bytes, (uint64_t)print->count << 2 | (uint64_t)print->has_stopped << 1 |
                                    print->is_unknown);
    for (uint32_t i = 0; i < print->count; i++) {
        const struct sct_access *access = &print->accesses[i];
        sct_bytes_add_number(bytes, (uint64_t)access->mode << 32 | access->object);
        sct_bytes_add_number(bytes, access->low);
        sct_bytes_add_number(bytes, access->high);
    }
}

static bool read_print(struct sct_reader *reader, struct sct_footprint *print) {
    uint64_t flags = sct_take_number(reader);
    *print = (struct sct_footprint){
        .count = (uint32_t)(flags >> 2), .is_unknown = flags & 1, .has_stopped = flags >> 1 & 1};
    if (flags >> 2 > SCT_TOUCHES_MAX)
        return false;
    for (uint32_t i = 0; i < print->count; i++) {
        struct sct_access *access = &print->accesses[i];
        uint64_t mode = sct_take_number(reader);
        access->mode = (enum sct_access_mode)(mode >> 32);
        access->object = (uint32_t)mode;
        access->low = sct_take_number(reader);
        access->high = sct_take_number(reader);
        if (mode >> 32 > SCT_ACCESS_ARRIVE_LATE)
            return false;
        print->objects |= sct_footprint_object(access);
    }
    return !reader->is_bad;
}

static void write_node(const struct sct_sleep *sleep, const struct sct_sleep_node *node,
                       struct sct_bytes *bytes) {
    // What read_node asks.
    ASSERT(node->slot < SCT_REDUCED_TASKS_MAX && node->count <= SCT_REDUCED_TASKS_MAX);
    bool has_cut = node->cuts != sleep->path->cuts; // in this process
    sct_bytes_add_number(bytes, node->enabled);
    sct_bytes_add_number(bytes, node->todo);
    sct_bytes_add_number(bytes, node->tried);
    sct_bytes_add_number(bytes, node->twins);
    sct_bytes_add_number(bytes, (uint64_t)node->current << 32 | node->slot << 16 |
                                    (unsigned)node->gives_way << 2 | (unsigned)node->is_given << 1 |
                                    has_cut);
    sct_bytes_add_number(bytes, (uint64_t)node->free_steps << 32 | node->count);
    sct_bytes_add_number(bytes, node->time);
    write_print(&node->slot_print, bytes);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct sct_sleeper *sleeper = &sleep->sleepers[node->first + i];
        sct_bytes_add_number(bytes, (uint64_t)sleeper->slot << 1 | sleeper->is_half_awake);
        sct_bytes_add_number(bytes, sleeper->since);
        write_print(&sleeper->print, bytes);
    }
}

static bool read_sleeper(struct sct_reader *reader, struct sct_sleeper *sleeper) {
    uint64_t slot = sct_take_number(reader);
    sleeper->slot = (unsigned)(slot >> 1);
    sleeper->is_half_awake = slot & 1;
    sleeper->since = sct_take_number(reader);
    return read_print(reader, &sleeper->print) && slot >> 1 < SCT_REDUCED_TASKS_MAX;
}

static bool read_node(struct sct_reader *reader, struct sct_sleep *sleep,
                      struct sct_sleep_node *node, uint32_t first) {
    *node = (struct sct_sleep_node){.first = first, .end = UINT32_MAX};
    node->enabled = sct_take_number(reader);
    node->todo = sct_take_number(reader);
    node->tried = sct_take_number(reader);
    node->twins = sct_take_number(reader);
    uint64_t flags = sct_take_number(reader), counts = sct_take_number(reader);
    node->current = (unsigned)(flags >> 32);
    node->slot = (unsigned)(flags >> 16 & UINT16_MAX);
    node->gives_way = flags >> 2 & 1;
    node->is_given = flags >> 1 & 1;
    node->cuts = sleep->path->cuts - (flags & 1);
    node->free_steps = (uint32_t)(counts >> 32);
    node->count = (uint32_t)counts;
    node->time = sct_take_number(reader);
    bool is_good = read_print(reader, &node->slot_print) && node->slot < SCT_REDUCED_TASKS_MAX &&
                   !(node->twins & ~node->enabled) && node->count <= SCT_REDUCED_TASKS_MAX;
    if (!is_good)
        return false;
    struct sct_sleeper *sleepers = sct_sleep_sleepers(sleep, node, 0);
    for (uint32_t i = 0; is_good && i < node->count; i++)
        is_good = read_sleeper(reader, &sleepers[i]);
    return is_good;
}

// Of the first [depth] decisions.
static void write_nodes(const struct sct_sleep *sleep, uint32_t depth, enum beginning beginning,
                        struct sct_bytes *bytes) {
    ASSERT(depth <= sleep->path->depth);
    sct_bytes_add_number(bytes, (uint64_t)beginning);
    for (uint32_t i = 0; i < depth; i++)
        if (is_node(sleep, i))
            write_node(sleep, &sleep->nodes[i], bytes);
}

void sct_sleep_write(const struct sct_sleep *sleep, struct sct_bytes *bytes) {
    write_nodes(sleep, sleep->path->depth, BEGIN_HERE, bytes);
}

static bool begin(struct sct_sleep *sleep, enum beginning beginning) {
    struct sct_path *path = sleep->path;
    ASSERT(beginning < BEGINNINGS);
    if (beginning == BEGIN_HERE)
        return true;
    if (path->depth == 0)
        return false;
    struct sct_sleep_node *last = &sleep->nodes[path->depth - 1];
    if (beginning == BEGIN_ALL)
        last->todo = last->enabled;
    return sct_path_turn(path);
}

bool sct_sleep_read(struct sct_sleep *sleep, struct sct_reader *reader) {
    uint64_t beginning = sct_take_number(reader);
    uint32_t first = 0;
    bool is_good = beginning < BEGINNINGS;
    sleep->has_late_stop = false;
    for (uint32_t i = 0; is_good && i < sleep->path->depth; i++) {
        if (!is_node(sleep, i))
            continue;
        struct sct_sleep_node *node = sct_sleep_node(sleep, i);
        is_good = read_node(reader, sleep, node, first);
        first += node->count;
    }
    return is_good && reader->at == reader->end && begin(sleep, (enum beginning)beginning);
}

// ---- Parting -----------------------------------------------------------------------------------

static void give_part(const struct sct_sleep *sleep, uint32_t depth, enum beginning beginning,
                      sct_take_part *take, void *context) {
    struct sct_bytes known = {0};
    struct sct_path part = *sleep->path; // its frames are shared with it
    ASSERT(depth > 0 && depth <= part.depth);
    part.depth = depth;
    write_nodes(sleep, depth, beginning, &known);
    take(context, &part, &known, beginning == BEGIN_ALL);
    sct_bytes_free(&known);
}

// Nodes above the place where one is alone are nobody's but the guard's from now on.
static void give_guards(struct sct_sleep *sleep, uint32_t place, sct_take_part *take,
                        void *context) {
    ASSERT(place < sleep->path->depth);
    for (uint32_t i = 0; i < place; i++) {
        struct sct_sleep_node *node = &sleep->nodes[i];
        if (!may_widen(sleep, i) || node->is_given)
            continue;
        give_part(sleep, i + 1, BEGIN_ALL, take, context);
        node->is_given = true;
    }
}

void sct_sleep_part(struct sct_sleep *sleep, sct_take_part *take, void *context) {
    struct sct_path *path = sleep->path;
    uint32_t place = find_place(sleep);
    ASSERT(place < path->depth);
    give_guards(sleep, place, take, context);
    give_part(sleep, place + 1, BEGIN_NEXT, take, context);
    for (uint32_t i = 0; i <= place; i++)
        if (is_node(sleep, i))
            sleep->nodes[i].is_given = true;
        else
            path->frames[i].limit = (uint16_t)(path->frames[i].answer + 1);
    ASSERT(find_open(sleep, 0, path->depth) > place);
}
