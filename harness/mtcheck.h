// The command mtcheck: the models of this project under the command line.
#ifndef HARNESS_MTCHECK_H
#define HARNESS_MTCHECK_H

// The documented exit status.
int mtcheck_main(int argc, char **argv);

#endif
