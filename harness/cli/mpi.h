// Campaigns over MPI: `mpirun -n N mtcheck ...`, with the results of one process.
//
// Ranks 1 to N-1 run ranges in turn (see core/jobs/jobs.h) and send each when rank 0 asks for it;
// rank 0 adds and reports, and alone touches files and standard streams. A rank that is the only
// one, or a command that is no campaign, uses none of this. Without the CMake option MTCHECK_MPI,
// and outside mpirun, every process is such a rank.
#ifndef HARNESS_CLI_MPI_H
#define HARNESS_CLI_MPI_H

#include "core/jobs/jobs.h"

#ifdef MTCHECK_MPI

// Joins the other ranks, if there are any; leaves them at exit. Before any other function here.
void mpi_begin(int *argc, char ***argv);

// Whether this rank runs ranges for rank 0.
bool mpi_is_worker(void);

// A source of the campaign's ranges for rank 0; NULL if there are no workers.
const struct sct_range_source *mpi_source(void);

// All ranks have come here. A rank ends if rank 0 is not ready; if it is the only one that is not,
// all of them end.
void mpi_agree(bool is_ready);

// Rank 0's number, told to all of them.
uint64_t mpi_share(uint64_t number);

// Runs ranges until rank 0 wants no more, then ends the process.
_Noreturn void mpi_work(struct sct_engine *engine, const struct sct_range_options *options);

#else

static inline void mpi_begin(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
}

static inline bool mpi_is_worker(void) {
    return false;
}

static inline const struct sct_range_source *mpi_source(void) {
    return NULL;
}

static inline void mpi_agree(bool is_ready) {
    (void)is_ready;
}

static inline uint64_t mpi_share(uint64_t number) {
    return number;
}

static inline void mpi_work(struct sct_engine *engine, const struct sct_range_options *options) {
    (void)engine;
    (void)options;
}

#endif
#endif
