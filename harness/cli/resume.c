#include "harness/cli/resume.h"
#include "harness/cli/version.h"

#include <string.h>

void resume_describe(const struct options *options, uint64_t seed, struct text *text) {
    text_add(text, "%s\n", version_code);
    options_describe(options, seed, text);
}

bool resume_open(enum front front, int argc, char **argv, struct sct_checkpoint *checkpoint,
                 struct options *options, struct error *error) {
    const char *path = options->resume;
    struct error inner;
    if (!sct_checkpoint_open(checkpoint, path, error))
        return false;
    char *stored = checkpoint->text;
    size_t length = strcspn(stored, "\n");
    if (strlen(version_code) != length || memcmp(stored, version_code, length) != 0)
        return error_set(error, "checkpoint '%.200s': expected one of %s, found one of %.*s", path,
                         version_code, length == 0 || length > 100 ? 100 : (int)length,
                         length > 0 ? stored : "nothing");
    stored += length + (stored[length] == '\n');
    return options_parse(front, argc, argv, stored, options, &inner) ||
           error_set(error, "checkpoint '%.200s': %.250s", path, inner.text);
}
