#define _GNU_SOURCE // O_PATH
#include "core/posix/surroundings.h"
#include "core/base/descriptor.h"
#include "core/base/grow.h"
#include "core/posix/hook.h"

#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct {
    int folder; // a descriptor of the tester's; 0: never left
    bool has_left, has_mask, has_locale;
    mode_t mask;
    char *locale; // of all categories; NULL: never changed
} first;

// Before the first change of all, and so what every execution finds.
static void note_folder(void) {
    posix_enter_tool();
    if (first.folder == 0)
        first.folder = sct_descriptor_keep(open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
    posix_leave_tool();
    first.has_left = true;
}

static void note_locale(void) {
    posix_enter_tool();
    if (!first.locale)
        first.locale = grow_text(REAL(setlocale)(LC_ALL, NULL), "the locale");
    posix_leave_tool();
    first.has_locale = true;
}

void posix_surroundings_restore(void) {
    ASSERT(!posix_controls());
    if (first.has_left && (first.folder < 0 || REAL(fchdir)(first.folder) != 0))
        fail_at(FAIL_RESOURCE, HERE, "the program has left the working folder for good");
    if (first.has_mask)
        REAL(umask)(first.mask);
    if (first.has_locale)
        REAL(setlocale)(LC_ALL, first.locale);
    first.has_left = first.has_mask = first.has_locale = false;
}

HOOK int chdir(const char *path) {
    if (posix_controls())
        note_folder();
    return REAL(chdir)(path);
}

HOOK int fchdir(int number) {
    if (posix_controls())
        note_folder();
    return REAL(fchdir)(number);
}

HOOK mode_t umask(mode_t mask) {
    mode_t before = REAL(umask)(mask);
    if (posix_controls() && !first.has_mask) {
        first.has_mask = true;
        first.mask = before;
    }
    return before;
}

HOOK char *setlocale(int category, const char *locale) {
    if (posix_controls() && locale)
        note_locale();
    return REAL(setlocale)(category, locale);
}
