// RC11 by its axioms: all graphs of a little program that are consistent, by trying every source of
// every read and every order of the stores of each location. Independent of core/memory.
//
// After Lahav, Vafeiadis, Kang, Hur, Dreyer, "Repairing Sequential Consistency in C/C++11", PLDI
// 2017, with the release sequences of C20 (a store and the read-modify-writes behind it).
#ifndef TESTS_CORE_MEMORY_AXIOMS_H
#define TESTS_CORE_MEMORY_AXIOMS_H

#include "tests/core/memory/little.h"

// Events are numbered: the first store of each location, then thread by thread.
enum { EVENTS = LITTLE_LOCATIONS + LITTLE_THREADS * LITTLE_LENGTH, NO_EVENT = EVENTS };

typedef uint32_t relation[EVENTS]; // by event: the set of those it is before

static struct axiom_event {
    const struct little_step *step; // NULL: a first store
    uint32_t thread, index, location;
    uint32_t source; // of a read
    bool is_read, is_write, is_fence;
    enum sct_order order;
    uint8_t value; // stored
} axiom_events[EVENTS];
static uint32_t axiom_count;

static uint32_t store_orders[LITTLE_LOCATIONS][EVENTS], store_counts[LITTLE_LOCATIONS];
static struct graphs *axiom_graphs;

// ---- Relations ---------------------------------------------------------------------------------

#define EACH(i) for (uint32_t i = 0; i < axiom_count; i++)

static inline bool has(const relation r, uint32_t a, uint32_t b) {
    return r[a] >> b & 1;
}

static inline void relate(relation r, uint32_t a, uint32_t b) {
    r[a] |= 1U << b;
}

static inline void unite(relation r, const relation other) {
    EACH(i) r[i] |= other[i];
}

// [r] = a ; b, with the identity added to either as wanted.
static inline void compose(relation r, const relation a, bool or_same_a, const relation b,
                           bool or_same_b) {
    EACH(i) {
        uint32_t from = a[i] | (or_same_a ? 1U << i : 0), to = 0;
        EACH(k) if (from >> k & 1) to |= b[k] | (or_same_b ? 1U << k : 0);
        r[i] = to;
    }
}

static inline void close_relation(relation r) {
    EACH(k) EACH(i) if (has(r, i, k)) r[i] |= r[k];
}

static inline bool is_irreflexive(const relation r) {
    EACH(i) if (has(r, i, i)) return false;
    return true;
}

// [r] restricted to pairs from [domain] to [range].
static inline void restrict_to(relation r, uint32_t domain, uint32_t range) {
    EACH(i) r[i] = domain >> i & 1 ? r[i] & range : 0;
}

// ---- The parts of a graph ----------------------------------------------------------------------

static inline bool is_same_location(uint32_t a, uint32_t b) {
    const struct axiom_event *first = &axiom_events[a], *second = &axiom_events[b];
    return !first->is_fence && !second->is_fence && first->location == second->location;
}

static inline void sequenced_before(relation sb) {
    memset(sb, 0, sizeof(relation));
    EACH(a) EACH(b) {
        const struct axiom_event *first = &axiom_events[a], *second = &axiom_events[b];
        if (second->step &&
            (!first->step || (first->thread == second->thread && first->index < second->index)))
            relate(sb, a, b);
    }
}

static inline void reads_from(relation rf) {
    memset(rf, 0, sizeof(relation));
    EACH(i) if (axiom_events[i].is_read) relate(rf, axiom_events[i].source, i);
}

static inline void modification_order(relation mo) {
    memset(mo, 0, sizeof(relation));
    for (int l = 0; l < LITTLE_LOCATIONS; l++)
        for (uint32_t i = 0; i < store_counts[l]; i++)
            for (uint32_t k = i + 1; k < store_counts[l]; k++)
                relate(mo, store_orders[l][i], store_orders[l][k]);
}

// From a read to the stores after the one it has read.
static inline void from_read(relation fr, const relation mo) {
    memset(fr, 0, sizeof(relation));
    EACH(i) if (axiom_events[i].is_read) fr[i] = mo[axiom_events[i].source] & ~(1U << i);
}

static inline bool acquires(uint32_t event) {
    enum sct_order order = axiom_events[event].order;
    return order == SCT_ACQUIRE || order == SCT_CONSUME || order == SCT_ACQ_REL ||
           order == SCT_SEQ_CST;
}

