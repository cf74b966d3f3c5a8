#include "harness/subject/subject.h"
#include "core/base/assert.h"
#include "core/base/number.h"

#include <stdlib.h>
#include <string.h>

const struct subject *subject_find(const struct subject *const *subjects, const char *name) {
    for (size_t i = 0; subjects[i]; i++)
        if (strcmp(subjects[i]->name, name) == 0)
            return subjects[i];
    return NULL;
}

const struct subject_test *subject_test(const struct subject *subject, const char *name) {
    ASSERT(subject->tests[0]);
    name = name ? name : subject->default_test;
    for (size_t i = 0; subject->tests[i]; i++)
        if (!name || strcmp(subject->tests[i]->name, name) == 0)
            return subject->tests[i];
    return NULL;
}

struct variant subject_variant(const struct subject *subject, const char *number_or_name) {
    uint64_t number = 0;
    // Numbers never change, so scripts may use them; people use the name.
    bool is_number = number_parse(number_or_name, 0, INT32_MAX, &number);
    const struct subject_variants *variants = subject->variants;
    for (size_t i = 0; variants && variants->at(i).name; i++)
        if ((is_number && variants->at(i).number == (int)number) ||
            strcmp(variants->at(i).name, number_or_name) == 0)
            return variants->at(i);
    return (struct variant){0};
}

size_t subject_variant_count(const struct subject *subject) {
    size_t count = 0;
    while (subject->variants && subject->variants->at(count).name)
        count++;
    return count;
}

uint32_t subject_steps(const struct subject *subject, const struct subject_test *test) {
    return test->steps_max ? test->steps_max : subject->steps_max;
}

struct sct_program subject_program(const struct subject *subject, const struct subject_test *test,
                                   void *context) {
    struct sct_program program = test->program;
    // The context is the set of bugs, also where none is injected: the lines count how often they
    // are passed.
    ASSERT(!subject->variants || context);
    if (subject->variants)
        program.context = context;
    return program;
}

const struct subject_view *subject_view(const struct subject_test *test) {
    static const struct subject_view none;
    return test->view ? test->view : &none;
}
