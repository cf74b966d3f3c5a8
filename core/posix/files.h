// Descriptors and standard streams of the program.
//
// The program has its descriptors 0, 1, 2 and what it inherited; the tester prints through others,
// out of its reach. What the program opens is closed when the next execution begins, what it closed
// is open again, and inherited files are read from where they stood. Standard input is a regular
// file, or nothing: a pipe or terminal could be read only once.
#ifndef CORE_POSIX_FILES_H
#define CORE_POSIX_FILES_H

#include "core/base/text.h"

#include <stdbool.h>
#include <stdio.h>

// To be called once, before the first execution: moves the tester's output out of the way and, if
// [shows_output] is false, the program's to where nobody sees it.
void posix_files_open(bool shows_output);

// To be called when an execution begins: everything is as it was at first.
void posix_files_begin(void);

// Adds "descriptor 5 (it is open)" for the first one that is not as it was; false if all are. To be
// called when an execution has begun.
bool posix_files_find_lost(struct text *text);

// At the proper end of an execution: what the program has written to its streams is shown, or put
// into its files, if [flushes]; else what is left in their buffers is lost.
void posix_files_end(bool flushes);

// The program closes or replaces the descriptor, or changes flags of it; or it opens one under a
// number that it chooses.
void posix_file_disturbed(int number);

// The program has opened [stream], which may be NULL; it closes it.
void posix_stream_opened(FILE *stream);
void posix_stream_closed(FILE *stream);

#endif
