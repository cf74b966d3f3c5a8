// Looks whether there is something, and takes it, without one lock for both: vector::at throws in a
// thread that nobody catches it in. Exceptions are thrown and caught in every execution, too: what
// the C++ library does at the first one of a process must not make a difference.
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

static std::vector<int> items{1};
static std::mutex mutex;

static bool is_empty() {
    std::lock_guard<std::mutex> guard(mutex);
    return items.empty();
}

static void take_last() {
    std::lock_guard<std::mutex> guard(mutex);
    items.at(items.size() - 1) = 0;
    items.pop_back();
}

static void take() {
#ifdef FIXED
    try {
        take_last();
    } catch (const std::out_of_range &) {
    }
#else
    if (!is_empty())
        take_last();
#endif
}

int main() {
    try {
        items.at(items.size());
    } catch (const std::out_of_range &) {
    }
    std::thread first(take), second(take);
    first.join();
    second.join();
    return is_empty() ? 0 : 1;
}
