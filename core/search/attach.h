// The parts of a search, and how they are attached to the engine's seam. Internal to core/search.
#ifndef CORE_SEARCH_ATTACH_H
#define CORE_SEARCH_ATTACH_H

#include "core/engine/seam.h"
#include "core/search/dpor.h"
#include "core/search/search.h"
#include "core/search/snapshot.h"

struct sct_search {
    struct sct_search_options options;
    struct sct_path *path; // of the strategy
    struct sct_explorer explorer;
    bool has_explorer;
    struct sct_sleep sleep;
    bool has_sleep;        // it is reduced
    struct sct_dpor *dpor; // NULL: by sleep sets alone, or not at all
    struct sct_snapshots snapshots;
    bool has_snapshots;
};

// The next execution of [engine] is one of [search].
void sct_search_attach(struct sct_search *search, struct sct_engine *engine);

#endif
