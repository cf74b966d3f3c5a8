#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_STACK
#include "core/coro/coro.h"
#include "core/base/grow.h"
#include "core/coro/backtrace.h"
#include "core/base/arena.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#if !defined(SCT_UCONTEXT) && !defined(__x86_64__) && !defined(__aarch64__)
#define SCT_UCONTEXT
#endif
#ifdef SCT_UCONTEXT
#include <ucontext.h>
#endif
#if ARENA_POISONS
#include <pthread.h>
#include <sanitizer/common_interface_defs.h>
#endif

enum {
    ABOVE_BYTES = 64 * 1024, // of the guard behind the outermost frame
    // Stacks of one size would put their hot ends into the same cache sets; each starts a bit
    // lower.
    COLOUR_BYTES = 320,
    COLOURS = 12,
    CORO_BYTES = 128, // two cache lines, which no other coroutine's are in
};

_Static_assert(sizeof(struct sct_coro) <= CORO_BYTES, "a coroutine has its own cache lines");

// ---- The switch --------------------------------------------------------------------------------

#ifndef SCT_UCONTEXT

// Saves the callee-saved registers on the running stack, stores the stack pointer in *[save], takes
// [restore] as the new one and returns there. Jumps instead of returning: the processor's return
// predictor would be wrong every time.
void sct_coro_jump_(void **save, void *restore);

#if defined(__x86_64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".globl sct_coro_jump_\n"
        ".hidden sct_coro_jump_\n"
        ".type sct_coro_jump_, @function\n"
        "sct_coro_jump_:\n"
        "  pushq %rbp\n"
        "  pushq %rbx\n"
        "  pushq %r12\n"
        "  pushq %r13\n"
        "  pushq %r14\n"
        "  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n"
        "  popq %r14\n"
        "  popq %r13\n"
        "  popq %r12\n"
        "  popq %rbx\n"
        "  popq %rbp\n"
        "  popq %rcx\n"
        "  jmpq *%rcx\n"
        ".size sct_coro_jump_, .-sct_coro_jump_\n"
        ".section .note.GNU-stack,\"\",@progbits\n"
        ".text\n");
// In words from the stack pointer that is stored: how many the jump takes back, and which of them
// it goes to. The one below that is the frame pointer, here as on AArch64 (frame_of).
enum { FRAME_WORDS = 7, FRAME_ENTRY = 6, FRAME_PADDING = 1 };
#elif defined(__aarch64__)
__asm__(".text\n"
        ".p2align 4\n"
        ".globl sct_coro_jump_\n"
        ".hidden sct_coro_jump_\n"
        ".type sct_coro_jump_, %function\n"
        "sct_coro_jump_:\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n"
        "  stp x21, x22, [sp, #16]\n"
        "  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n"
        "  stp x27, x28, [sp, #64]\n"
        "  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n"
        "  stp d10, d11, [sp, #112]\n"
        "  stp d12, d13, [sp, #128]\n"
        "  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n"
        "  str x9, [x0]\n"
        "  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n"
        "  ldp x21, x22, [sp, #16]\n"
        "  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n"
        "  ldp x27, x28, [sp, #64]\n"
        "  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n"
        "  ldp d10, d11, [sp, #112]\n"
        "  ldp d12, d13, [sp, #128]\n"
        "  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n"
        "  br x30\n"
        ".size sct_coro_jump_, .-sct_coro_jump_\n"
        ".section .note.GNU-stack,\"\",%progbits\n"
        ".text\n");
// d8 to d15, too: a callee keeps the lower halves of these vector registers (AAPCS64, 6.1.2).
// x86-64 has none to keep.
enum { FRAME_WORDS = 20, FRAME_ENTRY = 11, FRAME_PADDING = 0 };
#endif

#endif // SCT_UCONTEXT

// ---- Thread pointers ---------------------------------------------------------------------------

