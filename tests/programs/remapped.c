// A program that maps other memory over a variable: what was there cannot be put back in the same
// process, and the first execution but one says whose it was.
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

static int table[100000] = {[50000] = 5};

int main(void) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    void *middle = (void *)((uintptr_t)&table[50000] & ~(page - 1));
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
    return mmap(middle, page, PROT_READ | PROT_WRITE, flags, -1, 0) != middle;
}
