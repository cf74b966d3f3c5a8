// What of its process a program may change besides memory and descriptors: the working folder, the
// mask of new files' modes, the locale. Written down when the program first changes it.
#ifndef CORE_POSIX_SURROUNDINGS_H
#define CORE_POSIX_SURROUNDINGS_H

// They are as they were before the first execution: for the next one, and for the tester, whose
// files and numbers are its user's. To be called outside of control.
void posix_surroundings_restore(void);

#endif
