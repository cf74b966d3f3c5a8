// How fast recorded histories are checked, beside what Porcupine takes for the same kind.
//
// Usage: bench_histories [FOLDER]   (with verdicts.csv; default ../shared/data/histories)
//        bench_histories --write FOLDER   (the made-up ones as files, for other checkers)
// Each figure is the least of 20 runs: the check alone, and with reading and parsing the file. The
// stores are made up, the first of the size of Porcupine's. Run by scripts/bench-histories; never a
// gate.
#include "core/base/assert.h"
#include "core/base/clock.h"
#include "tests/harness/hard_histories.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RUNS = 20, FILES_MAX = 1024 };

static struct lin_checker *checker;

struct timing {
    double check, all; // milliseconds
};

static double now_ms(void) {
    return clock_seconds() * 1e3;
}

static double least(double a, double b) {
    return a < b ? a : b;
}

static enum lin_verdict check(struct record *record, struct lin_result *result) {
    struct lin_spec spec = store_spec(&record->store);
    lin_check(checker, &spec, &record->history, result);
    return result->verdict;
}

static struct timing time_file(const char *path, const char *format, bool is_whole,
                               enum lin_verdict expected) {
    struct timing timing = {1e9, 1e9};
    for (int run = 0; run < RUNS; run++) {
        struct record record;
        struct lin_result result;
        struct error error;
        double start = now_ms();
        if (!record_read(&record, path, record_format_find(format), &error)) {
            fprintf(stderr, "bench_histories: %s\n", error.text);
            exit(2);
        }
        record.store.is_whole = is_whole;
        double is_read = now_ms();
        enum lin_verdict verdict = check(&record, &result);
        double end = now_ms();
        record_free(&record);
        if (verdict != expected && verdict != LIN_UNKNOWN) {
            fprintf(stderr, "bench_histories: %s: wrong verdict\n", path);
            exit(1);
        }
        if (verdict == LIN_UNKNOWN)
            return (struct timing){-1, -1};
        timing.check = least(timing.check, end - is_read);
        timing.all = least(timing.all, end - start);
    }
    return timing;
}

static void print_row(const char *what, struct timing timing, const char *porcupine) {
    if (timing.check < 0)
        printf("%-70s %12s %12s %12s\n", what, "unknown", "unknown", porcupine);
    else
        printf("%-70s %9.4f ms %9.4f ms %12s\n", what, timing.check, timing.all, porcupine);
}

// ---- Files -------------------------------------------------------------------------------------

static int compare_doubles(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static void print_jepsen(struct timing *timings, size_t count) {
    double check[FILES_MAX], all[FILES_MAX], check_sum = 0, all_sum = 0;
    char what[64];
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++) {
        check_sum += check[i] = timings[i].check;
        all_sum += all[i] = timings[i].all;
    }
    qsort(check, count, sizeof *check, compare_doubles);
    qsort(all, count, sizeof *all, compare_doubles);
    snprintf(what, sizeof what, "etcd, %zu histories, sum (Porcupine: 102)", count);
    print_row(what, (struct timing){check_sum, all_sum}, "920 ms");
    print_row("etcd, median", (struct timing){check[count / 2], all[count / 2]}, "0.083 ms");
    print_row("etcd, slowest", (struct timing){check[count - 1], all[count - 1]}, "358 ms");
}

static const char *porcupine_of(const char *file, bool is_whole) {
    if (strcmp(file, "kv/c10-ok.txt") == 0)
        return is_whole ? "7300 ms" : "1.25 ms";
    return "-";
}

static void bench_folder(const char *folder) {
    struct timing etcd[FILES_MAX];
    char path[512], line[256], file[128], verdict[16];
    size_t count = 0;
    snprintf(path, sizeof path, "%s/verdicts.csv", folder);
    FILE *verdicts = fopen(path, "r");
    if (!verdicts) {
        printf("skipped: cannot open %s\n", path);
        return;
    }
    while (fgets(line, sizeof line, verdicts)) {
        if (sscanf(line, "%127[^,],%15[^,],", file, verdict) != 2 || !strchr(file, '/'))
            continue; // the heading
        enum lin_verdict expected =
            strcmp(verdict, "true") == 0 ? LIN_LINEARIZABLE : LIN_NOT_LINEARIZABLE;
        snprintf(path, sizeof path, "%s/%s", folder, file);
        if (strncmp(file, "kv/", 3) != 0) {
            if (count < FILES_MAX)
                etcd[count++] = time_file(path, "jepsen-register", false, expected);
            continue;
        }
        print_row(file, time_file(path, "kv", false, expected), porcupine_of(file, false));
        snprintf(line, sizeof line, "%s, all keys in one", file);
        print_row(line, time_file(path, "kv", true, expected), porcupine_of(file, true));
    }
    fclose(verdicts);
    print_jepsen(etcd, count);
}

