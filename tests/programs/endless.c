// An execution that goes on for longer than anybody waits: it is left when its time is over, or at
// a signal to end.
#include <stdatomic.h>

int main(void) {
    atomic_ullong turns = 0;
    while (atomic_fetch_add(&turns, 1) < 1ull << 40)
        ;
    return 0;
}
