// LevelDB in memory: two writers, a reader, a compaction.
#include <cassert>
#include <helpers/memenv/memenv.h>
#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/env.h>
#include <memory>
#include <string>
#include <thread>

static void check(const leveldb::Status &status) {
    assert(status.ok());
}

int main() {
    std::unique_ptr<leveldb::Env> env(leveldb::NewMemEnv(leveldb::Env::Default()));
    std::unique_ptr<leveldb::Cache> cache(leveldb::NewLRUCache(1000));
    leveldb::Options options;
    options.create_if_missing = true;
    options.env = env.get();
    options.block_cache = cache.get();
    options.write_buffer_size = 64 << 10;
    leveldb::DB *opened;
    check(leveldb::DB::Open(options, "/db", &opened));
    std::unique_ptr<leveldb::DB> db(opened);
    auto put = [&](char letter) {
        for (int i = 0; i < 2; i++)
            check(db->Put({}, "key " + std::to_string(i), std::string(20000, letter)));
    };
    std::thread one(put, 'a'), other(put, 'b');
    std::string value;
    db->Get({}, "key 0", &value);
    one.join();
    other.join();
    db->CompactRange(nullptr, nullptr);
    check(db->Get({}, "key 1", &value));
    assert(value.size() == 20000);
}
