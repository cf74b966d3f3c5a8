// What a thread is besides memory: the registers that survive calls, as they are when the program
// calls a hook.
//
// HOOK_WITH_REGISTERS(name, inner) defines the hook [name], which keeps the caller's registers in
// posix_registers and goes on at [inner], a function of the same type. It changes no other register
// and no stack, so that [inner] finds its arguments and its caller as if it had been called itself.
#ifndef CORE_POSIX_REGISTERS_H
#define CORE_POSIX_REGISTERS_H

#include <stdint.h>

enum { POSIX_REGISTERS = 12 };

// Of the last call of such a hook; the last one is the stack pointer, where the call came from.
extern uintptr_t posix_registers[POSIX_REGISTERS];

_Static_assert(sizeof posix_registers == 96, "the code below stores twelve words of eight bytes");

#if defined(__x86_64__)
#define POSIX_KEEP_REGISTERS                \
    "movq %rbx, posix_registers(%rip)\n"    \
    "movq %rbp, posix_registers+8(%rip)\n"  \
    "movq %r12, posix_registers+16(%rip)\n" \
    "movq %r13, posix_registers+24(%rip)\n" \
    "movq %r14, posix_registers+32(%rip)\n" \
    "movq %r15, posix_registers+40(%rip)\n" \
    "leaq 8(%rsp), %rax\n"                  \
    "movq %rax, posix_registers+88(%rip)\n"
#define POSIX_GO_ON "jmp "
#elif defined(__aarch64__)
#define POSIX_KEEP_REGISTERS                \
    "adrp x16, posix_registers\n"           \
    "add x16, x16, :lo12:posix_registers\n" \
    "stp x19, x20, [x16]\n"                 \
    "stp x21, x22, [x16, 16]\n"             \
    "stp x23, x24, [x16, 32]\n"             \
    "stp x25, x26, [x16, 48]\n"             \
    "stp x27, x28, [x16, 64]\n"             \
    "mov x17, sp\n"                         \
    "stp x29, x17, [x16, 80]\n"
#define POSIX_GO_ON "b "
#else
#error "which registers survive calls is not known here"
#endif

// What such a function is.
#define INNER __attribute__((used, visibility("hidden")))

#define HOOK_WITH_REGISTERS(name, inner)                                                       \
    __asm__(".text\n"                                                                          \
            ".globl " #name "\n"                                                               \
            ".type " #name ", %function\n" #name ":\n" POSIX_KEEP_REGISTERS POSIX_GO_ON #inner \
            "\n"                                                                               \
            ".size " #name ", .-" #name "\n");

#endif
