// Files that a command writes where the user says: in folders, too, where others may have prepared
// something.
//
// Links are followed, but not those that somebody else has put into a folder in which everybody may
// write (as the kernel's protected_symlinks has it).
#ifndef CORE_BASE_FILE_H
#define CORE_BASE_FILE_H

#include "core/base/text.h"

// Opens [path] with open(2)'s [flags] (close-on-exec is added), a new file with mode 0666 less the
// umask. A descriptor; -1 with the reason, without the path.
int file_open(const char *path, int flags, struct error *error);

// Writes [size] bytes to [path]: all or nothing if that is a regular file or none yet, and on disk
// on return. What is replaced keeps its mode. False with the reason, without the path.
bool file_write(const char *path, const void *bytes, size_t size, struct error *error);

// Makes the new name [path] in its folder survive a crash of the machine, where that is possible.
void file_sync_name(const char *path);

#endif
