// What executions of a program change outside of the arena and the stacks, for searches that go
// back by copying (core/search/snapshot.h).
//
// Only of programs that do nothing but threads, what these synchronise by, atomics and memory:
// which that are is known by the names that they import. Others may change what is not told here
// (files, streams, the C library's own variables), and so do thread-local variables. What is copied
// is small beside what it saves; where it is not, in an execution, nothing is copied.
#ifndef CORE_POSIX_MOMENT_H
#define CORE_POSIX_MOMENT_H

#include <stdbool.h>
#include <stddef.h>

struct sct_outside;
struct sct_memory;

typedef void posix_tell(void *to, void *memory, size_t bytes);

// Of the program that runs, whose memory is [memory]; NULL: it cannot be copied. To be called when
// the world is written down.
const struct sct_outside *posix_outside(struct sct_memory *memory);

// The parts of each file.
void posix_world_tell(posix_tell *tell, void *to);
void posix_threads_tell(posix_tell *tell, void *to);
void posix_twins_tell(posix_tell *tell, void *to);
void posix_frames_tell(posix_tell *tell, void *to);
void posix_objects_tell(posix_tell *tell, void *to);
void posix_awaits_tell(posix_tell *tell, void *to);
void posix_exit_tell(posix_tell *tell, void *to);
// False: more than is to be copied.
bool posix_heap_tell(posix_tell *tell, void *to);
bool posix_images_tell(posix_tell *tell, void *to);

// The heap is as it was told; what has been used behind that is as new.
void posix_heap_returned(void);

// Whether the program and its libraries import nothing but names that [is_known].
bool posix_images_import_only(bool (*is_known)(const char *name));

#endif
