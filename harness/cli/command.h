// The command: parses, runs, reports; returns the documented exit status.
#ifndef HARNESS_CLI_COMMAND_H
#define HARNESS_CLI_COMMAND_H

int command_main(int argc, char **argv);

#endif
