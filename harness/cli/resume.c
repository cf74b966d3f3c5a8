#include "harness/cli/resume.h"
#include "harness/cli/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PROGRAM_BYTES = 512 };

// The program: this one, and what its first subject is bound to.
static void describe_program(const struct subject *subject, struct text *text) {
    text_add(text, "%s", version_code);
    if (subject->binding)
        text_add(text, ", %s", subject->binding);
}

// Line by line: the program, the probe, the options. What comes first is looked at first.
void resume_describe(const struct subject *subject, const struct options *options, uint64_t seed,
                     uint64_t probe, struct text *text) {
    describe_program(subject, text);
    text_add(text, "\n%016" PRIx64 "\n", probe);
    options_describe(options, seed, text);
}

bool resume_fits(const struct sct_checkpoint *checkpoint, uint64_t probe, struct error *error) {
    char own[20];
    snprintf(own, sizeof own, "%016" PRIx64, probe);
    const char *stored = strchr(checkpoint->text, '\n'); // behind the program
    return (stored && strncmp(stored + 1, own, strlen(own)) == 0) ||
           error_set(error,
                     "checkpoint '%.200s': of a build in which the test decides differently: "
                     "expected probe %s, found %.16s",
                     checkpoint->path, own, stored ? stored + 1 : "none");
}

bool resume_open(const struct command *command, char **argv, struct sct_checkpoint *checkpoint,
                 struct options *options, struct error *error) {
    const char *path = options->resume;
    struct error inner;
    char buffer[PROGRAM_BYTES];
    struct text program = text_in(buffer, sizeof buffer);
    describe_program(command->subjects[0], &program);
    if (!sct_checkpoint_open(checkpoint, path, error))
        return false;
    char *stored = checkpoint->text;
    size_t length = strcspn(stored, "\n");
    // Another version may decide otherwise, and half a campaign of each would be neither.
    if (program.length != length || memcmp(stored, program.data, length) != 0)
        return error_set(error, "checkpoint '%.200s': expected one of %.120s, found one of %.*s",
                         path, program.data, length == 0 || length > 100 ? 100 : (int)length,
                         length > 0 ? stored : "nothing");
    stored += length + (stored[length] == '\n');
    stored += strcspn(stored, "\n"); // the probe: see resume_fits
    stored += *stored == '\n';
    return options_parse(command->front, argv, stored, options, &inner) ||
           error_set(error, "checkpoint '%.200s': %.250s", path, inner.text);
}
