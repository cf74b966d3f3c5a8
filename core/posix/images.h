// The program's images in memory: its executable and those of its shared libraries that were built
// by mtcheck-cc. What they can change is written down and put back.
#ifndef CORE_POSIX_IMAGES_H
#define CORE_POSIX_IMAGES_H

#include "core/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { POSIX_IMAGES_MAX = 64, POSIX_BUILD_ID_MAX = 41 };

// A range of the program's memory that can be written.
struct posix_segment {
    char *start;
    size_t bytes;
    char *first_state; // the copy
};

// Finds the images of the process.
void posix_images_find(void);

// Writes down what is in them now. [posix_images_restore] puts it back.
void posix_images_save(void);
void posix_images_restore(void);

// Adds "'counter' of libfoo.so.1" for the first variable of another library of the process, but the
// C library's, that executions have changed since; false if there is none. Those are not put back.
bool posix_images_find_changed(struct text *text);

// The same for the first variable of the program's own that is not what it was when it was written
// down: to be called when all was put back.
bool posix_images_find_lost(struct text *text);

// The program's writable segments.
size_t posix_segment_count(void);
const struct posix_segment *posix_segment_at(size_t index);

// Whether [address] lies in one of them.
bool posix_is_static(const void *address);

// Whether [address] is a variable of another library, which is not put back between executions.
bool posix_is_foreign(const void *address);

// Whether [address] is code of the C library, of the dynamic linker, or of this library.
bool posix_is_system_code(const void *address);

// Whether [address] is code of this library.
bool posix_is_tester_code(const void *address);

// Whether [address] is code of one of the images.
bool posix_is_program_code(const void *address);

// The hexadecimal build-id of the executable; "" if it has none.
const char *posix_build_id(void);

// Whether a thread needs a block of thread-local variables of its own: an image other than the C
// library's has some, or the program asks for what knows threads by them (locales, locked streams,
// images that come later). Else errno is all there is of each, which coroutines keep by value.
bool posix_has_locals(void);

// Copies the initial thread-local variables of the images to the block at [thread_pointer]: as they
// are in a new thread, or, for main, as constructors have left them.
void posix_locals_begin(void *thread_pointer, bool is_main);

// Tells of the images' thread-local variables in the block at [thread_pointer], in pieces.
void posix_locals_visit(const void *thread_pointer,
                        void (*tell)(void *context, const void *memory, size_t bytes),
                        void *context);

#endif
