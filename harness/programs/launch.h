// Starting a program under control: `mtcheck run PROGRAM [OPTION]... [-- ARGUMENT]...`.
#ifndef HARNESS_PROGRAMS_LAUNCH_H
#define HARNESS_PROGRAMS_LAUNCH_H

// Set in the environment of a program that is to be under control.
#define LAUNCH_VARIABLE "MTCHECK"

// Checks that argv[1] is a program that mtcheck-cc has built, and becomes it. Returns the status if
// that cannot be: one line says why.
int launch(int argc, char **argv);

#endif
