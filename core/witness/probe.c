#define _GNU_SOURCE // munmap
#include "core/witness/probe.h"
#include "core/base/assert.h"
#include "core/base/rng.h"
#include "core/base/text.h"
#include "core/jobs/process.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint64_t seed = 0x70726f6265; // any will do, but always the same

// Random walks from the root: each decision has all its alternatives, and depends on all before it.
// Builds that decide differently anywhere on the way differ in the sum, but for a chance of 2^-64.
static uint64_t run_walks(struct sct_engine *engine, const struct sct_program *program) {
    struct error error;
    struct sct_strategy *strategy = sct_strategy_new("random", &error);
    ASSERT(strategy);
    uint64_t sum = 0;
    bool hangs = false; // each takes seconds
    for (uint64_t i = 0; i < SCT_PROBE_RUNS && !hangs; i++) {
        const struct sct_result *result =
            sct_engine_run(engine, program, strategy, sct_execution_seed(seed, i));
        sum += rng_mix(rng_mix(i) ^ result->fingerprint ^ (uint64_t)result->outcome);
        hangs =
            result->outcome == SCT_VIOLATED && strcmp(result->violation.kind, SCT_KIND_HANG) == 0;
    }
    sct_strategy_free(strategy);
    return sum;
}

uint64_t sct_probe(const struct sct_program *program, const struct sct_engine_options *options) {
    // In a process of its own: the program's first executions may change what later ones find.
    ASSERT(program && options);
    // Zero until the sum is there, which says that it came to its end.
    ASSERT(!sct_engine_inside());
    uint64_t *shared = sct_map_shared(sizeof *shared);
    pid_t first_process = getpid(), process = fork();
    if (process == 0) {
        sct_process_begin(first_process);
        *shared = run_walks(sct_engine_open(options), program);
        _exit(0);
    }
    int status;
    while (process > 0 && waitpid(process, &status, 0) < 0 && errno == EINTR)
        ;
    uint64_t found = *shared;
    munmap(shared, sizeof *shared);
    return found;
}
