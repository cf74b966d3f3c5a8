// What the program's files say of an address, by libdw. Slow; places.h remembers the answers.
#ifndef CORE_POSIX_SYMBOLS_H
#define CORE_POSIX_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

struct posix_source {
    const char *path;
    const char *file; // without folders
    int line;
    const char *function; // of the line, where the compiler has put it into another one; or NULL
};

// The line that the code at [address] is from; false if nobody knows. The strings live to the end
// of the process.
bool posix_source_of(uintptr_t address, struct posix_source *source);

// Looks where the images are, if nobody has asked for a symbol yet: before their variables are
// mapped from elsewhere, and are in no image in the eyes of who looks for files.
void posix_symbols_open(void);

// The symbol that [address] belongs to, and how far behind its begin it is; or NULL.
const char *posix_symbol(uintptr_t address, uintptr_t *offset);

// The type that C++ knows as [name], as it is written.
const char *posix_type_name(const char *name);

// The name of the file that [address] was loaded from, without folders, and the address in it.
const char *posix_object_name(uintptr_t address, uintptr_t *offset);

#endif
