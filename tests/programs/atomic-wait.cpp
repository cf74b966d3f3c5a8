// A worker waits for work by std::atomic's wait. Who stops it notifies first and stores then: the
// worker may go back to sleep between the two. The other stores first.
#include <atomic>
#include <thread>

enum { WORKING, STOPPED };

static std::atomic<int> state{WORKING};

static void work() {
    while (state.load() != STOPPED)
        state.wait(WORKING);
}

int main() {
    std::thread worker(work);
#ifdef FIXED
    state.store(STOPPED);
    state.notify_all();
#else
    state.notify_all();
    state.store(STOPPED);
#endif
    worker.join();
}
