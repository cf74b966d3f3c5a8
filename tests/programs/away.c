// A program that goes elsewhere, and there ends as it should not, or as it should.
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv) {
    int *volatile nowhere = NULL;
    if (argc < 2 || chdir(argv[1]) != 0)
        return 2;
    umask(0777);
    return argc > 2 ? 0 : *nowhere;
}
