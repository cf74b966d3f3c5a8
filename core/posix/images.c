#define _GNU_SOURCE // dl_iterate_phdr, memmem
#include "core/base/grow.h"
#include "core/posix/images.h"
#include "core/base/assert.h"
#include "core/coro/coro.h"
#include "core/posix/moment.h"
#include "core/posix/symbols.h"

#include <elf.h>
#include <link.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Beyond this size a segment is put back page by page, as far as it was touched.
enum { COPIED_BYTES_MAX = 128 * 1024 };

// Of an image that is there from the start the thread-local variables lie at the same distance from
// every thread's pointer (Drepper, "ELF Handling For Thread-Local Storage", section 3: static TLS),
// so where they are in one thread says where they are in all.
struct locals {
    ptrdiff_t offset; // from the thread pointer
    const char *initial;
    size_t initial_bytes, bytes;
    char *first_state; // of main
};

// Code of several images.
struct code {
    size_t count;
    struct {
        uintptr_t low, high;
    } ranges[POSIX_IMAGES_MAX];
};

struct segments {
    size_t count;
    struct posix_segment list[2 * POSIX_IMAGES_MAX];
};

static struct segments own, foreign; // the program's; those of libraries that it came with
static struct locals locals[POSIX_IMAGES_MAX];
static size_t locals_count;
static struct code system_code, program_code, tester_code;
static char build_id[POSIX_BUILD_ID_MAX];
static bool has_locals;
static size_t page_bytes;

static void *allocate(size_t bytes) {
    void *memory = malloc(bytes ? bytes : 1);
    if (!memory)
        grow_failed(bytes, "the program's first state");
    return memory;
}

// ---- Finding -----------------------------------------------------------------------------------

static const ElfW(Phdr) * find_header(const struct dl_phdr_info *info, ElfW(Word) type) {
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == type)
            return &info->dlpi_phdr[i];
    return NULL;
}

// The names of what the image needs and imports, one after the other; NULL if there are none.
// (The string table of the dynamic section: names of DT_NEEDED and of dynamic symbols. ELF
// specification, "Dynamic Section". The dynamic linker has relocated d_ptr of libraries.)
static const char *find_names(const struct dl_phdr_info *info, size_t *bytes) {
    const ElfW(Phdr) *header = find_header(info, PT_DYNAMIC);
    const char *names = NULL;
    *bytes = 0;
    if (!header)
        return NULL;
    const ElfW(Dyn) *entry = (const void *)(info->dlpi_addr + header->p_vaddr);
    for (; entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag == DT_STRTAB && entry->d_un.d_ptr > info->dlpi_addr)
            names = (const char *)entry->d_un.d_ptr; // the kernel's own image has an offset there
        else if (entry->d_tag == DT_STRSZ)
            *bytes = entry->d_un.d_val;
    return names;
}

// Whether the image names [name] there, perhaps as the end of a longer one: the linker shares the
// ends of strings.
static bool names(const struct dl_phdr_info *info, const char *name) {
    size_t bytes;
    // With its NUL: else the begin of a longer one would do, too.
    const char *all = find_names(info, &bytes);
    ASSERT(*name);
    return all && memmem(all, bytes, name, strlen(name) + 1);
}

// mtcheck-cc has linked it. (The library has this name, too.)
static bool is_ours(const struct dl_phdr_info *info) {
    return names(info, "libmtcheck.so");
}

static void add_segment(struct segments *to, uintptr_t low, uintptr_t high) {
    if (low >= high)
        return;
    if (to->count == sizeof to->list / sizeof to->list[0])
        fail_at(FAIL_RESOURCE, HERE, "the program has more than %d libraries", POSIX_IMAGES_MAX);
    ASSERT(to->count < sizeof to->list / sizeof to->list[0]);
    to->list[to->count++] =
        (struct posix_segment){.start = (char *)low, .bytes = (size_t)(high - low)};
}

