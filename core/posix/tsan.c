// The calls that compilers make for accesses to memory under -fsanitize=thread: gcc's tsan.cc and
// sanitizer.def, clang's ThreadSanitizer.cpp. Names and arguments are those of tsan_interface.h in
// compiler-rt. Nothing is asserted here: it is the way of every access.
#include "core/posix/await.h"
#include "core/posix/hook.h"
#include "core/posix/races.h"
#include "core/posix/registers.h"
#include "core/posix/twins.h"
#include "core/posix/variable.h"

// ---- Accesses ----------------------------------------------------------------------------------

// Out of line: most accesses are no points, and their way stays short.
__attribute__((noinline)) static void point(const void *address, size_t bytes,
                                            enum sct_access_mode mode, const char *verb,
                                            const void *caller) {
    const struct sct_access access = posix_access(address, bytes, mode);
    sct_point(posix_variable_step(verb, address), posix_place(caller), &access);
}

static inline void access_plain(const void *address, size_t bytes, bool writes,
                                const void *caller) {
    if (!posix_controls())
        return;
    // With --races all of the plain accesses those of a surveyed race are points: what the other
    // order of the two does is then tried.
    if (__builtin_expect(posix_world.options.points == POSIX_POINTS_ALL, 0) ||
        (posix_world.options.races == POSIX_RACES_ALL && posix_is_racy(caller)))
        point(address, bytes, writes ? SCT_ACCESS_WRITE : SCT_ACCESS_READ,
              writes ? "write" : "read", caller);
    posix_twins_access(address, bytes, writes, caller);
    // The point before anything is known of the access: others may free the memory meanwhile.
    if (writes)
        posix_look_write(address);
    posix_memory_access(address, bytes, writes ? SCT_PLAIN_WRITE : SCT_PLAIN_READ, caller);
}

static bool has_volatile_points(void) {
    return posix_world.options.points != POSIX_POINTS_SYNC;
}

static inline void write_volatile(const void *address, unsigned bytes, const void *caller) {
    if (!posix_controls())
        return;
    if (has_volatile_points())
        point(address, bytes, SCT_ACCESS_WRITE, "write volatile", caller);
    // Before the write, which the program makes itself once this returns: no point comes in
    // between, so whoever is granted looks when it is done.
    posix_memory_access(address, bytes, SCT_ATOMIC_WRITE, caller);
    posix_look_change(address, bytes);
}

// Called by a hook with registers.
static inline void read_volatile(const void *address, unsigned bytes, const void *caller) {
    if (!posix_controls())
        return;
    if (!has_volatile_points()) {
        posix_memory_access(address, bytes, SCT_ATOMIC_READ, caller);
        return;
    }
    struct posix_look look;
    posix_look_begin(&look, address, bytes, caller, false);
    look.where = posix_place(caller);
    const struct sct_access access = posix_access(address, bytes, SCT_ACCESS_READ);
    posix_look_point(&look, posix_variable_step("read volatile", address), &access);
    posix_memory_access(address, bytes, SCT_ATOMIC_READ, caller);
    posix_look_end(&look, NULL, posix_value_at(address, bytes), POSIX_LOOK_READ);
}

void posix_range_access(const void *address, size_t bytes, bool writes, const void *caller) {
    access_plain(address, bytes, writes, caller);
}

#define ACCESS_HOOK(name, bytes, access, writes)    \
    void __tsan_##name(void *address);              \
    HOOK void __tsan_##name(void *address) {        \
        access(address, (bytes), (writes), CALLER); \
    }

#define VOLATILE_HOOKS(name, bytes)                                              \
    HOOK_WITH_REGISTERS(__tsan_##name##_read##bytes, posix_##name##_read##bytes) \
    void posix_##name##_read##bytes(const void *address);                        \
    INNER void posix_##name##_read##bytes(const void *address) {                 \
        read_volatile(address, (bytes), CALLER);                                 \
    }                                                                            \
    void __tsan_##name##_write##bytes(const void *address);                      \
    HOOK void __tsan_##name##_write##bytes(const void *address) {                \
        write_volatile(address, (bytes), CALLER);                                \
    }

