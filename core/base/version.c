#include "core/base/version.h"

const char *sct_version(void) {
    return SCT_VERSION;
}

int sct_version_number(void) {
    return SCT_VERSION_NUMBER;
}
