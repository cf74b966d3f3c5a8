// Whole systematic searches, and what their executions ended with (ends.h).
#ifndef TESTS_SUPPORT_SEARCHES_H
#define TESTS_SUPPORT_SEARCHES_H

#include "tests/support/ends.h"

#include "core/campaign/campaign.h"

struct whole_search {
    struct sct_engine *engine;
    struct sct_search_options options; // its strategy and program are the campaign's too
    uint64_t iterations;
    uint64_t repeat_every; // of so many executions one is run again, and must be the same
    void (*note_end)(void *context, uint64_t iteration, const struct sct_result *result);
};

// Runs [search] to its end, violations or not. Of the campaign the numbers are left; [explorer], if
// given, is what was known of states, likewise.
static inline struct sct_campaign search_whole(const struct whole_search *search,
                                               struct sct_explorer *explorer) {
    struct sct_campaign campaign;
    struct sct_search *way = sct_search_open(&search->options);
    ends.count = 0;
    sct_campaign_run(search->engine,
                     &(struct sct_campaign_options){.program = search->options.program,
                                                    .strategy = search->options.strategy,
                                                    .iterations = search->iterations,
                                                    .keep_going = true,
                                                    .search = way,
                                                    .repeat_every = search->repeat_every,
                                                    .after_counted = search->note_end},
                     &campaign);
    if (campaign.unrepeatable.is_found)
        fail_msg("%s", campaign.unrepeatable.difference.text);
    sct_campaign_free(&campaign);
    ends_sort();
    if (explorer && sct_search_explorer(way))
        *explorer = *sct_search_explorer(way);
    sct_search_close(way);
    return campaign;
}

#endif