// ---- Made-up stores ----------------------------------------------------------------------------

static void bench_hard(const struct hard *hard, const char *porcupine) {
    struct record record;
    struct lin_result result;
    struct timing timing = {1e9, 1e9};
    char what[96];
    hard_history(hard, 1, &record);
    for (int run = 0; run < RUNS; run++) {
        double start = now_ms();
        enum lin_verdict verdict = check(&record, &result);
        timing.check = least(timing.check, now_ms() - start);
        if (verdict == LIN_UNKNOWN) {
            timing.check = -1;
            break;
        }
        ASSERT((verdict == LIN_LINEARIZABLE) == (hard->fault == HARD_NONE));
    }
    timing.all = timing.check;
    snprintf(what, sizeof what, "made up: %s, %u clients, %u keys, %u", hard->name, hard->clients,
             hard->keys, hard->operations);
    print_row(what, timing, porcupine);
    record_free(&record);
}

// KIND-SEED, in the native format, and a line of standard output: the file, whether it is
// linearizable, how long that took here (ms), and what it is.
static void write_hard(const char *folder, size_t kind, uint64_t seed) {
    const struct hard *hard = &hard_kinds[kind];
    struct record record;
    struct lin_result result;
    char path[512];
    snprintf(path, sizeof path, "%s/%02zu-%" PRIu64, folder, kind, seed);
    FILE *file = fopen(path, "w");
    if (!file) {
        fprintf(stderr, "bench_histories: cannot write %s\n", path);
        exit(2);
    }
    hard_history(hard, seed, &record);
    hard_write(&record, file);
    fclose(file);
    double least_ms = 1e9;
    for (int run = 0; run < 5 && (run == 0 || least_ms < 1000); run++) {
        double start = now_ms();
        check(&record, &result);
        least_ms = least(least_ms, now_ms() - start);
    }
    static const char *const words[] = {"yes", "no", "unknown"};
    ASSERT(result.verdict == LIN_UNKNOWN ||
           (result.verdict == LIN_LINEARIZABLE) == (hard->fault == HARD_NONE));
    printf("%s\t%s\t%.3f\t%s\n", path, words[result.verdict], least_ms, hard->name);
    record_free(&record);
}

static void write_all(const char *folder) {
    for (size_t kind = 0; kind < sizeof hard_kinds / sizeof hard_kinds[0]; kind++)
        for (uint64_t seed = 1; seed <= 3; seed++)
            write_hard(folder, kind, seed);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    checker =
        lin_open(&(struct lin_limits){.steps_max = 100000000, .memory_bytes = (size_t)1 << 30});
    if (argc == 3 && strcmp(argv[1], "--write") == 0) {
        write_all(argv[2]);
        lin_close(checker);
        return 0;
    }
    printf("%-70s %12s %12s %12s\n", "history", "check", "with file", "Porcupine");
    bench_folder(argc > 1 ? argv[1] : "../shared/data/histories");
    bench_hard(&(struct hard){"store", HARD_NONE, 50, 50, 1712, 9, 1, 10, 0, 0, 0}, "367 ms");
    bench_hard(&(struct hard){"store", HARD_NONE, 50, 10, 1712, 9, 1, 10, 0, 0, 0}, "367 ms");
    bench_hard(&(struct hard){"store", HARD_NONE, 10, 10, 100000, 9, 1, 10, 0, 0, 0}, "-");
    for (size_t i = 0; i < sizeof hard_kinds / sizeof hard_kinds[0]; i++)
        bench_hard(&hard_kinds[i], "-");
    lin_close(checker);
    return 0;
}
