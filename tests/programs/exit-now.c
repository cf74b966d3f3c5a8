// _exit leaves what is in the buffers of streams where it is; exit writes it. An argument: by exit.
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv) {
    (void)argv;
    printf("buffered\n");
    FILE *file = fopen("exit-now.out", "w");
    if (!file)
        return 1;
    fputs("buffered\n", file);
    if (argc > 1)
        exit(0);
    _exit(0);
}
