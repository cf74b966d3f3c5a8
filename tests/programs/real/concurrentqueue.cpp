// moodycamel's lock-free queue: two producers, one of which takes as well; nothing is lost.
#include <cassert>
#include <concurrentqueue.h>
#include <thread>

int main() {
    moodycamel::ConcurrentQueue<int> queue(4);
    std::thread one([&] {
        queue.enqueue(1);
        queue.enqueue(2);
    });
    std::thread other([&] {
        int item;
        queue.enqueue(3);
        if (queue.try_dequeue(item))
            queue.enqueue(item);
    });
    one.join();
    other.join();
    int sum = 0;
    for (int item; queue.try_dequeue(item);)
        sum += item;
    assert(sum == 6);
}
