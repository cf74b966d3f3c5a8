// Probes: whether two builds decide the same.
//
// A campaign's parts may come from several builds: of another compiler, on another machine. They
// belong together only if the system under test makes the same decisions in all of them, which a
// version does not tell.
#ifndef CORE_WITNESS_PROBE_H
#define CORE_WITNESS_PROBE_H

#include "core/engine/execution.h"

enum { SCT_PROBE_RUNS = 64 };

// The fingerprint of SCT_PROBE_RUNS random walks of [program] with seeds that are always the same,
// run in a process of its own. An engine must not be open. 0 if that process does not come to its
// end.
uint64_t sct_probe(const struct sct_program *program, const struct sct_engine_options *options);

#endif