#if defined(__x86_64__)
enum { HWCAP2_FSGSBASE = 2, SET_FS = 0x1002 }; // the kernel's HWCAP2_FSGSBASE and ARCH_SET_FS

void *sct_coro_thread_pointer(void) {
    void *pointer;
    __asm__ volatile("movq %%fs:0, %0" : "=r"(pointer)); // the first word points to itself
    return pointer;
}

static void write_thread_pointer(void *pointer) {
    static int is_fast = -1;
    // An instruction where the kernel allows it (Linux 5.9 and later), else a system call at every
    // switch between coroutines that have pointers of their own.
    if (is_fast < 0)
        is_fast = getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE ? 1 : 0;
    if (is_fast)
        __asm__ volatile("wrfsbase %0" : : "r"(pointer) : "memory");
    else
        syscall(SYS_arch_prctl, SET_FS, pointer);
}
#elif defined(__aarch64__)
void *sct_coro_thread_pointer(void) {
    void *pointer;
    __asm__ volatile("mrs %0, tpidr_el0" : "=r"(pointer));
    return pointer;
}

static void write_thread_pointer(void *pointer) {
    __asm__ volatile("msr tpidr_el0, %0" : : "r"(pointer) : "memory");
}
#else
void *sct_coro_thread_pointer(void) {
    return NULL;
}

static void write_thread_pointer(void *pointer) {
    (void)pointer;
    fail_at(FAIL_ASSERTION, HERE, "thread pointers cannot be switched on this machine");
}
#endif

// The one that is in force, and the process's own once it is known; NULL stands for that.
static void *present_thread_pointer, *own_thread_pointer;

__attribute__((noinline, cold)) static void set_thread_pointer(void *pointer) {
    // Looked up when it is first left, as long as it is what the register says.
    if (!own_thread_pointer)
        own_thread_pointer = sct_coro_thread_pointer();
    present_thread_pointer = pointer;
    write_thread_pointer(pointer ? pointer : own_thread_pointer);
}

void sct_coro_use_thread_pointer(struct sct_coro *coro, void *thread_pointer) {
    ASSERT(coro);
    // In force at once: the running coroutine is the one that asks.
    coro->thread_pointer = thread_pointer;
    set_thread_pointer(thread_pointer);
}

// ---- Switching ---------------------------------------------------------------------------------

// The coroutine that is being started: its entry function has no other way to know itself.
static struct sct_coro *starting;

static void finish_switch(const struct sct_coro *arrived) {
#if ARENA_POISONS
    __sanitizer_finish_switch_fiber(arrived->fake_stack, NULL, NULL);
#else
    (void)arrived;
#endif
}

static void enter(void) {
    struct sct_coro *coro = starting;
    finish_switch(coro);
    coro->function(coro->argument);
    fail_at(FAIL_ASSERTION, HERE, "a coroutine's function returned");
}

#if ARENA_POISONS
// The bounds of the program's own stack, which no coroutine structure holds.
static void own_stack(const void **low, size_t *bytes) {
    static void *cached_low;
    static size_t cached_bytes;
    // Asked for once: of a process's first thread glibc reads it from /proc/self/maps.
    if (!cached_low) {
        pthread_attr_t attributes;
        pthread_getattr_np(pthread_self(), &attributes);
        pthread_attr_getstack(&attributes, &cached_low, &cached_bytes);
        pthread_attr_destroy(&attributes);
    }
    *low = cached_low;
    *bytes = cached_bytes;
}
#endif

static void start_switch(struct sct_coro *from, const struct sct_coro *to) {
#if ARENA_POISONS
    const void *low = to->stack_low;
    size_t bytes = to->stack_bytes;
    if (!low)
        own_stack(&low, &bytes);
    __sanitizer_start_switch_fiber(&from->fake_stack, low, bytes);
#else
    (void)from;
    (void)to;
#endif
}

// Where the errno of the thread is that opened the pool; a coroutine with a thread pointer of its
// own has its own errno there. Asked for once: it is a call.
static int nobodys_errno, *errno_place = &nobodys_errno;

