#include "harness/cli/list.h"
#include "harness/report/json.h"

#include <jansson.h>
#include <string.h>

// One thing that there is.
struct entry {
    const char *name;
    const char *summary;
    const char *kind; // NULL: these have no kinds, and no numbers
    int id;
};

// Prints one line, or appends one object to [array] if that is given.
static void list_entry(FILE *out, json_t *array, const struct entry *entry) {
    if (array) {
        json_t *object = json_pack("{s:s, s:s}", "name", entry->name, "summary", entry->summary);
        if (entry->kind) {
            json_object_set_new(object, "id", json_integer(entry->id));
            json_object_set_new(object, "kind", json_string(entry->kind));
        }
        json_array_append_new(array, object);
    } else if (entry->kind) {
        fprintf(out, "%2d  %-37s %-10s %s\n", entry->id, entry->name, entry->kind, entry->summary);
    } else {
        fprintf(out, "%-16s %s\n", entry->name, entry->summary);
    }
}

static void list_variants(FILE *out, json_t *array, const struct subject *subject) {
    for (size_t i = 0; i < subject_variant_count(subject); i++) {
        struct variant variant = subject->variants->at(i);
        list_entry(out, array,
                   &(struct entry){variant.name, variant.summary, variant.kind, variant.number});
    }
}

static void list_tests(FILE *out, json_t *array, const struct subject *subject) {
    for (const struct subject_test *const *test = subject->tests; *test; test++)
        list_entry(out, array,
                   &(struct entry){.name = (*test)->name,
                                   .summary = (*test)->summary ? (*test)->summary : ""});
}

static void list_strategies(FILE *out, json_t *array) {
    for (size_t i = 0; sct_strategy_at(i); i++)
        list_entry(out, array,
                   &(struct entry){.name = sct_strategy_at(i)->name,
                                   .summary = sct_strategy_at(i)->summary});
}

static void list_subjects(FILE *out, json_t *array, const struct subject *const *subjects) {
    for (size_t i = 0; subjects[i]; i++)
        list_entry(out, array,
                   &(struct entry){.name = subjects[i]->name, .summary = subjects[i]->summary});
}

void list_print(FILE *out, const struct options *options, const struct subject *const *subjects,
                const struct subject *subject) {
    json_t *array = options->format == FORMAT_JSON ? json_array() : NULL;
    if (strcmp(options->list, "bugs") == 0)
        list_variants(out, array, subject);
    else if (strcmp(options->list, "tests") == 0)
        list_tests(out, array, subject);
    else if (strcmp(options->list, "strategies") == 0)
        list_strategies(out, array);
    else
        list_subjects(out, array, subjects);
    if (array)
        json_print(out, array);
}
