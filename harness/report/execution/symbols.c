#define _GNU_SOURCE // dl_iterate_phdr
#include "harness/report/execution/symbols.h"
#include "core/base/grow.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct symbols {
    const char *file; // mapped
    size_t file_bytes;
    uintptr_t base; // what was added to the addresses of the file
    const ElfW(Sym) * table;
    size_t count;
    const char *names;
    size_t names_bytes;
};

static const char *(*describer)(const void *address);

void symbols_use(const char *(*describe)(const void *address)) {
    describer = describe;
}

bool symbols_are_described(void) {
    return describer != NULL;
}

static int first_object(struct dl_phdr_info *info, size_t size, void *base) {
    (void)size;
    *(uintptr_t *)base = info->dlpi_addr;
    return 1; // the program itself comes first
}

// Written so that nothing overflows: the file may be damaged.
static bool is_inside(const struct symbols *symbols, size_t offset, size_t bytes) {
    return offset <= symbols->file_bytes && bytes <= symbols->file_bytes - offset;
}

// Finds the table of symbols and their names; false if the file is not what it should be.
static bool find_table(struct symbols *symbols) {
    const ElfW(Ehdr) *header = (const void *)symbols->file;
    if (!is_inside(symbols, 0, sizeof *header) || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
        !is_inside(symbols, header->e_shoff, header->e_shnum * sizeof(ElfW(Shdr))))
        return false;
    const ElfW(Shdr) *sections = (const void *)(symbols->file + header->e_shoff);
    for (size_t i = 0; i < header->e_shnum; i++) {
        const ElfW(Shdr) *section = &sections[i];
        if (section->sh_type != SHT_SYMTAB || section->sh_link >= header->e_shnum)
            continue;
        const ElfW(Shdr) *names = &sections[section->sh_link];
        if (!is_inside(symbols, section->sh_offset, section->sh_size) ||
            !is_inside(symbols, names->sh_offset, names->sh_size) || names->sh_size == 0)
            return false;
        symbols->table = (const void *)(symbols->file + section->sh_offset);
        symbols->count = section->sh_size / sizeof(ElfW(Sym));
        symbols->names = symbols->file + names->sh_offset;
        symbols->names_bytes = names->sh_size;
        // So every name in it ends.
        return symbols->names[names->sh_size - 1] == '\0';
    }
    return false;
}

static bool map_program(struct symbols *symbols) {
    struct stat status;
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    void *memory = MAP_FAILED;
    if (fstat(file, &status) == 0 && status.st_size > 0)
        memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    close(file);
    if (memory == MAP_FAILED)
        return false;
    symbols->file = memory;
    symbols->file_bytes = (size_t)status.st_size;
    return true;
}

struct symbols *symbols_open(void) {
    struct symbols *symbols = grow_new(1, sizeof *symbols, "names of functions");
    if (map_program(symbols) && find_table(symbols)) {
        dl_iterate_phdr(first_object, &symbols->base);
        return symbols;
    }
    symbols_close(symbols);
    return NULL;
}

void symbols_close(struct symbols *symbols) {
    if (!symbols)
        return;
    if (symbols->file)
        munmap((void *)(uintptr_t)symbols->file, symbols->file_bytes);
    free(symbols);
}

const char *symbols_name(const struct symbols *symbols, const void *address) {
    if (describer)
        return describer(address);
    if (!symbols)
        return NULL;
    uintptr_t place = (uintptr_t)address - 1 - symbols->base; // within the call, not behind it
    // Linear in the symbols: a report asks for a few dozen addresses.
    for (size_t i = 0; i < symbols->count; i++) {
        const ElfW(Sym) *symbol = &symbols->table[i];
        if ((symbol->st_info & 0xf) == STT_FUNC && symbol->st_name < symbols->names_bytes &&
            place >= symbol->st_value && place - symbol->st_value < symbol->st_size)
            return symbols->names + symbol->st_name;
    }
    return NULL;
}

// The engine's own functions say nothing about where the system stands.
static bool is_of_the_engine(const char *name) {
    static const char *const names[] = {
        "task_main", "activity_main", "go_on", "enter", "on_fail", "fail_at", "setup_and_schedule"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0)
            return true;
    return strncmp(name, "sct_", 4) == 0;
}

void symbols_calls(const struct symbols *symbols, const void *const *addresses, size_t count,
                   size_t max, struct text *text) {
    size_t shown = 0;
    for (size_t i = 0; i < count && shown < max; i++) {
        const char *name = symbols_name(symbols, addresses[i]);
        if (!name || is_of_the_engine(name))
            continue;
        // What the compiler adds to the names of clones ("name.part.0") says nothing either.
        size_t length = describer ? strlen(name) : strcspn(name, ".");
        text_add(text, "%s%.*s", shown > 0 ? " < " : "", (int)length, name);
        shown++;
    }
}