static inline bool releases(uint32_t event) {
    enum sct_order order = axiom_events[event].order;
    return order == SCT_RELEASE || order == SCT_ACQ_REL || order == SCT_SEQ_CST;
}

// What synchronises by a store that [read] reads, or that is before it in its release sequence.
static inline void synchronise(relation sw, const relation sb, uint32_t store, uint32_t read) {
    EACH(from) {
        bool is_source =
            from == store ? axiom_events[from].step && releases(from)
                          : axiom_events[from].is_fence && releases(from) && has(sb, from, store);
        if (!is_source)
            continue;
        EACH(to) {
            bool is_target = to == read
                                 ? acquires(to)
                                 : axiom_events[to].is_fence && acquires(to) && has(sb, read, to);
            if (is_target)
                relate(sw, from, to);
        }
    }
}

static inline void synchronises_with(relation sw, const relation sb) {
    memset(sw, 0, sizeof(relation));
    EACH(read) {
        if (!axiom_events[read].is_read)
            continue;
        uint32_t store = axiom_events[read].source;
        for (;;) {
            synchronise(sw, sb, store, read);
            if (!axiom_events[store].is_read)
                break;
            store = axiom_events[store].source;
        }
    }
}

// ---- Consistency -------------------------------------------------------------------------------

// The pairs of [r] of one location, or all others.
static inline void split_by_location(relation same, relation other, const relation r) {
    EACH(a) {
        same[a] = 0;
        EACH(b) if (has(r, a, b) && is_same_location(a, b)) relate(same, a, b);
        other[a] = r[a] & ~same[a];
    }
}

static inline uint32_t events_of_seq_cst(bool fences) {
    uint32_t events = 0;
    EACH(i) {
        const struct axiom_event *event = &axiom_events[i];
        if (event->step && event->order == SCT_SEQ_CST && (!fences || event->is_fence))
            events |= 1U << i;
    }
    return events;
}

// ([Esc] U [Fsc];hb?) ; scb ; ([Esc] U hb?;[Fsc])
static inline void psc_base(relation psc, const relation scb, const relation hb) {
    relation first, last, part;
    uint32_t all = events_of_seq_cst(false), fences = events_of_seq_cst(true);
    EACH(i) {
        first[i] = (all >> i & 1 ? 1U << i : 0) | (fences >> i & 1 ? hb[i] : 0);
        last[i] = (all & 1U << i) | (hb[i] & fences);
    }
    compose(part, first, false, scb, false);
    compose(psc, part, false, last, false);
}

// [Fsc] ; (hb U hb;eco;hb) ; [Fsc]
static inline void psc_fences(relation psc, const relation hb, const relation eco) {
    relation part, whole;
    compose(part, hb, false, eco, false);
    compose(whole, part, false, hb, false);
    unite(whole, hb);
    restrict_to(whole, events_of_seq_cst(true), events_of_seq_cst(true));
    unite(psc, whole);
}

static inline bool is_seq_cst_consistent(const relation sb, const relation hb, const relation mo,
                                         const relation fr, const relation eco) {
    relation same, other, scb, part, psc;
    split_by_location(same, other, sb);
    compose(part, other, false, hb, false);
    compose(scb, part, false, other, false);
    unite(scb, sb);
    split_by_location(same, other, hb);
    unite(scb, same);
    unite(scb, mo);
    unite(scb, fr);
    psc_base(psc, scb, hb);
    psc_fences(psc, hb, eco);
    close_relation(psc);
    return is_irreflexive(psc);
}

static inline bool is_consistent(void) {
    relation sb, rf, mo, fr, sw, hb, eco, order;
    sequenced_before(sb);
    reads_from(rf);
    memcpy(order, sb, sizeof order);
    unite(order, rf);
    close_relation(order);
    if (!is_irreflexive(order))
        return false; // load buffering
    modification_order(mo);
    from_read(fr, mo);
    synchronises_with(sw, sb);
    memcpy(hb, sb, sizeof hb);
    unite(hb, sw);
    close_relation(hb);
    memcpy(eco, rf, sizeof eco);
    unite(eco, mo);
    unite(eco, fr);
    close_relation(eco);
    EACH(a) EACH(b) if (has(eco, a, b) && has(hb, b, a)) return false;
    return is_irreflexive(hb) && is_seq_cst_consistent(sb, hb, mo, fr, eco);
}

// ---- All graphs --------------------------------------------------------------------------------