// What can be written of the image: not what the linker has protected after relocation
// (PT_GNU_RELRO; glibc protects whole pages, up to the last one that it fills).
static void add_segments(const struct dl_phdr_info *info, struct segments *to) {
    ASSERT(page_bytes > 0);
    const ElfW(Phdr) *relro = find_header(info, PT_GNU_RELRO);
    uintptr_t relro_low = relro ? info->dlpi_addr + relro->p_vaddr : 0;
    uintptr_t relro_high = relro ? (relro_low + relro->p_memsz) & ~(page_bytes - 1) : 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_W))
            continue;
        uintptr_t low = info->dlpi_addr + header->p_vaddr, high = low + header->p_memsz;
        // What of the segment lies before it is written by nobody else either, but is not
        // protected.
        if (relro_high > low && relro_low < high) {
            add_segment(to, low, relro_low & ~(page_bytes - 1));
            low = relro_high;
        }
        add_segment(to, low, high);
    }
}

// To be called in the process's first thread, whose block dlpi_tls_data is in.
static void add_locals(const struct dl_phdr_info *info) {
    const ElfW(Phdr) *header = find_header(info, PT_TLS);
    if (!header || header->p_memsz == 0 || locals_count == POSIX_IMAGES_MAX)
        return;
    locals[locals_count++] = (struct locals){
        .offset = (char *)info->dlpi_tls_data - (char *)sct_coro_thread_pointer(),
        .initial = (const char *)(info->dlpi_addr + header->p_vaddr),
        .initial_bytes = header->p_filesz,
        .bytes = header->p_memsz,
    };
    ASSERT(header->p_filesz <= header->p_memsz); // what is not in the file is zero
}

// Notes (ELF specification, "Note Section"): each its two sizes and a type, a name and a
// description, both filled up to four bytes. That of the linker's --build-id is a hash of what the
// image holds.
static void read_build_id(const struct dl_phdr_info *info) {
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_NOTE)
            continue;
        const char *at = (const char *)(info->dlpi_addr + header->p_vaddr);
        const char *end = at + header->p_memsz;
        while (at + sizeof(ElfW(Nhdr)) <= end) {
            const ElfW(Nhdr) *note = (const void *)at;
            const unsigned char *bytes =
                (const unsigned char *)(note + 1) + ((note->n_namesz + 3) & ~3u);
            if (note->n_type == NT_GNU_BUILD_ID && note->n_descsz <= POSIX_BUILD_ID_MAX / 2)
                // Two digits for each byte. SHA-1, what linkers make, has 20 of them; a longer one
                // that somebody has given by hand is left out.
                for (unsigned k = 0; k < note->n_descsz; k++)
                    snprintf(build_id + (size_t)2 * k, 3, "%02x", bytes[k]);
            at = (const char *)bytes + ((note->n_descsz + 3) & ~3u);
        }
    }
}

static void add_code(const struct dl_phdr_info *info, struct code *code) {
    for (int i = 0; i < info->dlpi_phnum && code->count < POSIX_IMAGES_MAX; i++) {
        const ElfW(Phdr) *header = &info->dlpi_phdr[i];
        if (header->p_type != PT_LOAD || !(header->p_flags & PF_X))
            continue;
        uintptr_t low = info->dlpi_addr + header->p_vaddr;
        code->ranges[code->count].low = low;
        code->ranges[code->count++].high = low + header->p_memsz;
    }
}

static bool is_in(const struct code *code, const void *address) {
    for (size_t i = 0; i < code->count; i++)
        if ((uintptr_t)address >= code->ranges[i].low && (uintptr_t)address < code->ranges[i].high)
            return true;
    return false;
}

// As its file is called, version or not: libc.so.6, ld-linux-x86-64.so.2, ld-linux-aarch64.so.1.
static bool is_named(const struct dl_phdr_info *info, const char *name) {
    ASSERT(info->dlpi_name && *name);
    const char *slash = strrchr(info->dlpi_name, '/');
    return strncmp(slash ? slash + 1 : info->dlpi_name, name, strlen(name)) == 0;
}

