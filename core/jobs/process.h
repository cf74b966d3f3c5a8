// Processes that work for another one: what core/jobs/jobs.h and core/jobs/crew.h have in common.
#ifndef CORE_JOBS_PROCESS_H
#define CORE_JOBS_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

// In a process just forked from [first_process]: it leaves interrupts to that one, and ends with
// it.
void sct_process_begin(pid_t first_process);

// Writes all of it to a pipe or a socket, as long as somebody reads there; whether it did. The end
// of a socket's reader raises no signal.
bool sct_write_all(int file, const void *data, size_t size);

#endif
