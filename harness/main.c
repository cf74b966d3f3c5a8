#include "harness/mtcheck.h"

int main(int argc, char **argv) {
    return mtcheck_main(argc, argv);
}
