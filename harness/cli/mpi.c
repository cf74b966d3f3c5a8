// Compiled with the CMake option MTCHECK_MPI only.
#include "harness/cli/mpi.h"
#include "core/base/clock.h"
#include "core/base/grow.h"

#include <limits.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

enum { TAG_WANTED, TAG_RANGE };
enum { WANT_NO_MORE, WANT_RANGE };

static int rank, ranks = 1;
static pid_t rank_process;
static int real_stderr;     // of a worker, which has something to say if it fails
static uint64_t next_range; // rank 0: to be asked for

// ---- All ranks ---------------------------------------------------------------------------------

// Processes that a rank has forked, as the witness does, are none of MPI's.
static void leave(void) {
    if (getpid() == rank_process)
        MPI_Finalize();
}

// Outside mpirun MPI would start a service of its own, which takes longer than many campaigns.
static bool is_under_mpirun(void) {
    static const char *const variables[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (getenv(variables[i]))
            return true;
    return false;
}

void mpi_begin(int *argc, char ***argv) {
    if (!is_under_mpirun())
        return;
    MPI_Init(argc, argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    rank_process = getpid();
    atexit(leave);
    // What there is to say, one rank says; all find the same errors in the command line.
    real_stderr = dup(STDERR_FILENO);
    if (rank > 0 && (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
        MPI_Abort(MPI_COMM_WORLD, 3);
}

bool mpi_is_worker(void) {
    return rank > 0;
}

void mpi_agree(bool is_ready) {
    bool is_first_ready = mpi_share(is_ready);
    if (rank > 0 && !is_first_ready)
        exit(0);
    if (rank > 0 && !is_ready)
        MPI_Abort(MPI_COMM_WORLD, 2);
}

uint64_t mpi_share(uint64_t number) {
    if (ranks > 1)
        MPI_Bcast(&number, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD);
    return number;
}

// Ranges go round the workers, so that each knows which are its own without being told.
static int worker_of(uint64_t range) {
    return 1 + (int)(range % (uint64_t)(ranks - 1));
}

// ---- Rank 0 ------------------------------------------------------------------------------------

static void want(int worker, int what) {
    MPI_Send(&what, 1, MPI_INT, worker, TAG_WANTED, MPI_COMM_WORLD);
}

static void begin(void *context, uint64_t first) {
    (void)context;
    next_range = mpi_share(first);
}

// Asked for in the order of the ranges, so that the sum is that of one process; each worker is one
// range ahead at most.
static void receive(void *context, struct sct_bytes *bytes) {
    (void)context;
    int worker = worker_of(next_range++), size;
    MPI_Status status;
    want(worker, WANT_RANGE);
    MPI_Probe(worker, TAG_RANGE, MPI_COMM_WORLD, &status);
    MPI_Get_count(&status, MPI_BYTE, &size);
    unsigned char *data = grow_to(NULL, (size_t)size, 1, "a range");
    MPI_Recv(data, size, MPI_BYTE, worker, TAG_RANGE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    bytes->size = 0;
    sct_bytes_add(bytes, data, (size_t)size);
    free(data);
}

static void end(void *context) {
    (void)context;
    for (int worker = 1; worker < ranks; worker++)
        want(worker, WANT_NO_MORE);
}

const struct sct_range_source *mpi_source(void) {
    static const struct sct_range_source source = {begin, receive, end, NULL};
    return ranks > 1 ? &source : NULL;
}

// ---- Workers -----------------------------------------------------------------------------------

static bool is_wanted(void) {
    int what;
    MPI_Recv(&what, 1, MPI_INT, 0, TAG_WANTED, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return what == WANT_RANGE;
}

_Noreturn void mpi_work(struct sct_engine *engine, const struct sct_range_options *options) {
    const struct sct_campaign_options *campaign = options->campaign;
    signal(SIGINT, SIG_IGN); // rank 0 ends the campaign
    signal(SIGTERM, SIG_IGN);
    dup2(real_stderr, STDERR_FILENO);
    double started_at = clock_seconds();
    uint64_t range = mpi_share(0);
    while (worker_of(range) != rank)
        range++;
    struct sct_bytes bytes = {0};
    uint64_t iterations;
    for (bool goes_on = true; goes_on && (iterations = sct_range_iterations(options, range)) > 0;
         range += (uint64_t)(ranks - 1)) {
        double left = campaign->seconds_max - (clock_seconds() - started_at);
        const struct sct_range part = {
            .first = sct_range_first(options, range),
            .iterations = iterations,
            // 0 would be no limit: for a time that has passed it is the least that there is.
            .seconds_max = campaign->seconds_max == 0 ? 0
                           : left > 0                 ? left
                                                      : 1e-9,
        };
        goes_on = sct_range_run(engine, options, &part, &bytes);
        ASSERT(bytes.size <= INT_MAX);
        if (!is_wanted())
            exit(0);
        MPI_Send(bytes.data, (int)bytes.size, MPI_BYTE, 0, TAG_RANGE, MPI_COMM_WORLD);
    }
    if (is_wanted())
        MPI_Abort(MPI_COMM_WORLD, 3); // rank 0 adds no range behind the last
    exit(0);
}