static inline void note_graph(void) {
    struct graph graph;
    memset(&graph, 0, sizeof graph);
    EACH(i)
    if (axiom_events[i].is_read)
        graph.reads[axiom_events[i].thread][axiom_events[i].index] =
            axiom_events[axiom_events[i].source].value;
    for (int l = 0; l < LITTLE_LOCATIONS; l++)
        for (uint32_t i = 0; i < store_counts[l]; i++)
            graph.stores[l][i] = axiom_events[store_orders[l][i]].value;
    graphs_add(axiom_graphs, &graph);
}

static inline void order_stores(uint32_t location, uint32_t left);

// Read-modify-writes come directly behind what they have read.
static inline bool may_come_next(uint32_t location, uint32_t event) {
    const struct axiom_event *store = &axiom_events[event];
    uint32_t last = store_orders[location][store_counts[location] - 1];
    EACH(i)
    if (i != event && axiom_events[i].is_read && axiom_events[i].is_write &&
        axiom_events[i].source == last)
        return false;
    return !store->is_read || store->source == last;
}

static inline void order_next(uint32_t location, uint32_t left) {
    if (left == 0) {
        order_stores(location + 1, 0);
        return;
    }
    EACH(i) {
        if (!(left >> i & 1) || !may_come_next(location, i))
            continue;
        store_orders[location][store_counts[location]++] = i;
        order_next(location, left & ~(1U << i));
        store_counts[location]--;
    }
}

static inline void order_stores(uint32_t location, uint32_t left) {
    if (location == LITTLE_LOCATIONS) {
        if (is_consistent())
            note_graph();
        return;
    }
    EACH(i)
    if (axiom_events[i].is_write && axiom_events[i].location == location && axiom_events[i].step)
        left |= 1U << i;
    store_orders[location][0] = location; // the first store
    store_counts[location] = 1;
    order_next(location, left);
}

// What a CAS is depends on what it reads.
static inline void settle(struct axiom_event *event) {
    if (event->step->op != CAS)
        return;
    event->is_write = axiom_events[event->source].value == event->step->expected;
    event->order = event->is_write ? event->step->order : event->step->failure;
}

static inline bool has_sound_sources(void) {
    EACH(i) {
        const struct axiom_event *event = &axiom_events[i];
        if (event->is_read && !axiom_events[event->source].is_write)
            return false;
        EACH(k)
        if (k < i && event->is_read && event->is_write && axiom_events[k].is_read &&
            axiom_events[k].is_write && axiom_events[k].source == event->source)
            return false;
    }
    return true;
}

static inline void choose_sources(uint32_t event) {
    while (event < axiom_count && !axiom_events[event].is_read)
        event++;
    if (event == axiom_count) {
        if (has_sound_sources())
            order_stores(0, 0);
        return;
    }
    EACH(i) {
        const struct axiom_event *source = &axiom_events[i];
        bool may_store = !source->step || source->step->op == STORE ||
                         source->step->op == EXCHANGE || source->step->op == CAS;
        if (i == event || !may_store || source->location != axiom_events[event].location)
            continue;
        axiom_events[event].source = i;
        settle(&axiom_events[event]);
        choose_sources(event + 1);
    }
}

static inline void add_axiom_event(const struct little_step *step, uint32_t thread,
                                   uint32_t index) {
    axiom_events[axiom_count++] = (struct axiom_event){
        .step = step,
        .thread = thread,
        .index = index,
        .location = step->location,
        .source = NO_EVENT,
        .is_read = step->op == LOAD || step->op == EXCHANGE || step->op == CAS,
        .is_write = step->op == STORE || step->op == EXCHANGE || step->op == CAS,
        .is_fence = step->op == FENCE,
        .order = step->order,
        .value = (uint8_t)step->value,
    };
}

// All graphs that RC11 allows.
static inline void axiom_search(const struct little *little, struct graphs *graphs) {
    graphs_empty(graphs);
    axiom_graphs = graphs;
    axiom_count = 0;
    for (uint32_t l = 0; l < LITTLE_LOCATIONS; l++)
        axiom_events[axiom_count++] = (struct axiom_event){.location = l, .is_write = true};
    for (uint32_t t = 0; t < LITTLE_THREADS; t++)
        for (uint32_t i = 0; i < LITTLE_LENGTH && little->steps[t][i].op != END; i++)
            add_axiom_event(&little->steps[t][i], t, i);
    choose_sources(0);
}

#endif