static inline void jump(struct sct_coro *from, struct sct_coro *to) {
#ifdef SCT_UCONTEXT
    ucontext_t here;
    from->context = &here;
    // On the stack that is left: it lives as long as the coroutine stays switched away.
    swapcontext(&here, to->context);
#else
    sct_coro_jump_(&from->stack_pointer, to->stack_pointer);
#endif
}

__attribute__((noinline, cold)) static void change_pointer_and_jump(struct sct_coro *from,
                                                                    struct sct_coro *to) {
    set_thread_pointer(to->thread_pointer);
    jump(from, to);
}

// All that has to be done is done before the jump, which can so be the last thing: it returns to
// whoever called this.
void sct_coro_switch(struct sct_coro *from, struct sct_coro *to) {
    // errno is the thread's, and all coroutines share the thread: without this a call that failed
    // in one would explain a failure in another.
    from->errno_kept = *errno_place;
    *errno_place = to->errno_kept;
    start_switch(from, to);
    // Every switch sets it, as it costs less than asking whether [to] was ever entered.
    starting = to;
    if (__builtin_expect(to->thread_pointer != present_thread_pointer, 0))
        change_pointer_and_jump(from, to);
    else
        jump(from, to);
    finish_switch(from);
}

// ---- Stacks ------------------------------------------------------------------------------------

static size_t page_round(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    ASSERT(page > 0 && bytes <= SIZE_MAX - page);
    return (bytes + page - 1) / page * page;
}

void sct_coro_pool_init(struct sct_coro_pool *pool, size_t stack_bytes, size_t guard_bytes) {
    ASSERT(stack_bytes > 0 && guard_bytes > 0);
    errno_place = &errno;
    *pool = (struct sct_coro_pool){
        .stack_bytes = page_round(stack_bytes),
        .guard_bytes = page_round(guard_bytes),
    };
}

// The address space of one stack: its guard, the stack, and a guard above it.
static size_t mapped_bytes(const struct sct_coro_pool *pool) {
    return pool->guard_bytes + pool->stack_bytes + ABOVE_BYTES;
}

void sct_coro_pool_deinit(struct sct_coro_pool *pool) {
    ASSERT(pool->made_count <= pool->order_capacity);
    struct sct_coro *coro = pool->made_list;
    while (coro) {
        struct sct_coro *next = coro->next_made;
        char *low = coro->stack_low;
#if ARENA_POISONS
        __asan_unpoison_memory_region(low, pool->stack_bytes);
#endif
        munmap(low - pool->guard_bytes, mapped_bytes(pool));
        free(coro);
        coro = next;
    }
    free(pool->order);
    *pool = (struct sct_coro_pool){0};
}

// All are free again, wherever they were left: whoever takes one lays out its stack anew. In the
// order of being made: an address on a stack is then the same in every execution. Behind those that
// were touched they are in that order.
void sct_coro_pool_reset(struct sct_coro_pool *pool) {
    ASSERT(pool->taken_count <= pool->made_count);
    pool->taken_count = 0;
    for (size_t i = 0; i < pool->touched_count; i++)
        while (pool->order[i]->number != i) {
            struct sct_coro *other = pool->order[i];
            ASSERT(other->number < pool->touched_count);
            pool->order[i] = pool->order[other->number];
            pool->order[other->number] = other;
        }
}

enum { CLEARED_BYTES = 512, ZEROS_MAX = 4 };

static bool is_zero(const char *memory) {
    const uint64_t *words = (const uint64_t *)(const void *)memory;
    uint64_t any = 0;
    for (size_t i = 0; i < CLEARED_BYTES / sizeof *words; i++)
        any |= words[i];
    return any == 0;
}

