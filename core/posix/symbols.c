#define _GNU_SOURCE // dladdr
#include "core/posix/symbols.h"
#include "core/base/assert.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// libdw's functions. It is loaded with dlopen, so that neither it nor what it needs stands between
// the program and its libraries.
static struct {
    __typeof__(&dwfl_begin) begin;
    __typeof__(&dwfl_linux_proc_report) report;
    __typeof__(&dwfl_report_end) report_end;
    __typeof__(&dwfl_linux_proc_find_elf) find_elf;
    __typeof__(&dwfl_standard_find_debuginfo) find_debuginfo;
    __typeof__(&dwfl_addrmodule) module_at;
    __typeof__(&dwfl_module_getsrc) line_at;
    __typeof__(&dwfl_lineinfo) line_info;
    __typeof__(&dwfl_module_addrinfo) symbol_at;
    __typeof__(&dwfl_module_addrdie) unit_at;
    __typeof__(&dwarf_getscopes) scopes_at;
    __typeof__(&dwarf_tag) tag;
    __typeof__(&dwarf_diename) name;
} dw;

static Dwfl *dwfl;

// [function] is a pointer to a function's pointer, whatever its type: C has no conversion from
// dlsym's result, POSIX promises that the bytes are the same (dlsym, application usage).
static bool find(void *library, void *function, const char *name) {
    ASSERT(library && function);
    void *found = dlsym(library, name);
    memcpy(function, &found, sizeof found);
    return found != NULL;
}

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "dlsym returns functions");

static bool load(void) {
    ASSERT(!dwfl);
    void *library = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
    return library && find(library, &dw.begin, "dwfl_begin") &&
           find(library, &dw.report, "dwfl_linux_proc_report") &&
           find(library, &dw.report_end, "dwfl_report_end") &&
           find(library, &dw.find_elf, "dwfl_linux_proc_find_elf") &&
           find(library, &dw.find_debuginfo, "dwfl_standard_find_debuginfo") &&
           find(library, &dw.module_at, "dwfl_addrmodule") &&
           find(library, &dw.line_at, "dwfl_module_getsrc") &&
           find(library, &dw.line_info, "dwfl_lineinfo") &&
           find(library, &dw.symbol_at, "dwfl_module_addrinfo") &&
           find(library, &dw.unit_at, "dwfl_module_addrdie") &&
           find(library, &dw.scopes_at, "dwarf_getscopes") && find(library, &dw.tag, "dwarf_tag") &&
           find(library, &dw.name, "dwarf_diename");
}

// The module at [address], or NULL.
static Dwfl_Module *module_of(uintptr_t address) {
    // Once: libraries that the program loads later have no lines, as their code is not its own.
    static Dwfl_Callbacks callbacks;
    static bool is_tried;
    if (!is_tried) {
        is_tried = true;
        if (load()) {
            callbacks.find_elf = dw.find_elf;
            callbacks.find_debuginfo = dw.find_debuginfo;
            dwfl = dw.begin(&callbacks);
        }
        if (dwfl && (dw.report(dwfl, getpid()) != 0 || dw.report_end(dwfl, NULL, NULL) != 0))
            dwfl = NULL;
    }
    return dwfl ? dw.module_at(dwfl, address) : NULL;
}

void posix_symbols_open(void) {
    module_of(0);
}

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

// The innermost function at [address], which may be one that was compiled into another.
static const char *innermost_function(Dwfl_Module *module, uintptr_t address) {
    // The debugging information has addresses as in the file; the bias is what loading has added.
    Dwarf_Addr bias;
    Dwarf_Die *unit = dw.unit_at(module, address, &bias);
    Dwarf_Die *scopes = NULL;
    // The scopes from the inside out: a block, an inlined function, the one that it stands in, the
    // unit.
    int count = unit ? dw.scopes_at(unit, address - bias, &scopes) : 0;
    const char *name = NULL;
    for (int i = 0; i < count && !name; i++) {
        int tag = dw.tag(&scopes[i]);
        if (tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine)
            name = dw.name(&scopes[i]);
    }
    free(scopes);
    return name;
}

// As the C++ run time of the program writes it, if it has one. A new text each time: who asks
// remembers it (places.c).
static const char *unmangle(const char *name) {
    typedef char *demangler(const char *name, char *buffer, size_t *bytes, int *status);
    static demangler *demangle;
    static bool is_tried;
    if (!is_tried) {
        void *found = dlsym(RTLD_DEFAULT, "__cxa_demangle");
        memcpy(&demangle, &found, sizeof found);
    }
    is_tried = true;
    int status = -1;
    char *text = demangle ? demangle(name, NULL, NULL, &status) : NULL;
    return status == 0 ? text : name;
}

static const char *demangled(const char *name) {
    return strncmp(name, "_Z", 2) == 0 ? unmangle(name) : name;
}

const char *posix_type_name(const char *name) {
    return unmangle(name);
}

bool posix_source_of(uintptr_t address, struct posix_source *source) {
    Dwfl_Module *module = module_of(address);
    Dwfl_Line *line = module ? dw.line_at(module, address) : NULL;
    const char *file = line ? dw.line_info(line, NULL, &source->line, NULL, NULL, NULL) : NULL;
    if (!file)
        return false;
    source->path = file;
    source->file = base_name(file);
    source->function = innermost_function(module, address);
    return true;
}

const char *posix_symbol(uintptr_t address, uintptr_t *offset) {
    Dwfl_Module *module = module_of(address);
    GElf_Off symbol_offset;
    GElf_Sym symbol;
    const char *name =
        module ? dw.symbol_at(module, address, &symbol_offset, &symbol, NULL, NULL, NULL) : NULL;
    ASSERT(!name || symbol_offset <= address);
    if (name) {
        *offset = symbol_offset;
        return demangled(name);
    }
    // Without libdw, what is exported: mtcheck-cc links with -rdynamic.
    Dl_info info;
    if (dladdr((const void *)address, &info) == 0 || !info.dli_sname)
        return NULL;
    ASSERT((uintptr_t)info.dli_saddr <= address);
    *offset = address - (uintptr_t)info.dli_saddr;
    return demangled(info.dli_sname);
}

const char *posix_object_name(uintptr_t address, uintptr_t *offset) {
    Dl_info info;
    if (dladdr((const void *)address, &info) == 0) {
        *offset = address;
        return "?";
    }
    ASSERT((uintptr_t)info.dli_fbase <= address);
    *offset = address - (uintptr_t)info.dli_fbase;
    return base_name(info.dli_fname);
}
