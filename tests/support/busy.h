// Work between two points of a task that goes round for long: as many turns as an execution may
// have take seconds then, whatever the machine.
#ifndef TESTS_SUPPORT_BUSY_H
#define TESTS_SUPPORT_BUSY_H

static inline void be_busy(void) {
    for (volatile int work = 0; work < 100; work++) {
    }
}

#endif