// Called by dl_iterate_phdr(3) for each image in the order of loading: the executable first, whose
// name is empty.
static int visit(struct dl_phdr_info *info, size_t size, void *is_first) {
    ASSERT(size >= offsetof(struct dl_phdr_info, dlpi_tls_data) + sizeof info->dlpi_tls_data);
    bool is_system =
        is_named(info, "libc.so") || is_named(info, "ld-linux") || is_named(info, "libmtcheck.so");
    if (is_system)
        add_code(info, &system_code);
    if (is_named(info, "libmtcheck.so"))
        add_code(info, &tester_code);
    const ElfW(Phdr) *of_threads = find_header(info, PT_TLS);
    has_locals = has_locals || (!is_system && of_threads && of_threads->p_memsz > 0);
    if (*(bool *)is_first)
        read_build_id(info);
    if (*(bool *)is_first || (!is_system && is_ours(info))) {
        add_segments(info, &own);
        add_locals(info);
        add_code(info, &program_code);
        // Calls that find their thread by its pointer, though no variable of the program's does.
        has_locals = has_locals || names(info, "uselocale") || names(info, "dlopen") ||
                     names(info, "flockfile");
    } else if (!is_system) {
        // Only to name the variable that has changed, where executions do not repeat: nobody puts
        // it back, and of its accesses nothing is told.
        add_segments(info, &foreign);
    }
    *(bool *)is_first = false;
    return 0;
}

void posix_images_find(void) {
    bool is_first = true;
    ASSERT(!own.count || !own.list[0].first_state); // else what it was would be lost
    page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    has_locals = false;
    own.count = foreign.count = locals_count = system_code.count = program_code.count = 0;
    tester_code.count = 0;
    dl_iterate_phdr(visit, &is_first);
    ASSERT(!is_first && page_bytes > 0);
    ASSERT((page_bytes & (page_bytes - 1)) == 0);
}

// ---- Writing down and putting back -------------------------------------------------------------