void sct_coro_clear_below(struct sct_coro *coro, char *at) {
    ASSERT(at >= coro->stack_low);
    for (unsigned zeros = 0; zeros < ZEROS_MAX && at - coro->stack_low >= CLEARED_BYTES; zeros++) {
        at -= CLEARED_BYTES;
        if (is_zero(at))
            continue;
        memset(at, 0, CLEARED_BYTES);
        zeros = 0;
    }
}

void sct_coro_clear_stack(struct sct_coro *coro) {
    // ucontext has the former.
    sct_coro_clear_below(coro, coro->context ? coro->context : coro->stack_pointer);
}

size_t sct_coro_left(const struct sct_coro *coro) {
    const char *top = coro->stack_pointer, *at = top, *low = top;
    for (unsigned zeros = 0; zeros < ZEROS_MAX && at - coro->stack_low >= CLEARED_BYTES; zeros++) {
        at -= CLEARED_BYTES;
        if (is_zero(at))
            continue;
        low = at;
        zeros = 0;
    }
    return (size_t)(top - low);
}

bool sct_coro_can_be_copied(void) {
#if defined(SCT_UCONTEXT) || ARENA_POISONS || defined(__SANITIZE_THREAD__)
    return false;
#else
    return true;
#endif
}

static void reserve_order(struct sct_coro_pool *pool) {
    ASSERT(pool->made_count <= pool->order_capacity);
    if (pool->made_count < pool->order_capacity)
        return;
    size_t capacity = pool->order_capacity ? 2 * pool->order_capacity : 64;
    pool->order = grow_to(pool->order, capacity, sizeof(struct sct_coro *), "a list of coroutines");
    pool->order_capacity = capacity;
}

// Where the stack of that number is to be, if nobody else is there: at the same address in every
// process, for programs that go by the addresses of their variables.
static void *place_of(const struct sct_coro_pool *pool, size_t number) {
    const uintptr_t first = sizeof(void *) == 8 ? (uintptr_t)0x210000000000 : 0;
    return first ? (void *)(first + number * mapped_bytes(pool)) : NULL;
}

