// A condition in a frame, made and destroyed call by call at the same address: C++ initialises it
// without a call. Who is woken without a signal may have destroyed it before the one who signals
// without the mutex comes to that.
#include <condition_variable>
#include <mutex>
#include <thread>

static std::mutex mutex;
static std::condition_variable *current;

static void wait_once() {
    std::condition_variable condition;
    std::unique_lock<std::mutex> lock(mutex);
    current = &condition;
    while (current)
        condition.wait(lock);
}

// Wakes whoever waits, if somebody does.
static bool wake() {
    std::unique_lock<std::mutex> lock(mutex);
    std::condition_variable *waiting = current;
    current = nullptr;
#ifdef FIXED
    if (waiting)
        waiting->notify_one();
#else
    lock.unlock();
    if (waiting)
        waiting->notify_one();
#endif
    return waiting;
}

int main() {
    std::thread waiter([] {
        wait_once();
        wait_once();
    });
    for (int woken = 0; woken < 2;)
        if (wake())
            woken++;
        else
            std::this_thread::yield();
    waiter.join();
}