// The whole pages of a large segment become a private view of their first state: to drop what was
// written since is to put it back.
static void map_first_state(struct posix_segment *segment) {
    uintptr_t low = ((uintptr_t)segment->start + page_bytes - 1) & ~(page_bytes - 1);
    uintptr_t high = ((uintptr_t)segment->start + segment->bytes) & ~(page_bytes - 1);
    // The ends that share a page with something else stay as they are, and are copied.
    ASSERT(segment->bytes > COPIED_BYTES_MAX && low < high);
    posix_symbols_open();
    size_t before = low - (uintptr_t)segment->start, bytes = high - low;
    int file = memfd_create("first state", MFD_CLOEXEC);
    bool is_written = file >= 0 && ftruncate(file, (off_t)bytes) == 0;
    for (size_t done = 0; is_written && done < bytes;) {
        ssize_t wrote = write(file, segment->start + before + done, bytes - done);
        is_written = wrote > 0;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    // MAP_FIXED takes the place of what is there in one call: no moment in which it is not there.
    void *view = is_written ? mmap((void *)low, bytes, PROT_READ | PROT_WRITE,
                                   MAP_PRIVATE | MAP_FIXED, file, 0)
                            : MAP_FAILED;
    if (view == MAP_FAILED)
        grow_failed(bytes, "the program's first state");
    close(file); // the mapping keeps it
}

static void copy_segment(struct posix_segment *segment) {
    ASSERT(!segment->first_state);
    segment->first_state = allocate(segment->bytes);
    memcpy(segment->first_state, segment->start, segment->bytes);
}

void posix_images_save(void) {
    for (size_t i = 0; i < own.count; i++) {
        copy_segment(&own.list[i]);
        if (own.list[i].bytes > COPIED_BYTES_MAX)
            map_first_state(&own.list[i]);
    }
    for (size_t i = 0; i < foreign.count; i++)
        copy_segment(&foreign.list[i]);
    // The process's own block: constructors have run with it, and main gets it in each execution.
    char *pointer = sct_coro_thread_pointer();
    for (size_t i = 0; i < locals_count; i++) {
        locals[i].first_state = allocate(locals[i].bytes);
        memcpy(locals[i].first_state, pointer + locals[i].offset, locals[i].bytes);
    }
}

static void copy_part(const struct posix_segment *segment, uintptr_t low, uintptr_t high) {
    ASSERT(low >= (uintptr_t)segment->start && low <= high);
    memcpy((void *)low, segment->first_state + (low - (uintptr_t)segment->start), high - low);
}

static void restore(const struct posix_segment *segment) {
    ASSERT(segment->first_state);
    uintptr_t start = (uintptr_t)segment->start, end = start + segment->bytes;
    if (segment->bytes <= COPIED_BYTES_MAX) {
        copy_part(segment, start, end);
        return;
    }
    uintptr_t low = (start + page_bytes - 1) & ~(page_bytes - 1), high = end & ~(page_bytes - 1);
    copy_part(segment, start, low);
    // Of a private mapping of a file: pages that were written are dropped, and read from it again
    // (madvise(2)). It costs what was touched, not what there is.
    madvise((void *)low, high - low, MADV_DONTNEED);
    copy_part(segment, high, end);
}

void posix_images_restore(void) {
    for (size_t i = 0; i < own.count; i++)
        restore(&own.list[i]);
}

enum { SNAPSHOT_BYTES_MAX = 16 * 1024 };

bool posix_images_tell(posix_tell *tell, void *to) {
    size_t bytes = 0;
    for (size_t i = 0; i < own.count; i++)
        bytes += own.list[i].bytes;
    for (size_t i = 0; i < own.count && bytes <= SNAPSHOT_BYTES_MAX; i++)
        tell(to, own.list[i].start, own.list[i].bytes);
    return bytes <= SNAPSHOT_BYTES_MAX;
}

// ---- Imports -----------------------------------------------------------------------------------

struct imports {
    bool (*is_known)(const char *name);
    bool are_known;
};

// By the names of what is relocated (ELF specification, "Relocation", "Dynamic Section").
static void look_at_relocations(struct imports *imports, const ElfW(Rela) * list, size_t bytes,
                                const ElfW(Sym) * symbols, const char *texts) {
    for (size_t i = 0; list && i < bytes / sizeof *list; i++) {
        const ElfW(Sym) *symbol = &symbols[list[i].r_info >> 32];
        if (symbol->st_shndx == SHN_UNDEF && symbol->st_name != 0)
            imports->are_known &= imports->is_known(texts + symbol->st_name);
    }
}

static int visit_imports(struct dl_phdr_info *info, size_t size, void *context) {
    struct imports *imports = context;
    const ElfW(Phdr) *header = find_header(info, PT_DYNAMIC);
    size_t sizes[DT_NUM] = {0};
    const void *tables[DT_NUM] = {NULL};
    ASSERT(size >= offsetof(struct dl_phdr_info, dlpi_tls_data));
    bool is_program = *info->dlpi_name == '\0';
    if (!header || (!is_program && (!is_ours(info) || is_named(info, "libmtcheck.so"))))
        return 0;
    for (const ElfW(Dyn) *entry = (const void *)(info->dlpi_addr + header->p_vaddr);
         entry->d_tag != DT_NULL; entry++)
        if (entry->d_tag > 0 && entry->d_tag < DT_NUM) {
            sizes[entry->d_tag] = entry->d_un.d_val;
            tables[entry->d_tag] = (const void *)entry->d_un.d_ptr;
        }
    look_at_relocations(imports, tables[DT_RELA], sizes[DT_RELASZ], tables[DT_SYMTAB],
                        tables[DT_STRTAB]);
    look_at_relocations(imports, tables[DT_JMPREL], sizes[DT_PLTRELSZ], tables[DT_SYMTAB],
                        tables[DT_STRTAB]);
    return 0;
}

bool posix_images_import_only(bool (*is_known)(const char *name)) {
    struct imports imports = {is_known, true};
    ASSERT(own.count > 0);
    dl_iterate_phdr(visit_imports, &imports);
    return imports.are_known;
}

bool posix_has_locals(void) {
    return has_locals;
}

// The part that is not in the file is zero, as the dynamic linker makes it for a new thread.
void posix_locals_begin(void *thread_pointer, bool is_main) {
    ASSERT(thread_pointer);
    for (size_t i = 0; i < locals_count; i++) {
        char *block = (char *)thread_pointer + locals[i].offset;
        const struct locals *image = &locals[i];
        ASSERT(!is_main || image->first_state);
        if (is_main) {
            memcpy(block, image->first_state, image->bytes);
            continue;
        }
        memcpy(block, image->initial, image->initial_bytes);
        memset(block + image->initial_bytes, 0, image->bytes - image->initial_bytes);
    }
}

void posix_locals_visit(const void *thread_pointer,
                        void (*tell)(void *context, const void *memory, size_t bytes),
                        void *context) {
    const char *pointer = thread_pointer;
    ASSERT(pointer);
    for (size_t i = 0; i < locals_count; i++)
        tell(context, pointer + locals[i].offset, locals[i].bytes);
}

// The first variable of [segment] that differs; what has no name is the linker's own. (The table of
// addresses of functions is filled when they are first called.)
static bool find_changed(const struct posix_segment *segment, struct text *text) {
    ASSERT(segment->first_state);
    for (size_t i = 0; i < segment->bytes; i++) {
        uintptr_t address = (uintptr_t)segment->start + i, offset;
        if (segment->start[i] == segment->first_state[i])
            continue;
        const char *name = posix_symbol(address, &offset);
        if (!name || strcmp(name, "_GLOBAL_OFFSET_TABLE_") == 0)
            continue;
        text_add(text, "'%s' of %s", name, posix_object_name(address, &offset));
        return true;
    }
    return false;
}

bool posix_images_find_changed(struct text *text) {
    for (size_t i = 0; i < foreign.count; i++)
        if (foreign.list[i].first_state && find_changed(&foreign.list[i], text))
            return true;
    return false;
}

bool posix_images_find_lost(struct text *text) {
    for (size_t i = 0; i < own.count; i++) {
        const struct posix_segment *segment = &own.list[i];
        bool is_lost = memcmp(segment->start, segment->first_state, segment->bytes) != 0;
        if (is_lost && find_changed(segment, text))
            return true;
    }
    return false;
}

// ---- Asking ------------------------------------------------------------------------------------

size_t posix_segment_count(void) {
    return own.count;
}

const struct posix_segment *posix_segment_at(size_t index) {
    ASSERT(index < own.count);
    return &own.list[index];
}

static bool is_in_segment(const struct segments *segments, const void *address) {
    for (size_t i = 0; i < segments->count; i++)
        // One comparison: what lies before the start is very far behind it.
        if ((uintptr_t)address - (uintptr_t)segments->list[i].start < segments->list[i].bytes)
            return true;
    return false;
}

bool posix_is_static(const void *address) {
    return is_in_segment(&own, address);
}

bool posix_is_foreign(const void *address) {
    return is_in_segment(&foreign, address);
}

bool posix_is_system_code(const void *address) {
    return is_in(&system_code, address);
}

bool posix_is_program_code(const void *address) {
    return is_in(&program_code, address);
}

bool posix_is_tester_code(const void *address) {
    return is_in(&tester_code, address);
}

const char *posix_build_id(void) {
    return build_id;
}
