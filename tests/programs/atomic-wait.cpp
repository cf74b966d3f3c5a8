// Workers wait for work by std::atomic's wait. Who stops them wakes one, and the other sleeps on.
#include <atomic>
#include <thread>

enum { WORKING, STOPPED };

static std::atomic<int> state{WORKING};

static void work() {
    while (state.load() != STOPPED)
        state.wait(WORKING);
}

int main() {
    std::thread first(work), second(work);
    for (int i = 0; i < 40; i++) // the library looks some times before it goes to sleep
        std::this_thread::yield();
    state.store(STOPPED);
#ifdef FIXED
    state.notify_all();
#else
    state.notify_one();
#endif
    first.join();
    second.join();
}
