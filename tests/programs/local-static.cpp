// A registry that is made at its first use, by a local static, which C++ orders. Its counter is
// another matter.
#include <atomic>
#include <future>
#include <memory>
#include <string>

struct registry {
    std::string name = "registry";
#ifdef FIXED
    std::atomic<int> users{0};
#else
    int users = 0;
#endif
};

static registry &the_registry() {
    static registry instance;
    return instance;
}

static std::shared_ptr<std::string> greet() {
    the_registry().users++;
    return std::make_shared<std::string>("hello from " + the_registry().name);
}

int main() {
    auto other = std::async(std::launch::async, greet);
    auto own = greet();
    return *own == *other.get() && the_registry().users == 2 ? 0 : 1;
}
