// Thread-specific values: pthread_key_t and tss_t.
#ifndef CORE_POSIX_KEYS_H
#define CORE_POSIX_KEYS_H

#include "core/posix/thread.h"

// Writes down the keys and values of constructors; an execution begins with them.
void posix_keys_save(void);
void posix_keys_begin(struct posix_thread *main_thread);

// Runs the destructors of the values of [thread], the running one.
void posix_keys_destroy_values(struct posix_thread *thread);

// Tells of the values of [thread], which lives, in pieces.
void posix_keys_visit(const struct posix_thread *thread,
                      void (*tell)(void *context, const void *memory, size_t bytes), void *context);

#endif
