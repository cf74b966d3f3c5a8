// Processes that work for another one, and what goes between them: what core/jobs/jobs.h and
// core/jobs/crew.h have in common.
#ifndef CORE_JOBS_PROCESS_H
#define CORE_JOBS_PROCESS_H

#include "core/base/bytes.h"
#include "core/base/text.h"

#include <signal.h>
#include <sys/types.h>

// As long as somebody waits at most before looking whether it was interrupted.
enum { SCT_TICK_MS = 100 };

// Zero is none.
struct sct_worker {
    pid_t process;
    int channel; // to it
};

// What a forked worker does.
struct sct_work {
    // Must not return. [channel] leads to the first process.
    void (*run)(void *context, unsigned index, int channel);
    void *context;
    bool is_told; // messages go both ways; else only from the worker, and more of them can wait
};

// Forks workers[index]; those before it have been started. The worker leaves interrupts to this
// process, and ends with it.
bool sct_worker_start(struct sct_worker *workers, unsigned index, const struct sct_work *work,
                      struct error *error);

// Waits for the end of workers[index], which sends no more, and says how it ended; [when] completes
// the sentence. False.
bool sct_worker_died(struct sct_worker *workers, unsigned index, const char *when,
                     struct error *error);

// Lets those go on that somebody has stopped (SIGSTOP, SIGTSTP).
void sct_workers_continue(const struct sct_worker *workers, unsigned count);

// Ends all of them.
void sct_workers_dismiss(struct sct_worker *workers, unsigned count);

// Memory that this process shares with those it forks from now on; all zero. FAIL_RESOURCE.
void *sct_map_shared(size_t bytes);

enum sct_reading { SCT_READ_ALL, SCT_READ_INTERRUPTED, SCT_READ_END };

// Reads one message into [bytes], which are emptied before. Ends early when *[interrupted] is set
// (NULL: never) or nobody can write any more.
enum sct_reading sct_read_message(int channel, struct sct_bytes *bytes,
                                  const volatile sig_atomic_t *interrupted);

// Reads one message of workers[index], as above but whole: an interrupt lets all [count] of them go
// on, of whom this one may have been stopped in the middle of it. False: it has ended.
bool sct_worker_read(const struct sct_worker *workers, unsigned count, unsigned index,
                     struct sct_bytes *bytes, const volatile sig_atomic_t *interrupted);

// Writes all of [bytes] as one message, as long as somebody reads there; whether it did. The end of
// a socket's reader raises no signal.
bool sct_write_message(int channel, const struct sct_bytes *bytes);

// Runs run([context]) in a process of its own, forked from this one, and waits for its end: its
// wait status, exit status 0 if [run] returns; -1, with errno, if there is none to be had.
int sct_process_run(void (*run)(void *context), void *context);

// The same, but it is killed once *[interrupted] is set (NULL: never).
int sct_process_run_until(void (*run)(void *context), void *context,
                          const volatile sig_atomic_t *interrupted);

// In a process just forked from [first_process]: it leaves interrupts to that one, and ends with
// it; the second does the latter alone.
void sct_process_begin(pid_t first_process);
void sct_process_end_with(pid_t first_process);

#endif
