// A loop that looks at a flag and counts its tries in a variable of a caller, far up the stack: it
// comes to its end, and is no loop that waits.
#include <stdatomic.h>
#include <stdio.h>

enum { TRIES = 500, FAR = 40000 };

static atomic_int flag;

__attribute__((noinline)) static void count(int *tries) {
    ++*tries;
}

__attribute__((noinline)) static int is_enough(const int *tries) {
    return *tries >= TRIES;
}

__attribute__((noinline)) static void look(int *tries) {
    volatile char between[FAR];
    between[0] = 0;
    do
        count(tries);
    while (!atomic_load(&flag) && !is_enough(tries));
    between[FAR - 1] = 0;
}

int main(void) {
    int tries = 0;
    look(&tries);
    printf("%d\n", tries);
    return tries != TRIES;
}
