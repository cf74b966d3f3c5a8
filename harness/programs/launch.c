#define _GNU_SOURCE // personality
#include "harness/programs/launch.h"
#include "core/base/text.h"
#include "harness/programs/options.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/stat.h>
#include <unistd.h>

enum { STATUS_USAGE = 2, STATUS_TOOL_FAILED = 3 };

static const char usage[] = "usage: mtcheck run PROGRAM [OPTION]... [-- ARGUMENT]...\n"
                            "       mtcheck run --list\n";

// ---- What is under control ---------------------------------------------------------------------

enum how { EXACT, APPROXIMATE, REFUSED, BLOCKS, UNSEEN };

static const struct support {
    enum how how;
    const char *what, *remark;
} supports[] = {
#define SUPPORT(how, what, remark) {how, what, remark},
#include "core/posix/support.def"
#undef SUPPORT
};

static int print_supports(void) {
    static const char *const words[] = {"exact", "approximate", "refused", "blocks", "unseen"};
    for (size_t i = 0; i < sizeof supports / sizeof supports[0]; i++) {
        const struct support *support = &supports[i];
        printf("%-11s %s%s%s\n", words[support->how], support->what, *support->remark ? " -- " : "",
               support->remark);
    }
    return EXIT_SUCCESS;
}

// ---- The program's file ------------------------------------------------------------------------

struct image {
    const char *bytes;
    size_t size;
};

// Written so that nothing overflows: the file may be anything.
static bool is_inside(const struct image *image, size_t offset, size_t bytes) {
    return offset <= image->size && bytes <= image->size - offset;
}

static const ElfW(Phdr) * segment_of(const struct image *image, ElfW(Word) type) {
    const ElfW(Ehdr) *header = (const void *)image->bytes;
    const ElfW(Phdr) *segments = (const void *)(image->bytes + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == type &&
            is_inside(image, segments[i].p_offset, segments[i].p_filesz))
            return &segments[i];
    return NULL;
}

// Where the address of the program's is in its file.
static size_t offset_of(const struct image *image, ElfW(Addr) address) {
    const ElfW(Ehdr) *header = (const void *)image->bytes;
    const ElfW(Phdr) *segments = (const void *)(image->bytes + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && address >= segments[i].p_vaddr &&
            address - segments[i].p_vaddr < segments[i].p_filesz)
            return address - segments[i].p_vaddr + segments[i].p_offset;
    return image->size;
}

// Whether the program asks for the library that puts it under control.
static bool needs_library(const struct image *image) {
    static const char name[] = "libmtcheck.so";
    const ElfW(Phdr) *dynamic = segment_of(image, PT_DYNAMIC);
    if (!dynamic)
        return false;
    const ElfW(Dyn) *entries = (const void *)(image->bytes + dynamic->p_offset);
    size_t count = dynamic->p_filesz / sizeof *entries, strings = image->size;
    for (size_t i = 0; i < count; i++)
        if (entries[i].d_tag == DT_STRTAB)
            strings = offset_of(image, entries[i].d_un.d_ptr);
    for (size_t i = 0; i < count && entries[i].d_tag != DT_NULL; i++)
        if (entries[i].d_tag == DT_NEEDED &&
            is_inside(image, strings, entries[i].d_un.d_val + sizeof name) &&
            memcmp(image->bytes + strings + entries[i].d_un.d_val, name, sizeof name) == 0)
            return true;
    return false;
}

static bool check_image(const struct image *image, const char *path, struct error *error) {
    const ElfW(Ehdr) *header = (const void *)image->bytes;
    bool is_program = is_inside(image, 0, sizeof *header) &&
                      memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
                      is_inside(image, header->e_phoff, header->e_phnum * sizeof(ElfW(Phdr)));
    if (!is_program)
        return error_set(error, "'%.200s' is not a program (expected an ELF executable)", path);
    if (!segment_of(image, PT_INTERP))
        return error_set(error, "'%.200s' is linked statically: build it without -static", path);
    return needs_library(image) ||
           error_set(error, "'%.200s' was not built by mtcheck-cc: build it with CC=mtcheck-cc",
                     path);
}

static bool check_program(const char *path, struct error *error) {
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        error_set(error, "cannot run '%.200s': %s", path,
                  file < 0 ? strerror(errno) : "it is not a regular file");
        if (file >= 0)
            close(file);
        return false;
    }
    struct image image = {.size = (size_t)status.st_size};
    void *bytes = image.size > 0 ? mmap(NULL, image.size, PROT_READ, MAP_PRIVATE, file, 0) : NULL;
    close(file);
    image.bytes = bytes == MAP_FAILED ? NULL : bytes;
    if (!image.bytes)
        return error_set(error, "'%.200s' is not a program (expected an ELF executable)", path);
    bool is_good = check_image(&image, path, error);
    munmap(bytes, image.size);
    return is_good;
}

// ---- Starting ----------------------------------------------------------------------------------

// Addresses are the same in each process, as far as the system allows it: programs whose behaviour
// depends on them can be replayed.
static void fix_addresses(void) {
    int present = personality(0xffffffff);
    if (present != -1)
        personality((unsigned long)present | ADDR_NO_RANDOMIZE);
}

int launch(int argc, char **argv) {
    struct error error;
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return print_supports();
    if (argc < 2 || argv[1][0] == '-') {
        bool helps = argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
        fputs(usage, helps ? stdout : stderr);
        if (helps)
            program_options_print_help(stdout);
        return helps ? EXIT_SUCCESS : STATUS_USAGE;
    }
    if (!check_program(argv[1], &error)) {
        fprintf(stderr, "mtcheck: %s\n", error.text);
        return STATUS_USAGE;
    }
    fix_addresses();
    setenv(LAUNCH_VARIABLE, "1", 1);
    execv(argv[1], argv + 1);
    fprintf(stderr, "mtcheck: cannot run '%s': %s\n", argv[1], strerror(errno));
    return STATUS_TOOL_FAILED;
}
