// Descriptors of the tester, out of the way of the program that it tests in the same process: all
// of them lie in one range, above those that a program usually has, which the program's executions
// leave alone.
#ifndef CORE_BASE_DESCRIPTOR_H
#define CORE_BASE_DESCRIPTOR_H

#include <stdbool.h>

// The range begins at [number] or higher. To be called before the first of them is kept, if the
// process has other descriptors up there.
void sct_descriptors_above(int number);

// A second descriptor for what [number] is, in that range and closed on exec; or -1, errno.
int sct_descriptor_copy(int number);

// The same instead of [number], which is closed; or -1, errno, and [number] is closed too.
int sct_descriptor_keep(int number);

// Whether a descriptor is in the range as far as it is used.
bool sct_descriptor_is_kept(int number);

// The range as far as it is used: from [*first] to before [*after].
void sct_descriptors_kept(int *first, int *after);

#endif
