// Work of the tester's that is done once in a process, such as to look up a name, and not on the
// program's stacks: what it would leave there, below the frames of the program, is what calls to
// come find in variables that they do not set, and would be there in the first execution alone.
#ifndef CORE_POSIX_ASIDE_H
#define CORE_POSIX_ASIDE_H

// To be called when an execution begins: the one before may have been left in such work.
void posix_aside_begin(void);

// Calls [work]([argument]), on a stack of its own where an execution is running.
void posix_aside(void (*work)(void *argument), void *argument);

#endif