#define ACCESS_HOOKS(bytes)                                        \
    ACCESS_HOOK(read##bytes, bytes, access_plain, false)           \
    ACCESS_HOOK(write##bytes, bytes, access_plain, true)           \
    ACCESS_HOOK(unaligned_read##bytes, bytes, access_plain, false) \
    ACCESS_HOOK(unaligned_write##bytes, bytes, access_plain, true)

ACCESS_HOOKS(1)
ACCESS_HOOKS(2)
ACCESS_HOOKS(4)
ACCESS_HOOKS(8)
ACCESS_HOOKS(16)

VOLATILE_HOOKS(volatile, 1)
VOLATILE_HOOKS(volatile, 2)
VOLATILE_HOOKS(volatile, 4)
VOLATILE_HOOKS(volatile, 8)
VOLATILE_HOOKS(volatile, 16)
VOLATILE_HOOKS(unaligned_volatile, 1)
VOLATILE_HOOKS(unaligned_volatile, 2)
VOLATILE_HOOKS(unaligned_volatile, 4)
VOLATILE_HOOKS(unaligned_volatile, 8)
VOLATILE_HOOKS(unaligned_volatile, 16)

// A read and then a write of the same (clang, where both are in one place: x += 1).
#define UPDATE_HOOK(name, bytes)                       \
    void __tsan_##name(void *address);                 \
    HOOK void __tsan_##name(void *address) {           \
        access_plain(address, (bytes), false, CALLER); \
        access_plain(address, (bytes), true, CALLER);  \
    }

UPDATE_HOOK(read_write1, 1)
UPDATE_HOOK(read_write2, 2)
UPDATE_HOOK(read_write4, 4)
UPDATE_HOOK(read_write8, 8)
UPDATE_HOOK(read_write16, 16)
UPDATE_HOOK(unaligned_read_write2, 2)
UPDATE_HOOK(unaligned_read_write4, 4)
UPDATE_HOOK(unaligned_read_write8, 8)
UPDATE_HOOK(unaligned_read_write16, 16)

void __tsan_read_range(void *address, unsigned long bytes);
HOOK void __tsan_read_range(void *address, unsigned long bytes) {
    if (bytes > 0)
        access_plain(address, bytes, false, CALLER);
}

void __tsan_write_range(void *address, unsigned long bytes);
HOOK void __tsan_write_range(void *address, unsigned long bytes) {
    if (bytes > 0)
        access_plain(address, bytes, true, CALLER);
}

void __tsan_vptr_read(void **address);
HOOK void __tsan_vptr_read(void **address) {
    access_plain(address, sizeof *address, false, CALLER);
}

// A constructor or destructor that leaves the pointer as it is writes nothing.
void __tsan_vptr_update(void **address, void *value);
HOOK void __tsan_vptr_update(void **address, void *value) {
    if (*address != value)
        access_plain(address, sizeof *address, true, CALLER);
}

// ---- Functions ---------------------------------------------------------------------------------

// Called by a constructor in each unit of the program; the library has one of its own
// (harness/programs/start.c).
void __tsan_init(void);
HOOK void __tsan_init(void) {
}

// Entries are not needed: calls are found by frame pointers when somebody asks (stacks.c).
void __tsan_func_entry(void *caller);
HOOK void __tsan_func_entry(void *caller) {
    (void)caller;
}

// The variables of the function that returns are no more: what comes to lie there is another
// variable.
void __tsan_func_exit(void);
HOOK void __tsan_func_exit(void) {
    if (posix_world.options.races == POSIX_RACES_OFF || !posix_controls())
        return;
    // This hook's own frame holds, first, where that of the function which returns is: all between
    // the two was the function's. On x86-64 two words are the saved pointer and the return address
    // (System V ABI, 3.2.2); on AArch64 compilers put the frame record (AAPCS64, "The Frame
    // Pointer") below the variables.
    const void *const *frame = __builtin_frame_address(0);
    const void *const *caller = frame[0];
#if defined(__aarch64__)
    posix_frame_ends(caller + 2, caller[0]); // above its frame record
#else
    posix_frame_ends(frame + 2, caller);
#endif
}
