#include "harness/cli/list.h"
#include "harness/report/json.h"

#include <jansson.h>
#include <string.h>

// Prints one line, or appends one object to [array] if that is given. [kind] may be NULL.
static void list_entry(FILE *out, json_t *array, int id, const char *name, const char *kind,
                       const char *summary) {
    if (array) {
        json_t *object = json_pack("{s:s, s:s}", "name", name, "summary", summary);
        if (kind) {
            json_object_set_new(object, "id", json_integer(id));
            json_object_set_new(object, "kind", json_string(kind));
        }
        json_array_append_new(array, object);
    } else if (kind) {
        fprintf(out, "%2d  %-37s %-10s %s\n", id, name, kind, summary);
    } else {
        fprintf(out, "%-16s %s\n", name, summary);
    }
}

static void list_variants(FILE *out, json_t *array, const struct subject *subject) {
    for (size_t i = 0; i < subject_variant_count(subject); i++) {
        struct variant variant = subject->variants->at(i);
        list_entry(out, array, variant.number, variant.name, variant.kind, variant.summary);
    }
}

static void list_tests(FILE *out, json_t *array, const struct subject *subject) {
    for (const struct subject_test *const *test = subject->tests; *test; test++)
        list_entry(out, array, 0, (*test)->name, NULL, (*test)->summary ? (*test)->summary : "");
}

static void list_strategies(FILE *out, json_t *array) {
    for (size_t i = 0; sct_strategy_at(i); i++)
        list_entry(out, array, 0, sct_strategy_at(i)->name, NULL, sct_strategy_at(i)->summary);
}

static void list_subjects(FILE *out, json_t *array, const struct subject *const *subjects) {
    for (size_t i = 0; subjects[i]; i++)
        list_entry(out, array, 0, subjects[i]->name, NULL, subjects[i]->summary);
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