// Makes one more, free, the last to be taken. What is known of it does not lie on its stack, which
// the code that runs there may overwrite.
static void make(struct sct_coro_pool *pool) {
    reserve_order(pool);
    struct sct_coro *coro = aligned_alloc(CORO_BYTES, CORO_BYTES);
    // Guards on both sides: below for what overflows, above so that a write beyond the outermost
    // frame does not hit the next stack. The two allocations are checked together.
    char *base = mmap(place_of(pool, pool->made_count), mapped_bytes(pool), PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (!coro || base == MAP_FAILED ||
        mprotect(base + pool->guard_bytes, pool->stack_bytes, PROT_READ | PROT_WRITE) != 0)
        grow_failed(mapped_bytes(pool), "one more stack of a coroutine");
    *coro = (struct sct_coro){
        .stack_low = base + pool->guard_bytes,
        .stack_bytes = pool->stack_bytes - pool->made_count % COLOURS * COLOUR_BYTES,
        .next_made = pool->made_list,
        .number = (uint32_t)pool->made_count,
    };
    // As the ABI asks of a stack; the frame that prepare lays out counts on it.
    ASSERT((uintptr_t)(coro->stack_low + coro->stack_bytes) % 16 == 0);
    pool->made_list = coro;
    pool->order[pool->made_count++] = coro;
    ASSERT(pool->made_count <= pool->order_capacity);
}

void sct_coro_pool_reserve(struct sct_coro_pool *pool, size_t count) {
    ASSERT(pool->stack_bytes > 0);
    while (pool->made_count < count)
        make(pool);
}

// Lays out the stack so that the first switch to [coro] enters [enter].
static void prepare(struct sct_coro *coro) {
    char *top = coro->stack_low + coro->stack_bytes;
#ifdef SCT_UCONTEXT
    size_t reserved = (sizeof(ucontext_t) + 63) & ~(size_t)63;
    ucontext_t *context = (ucontext_t *)(void *)(top - reserved);
    getcontext(context);
    context->uc_stack.ss_sp = coro->stack_low;
    context->uc_stack.ss_size = coro->stack_bytes - reserved;
    context->uc_link = NULL;
    makecontext(context, enter, 0);
    coro->context = context;
#else
    void **frame = (void **)(void *)top - FRAME_WORDS - FRAME_PADDING;
    // Zeros for what the jump takes back from there: a frame pointer of 0 is where backtraces end.
    memset(frame, 0, sizeof(void *) * (FRAME_WORDS + FRAME_PADDING));
    // On x86-64 the word above the entry stands for the return address of [enter]: with it the
    // stack is aligned as at a call.
    frame[FRAME_ENTRY] = (void *)(uintptr_t)enter;
    coro->stack_pointer = frame;
#endif
}

struct sct_coro *sct_coro_take(struct sct_coro_pool *pool, void (*function)(void *),
                               void *argument) {
    if (pool->taken_count == pool->made_count)
        make(pool);
    struct sct_coro *coro = pool->order[pool->taken_count];
    ASSERT(function && pool->taken_count < pool->made_count);
    coro->place = pool->taken_count++;
    if (pool->touched_count < pool->taken_count)
        pool->touched_count = pool->taken_count;
#if ARENA_POISONS
    // What left the stack last did so by a jump, with its frames' red zones still poisoned.
    __asan_unpoison_memory_region(coro->stack_low, coro->stack_bytes);
#endif
    coro->function = function;
    coro->argument = argument;
    coro->thread_pointer = NULL;
    coro->errno_kept = 0;
    prepare(coro);
    return coro;
}

// The last of the taken ones takes its place, so that taken and free ones stay apart without a
// search; it may itself be the last.
void sct_coro_give_back(struct sct_coro_pool *pool, struct sct_coro *coro) {
    ASSERT(coro->place < pool->taken_count && pool->order[coro->place] == coro);
    struct sct_coro *last = pool->order[--pool->taken_count];
    pool->order[coro->place] = last;
    last->place = coro->place;
    pool->order[pool->taken_count] = coro; // the next to be taken: its stack is in the caches
}

bool sct_coro_in_guard(const struct sct_coro_pool *pool, const void *address) {
    uintptr_t at = (uintptr_t)address;
    ASSERT(pool->guard_bytes > 0);
    // All of them, as this is asked once, by the handler of a signal that ends the execution.
    for (const struct sct_coro *coro = pool->made_list; coro; coro = coro->next_made) {
        uintptr_t low = (uintptr_t)coro->stack_low;
        if (at < low && at >= low - pool->guard_bytes)
            return true;
    }
    return false;
}

// Where the suspended [coro] goes on; zeros where that is not known: with ucontext, and if it was
// left on another stack, a signal handler's.
static struct sct_frame frame_of(const struct sct_coro *coro) {
#ifndef SCT_UCONTEXT
    const uintptr_t *frame = coro->stack_pointer;
    // The frame pointer is saved beside the address.
    if (coro->stack_low && (const char *)frame >= coro->stack_low &&
        (const char *)(frame + FRAME_WORDS) <= coro->stack_low + coro->stack_bytes)
        return (struct sct_frame){frame[FRAME_ENTRY], frame[FRAME_ENTRY - 1]};
#endif
    (void)coro;
    return (struct sct_frame){0, 0};
}

uint32_t sct_coro_backtrace(const struct sct_coro *coro, const void **addresses, uint32_t max) {
    struct sct_frame from = frame_of(coro);
    return from.program_counter == 0
               ? 0
               : sct_backtrace(from, coro->stack_low, coro->stack_low + coro->stack_bytes,
                               addresses, max);
}

uintptr_t sct_coro_bottom(const struct sct_coro *coro, bool (*is_inside)(const void *code)) {
    struct sct_frame from = frame_of(coro);
    return from.program_counter == 0
               ? 0
               : sct_frames_bottom(from, coro->stack_low, coro->stack_low + coro->stack_bytes,
                                   is_inside);
}
