#include "harness/mtcheck.h"
#include "harness/cli/command.h"
#include "harness/models.h"
#include "harness/programs/launch.h"

#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Explores the interleavings of a protocol under a controlled scheduler and checks every\n"
    "execution. Finds injected bugs (--bug), or says how sure a clean run is.\n";

int mtcheck_main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "run") == 0)
        return launch(argc - 1, argv + 1);
    const char *call = getenv("MTCHECK_COMMAND"); // the launcher tells how it was called
    return command_run(&(struct command){.name = "mtcheck",
                                         .call = {call && *call ? call : "mtcheck", NULL},
                                         .subjects = models,
                                         .front = FRONT_MODELS,
                                         .help = help},
                       argc, argv);
}
