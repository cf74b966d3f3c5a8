// Which program this is.
#ifndef HARNESS_CLI_VERSION_H
#define HARNESS_CLI_VERSION_H

// The commit that the build was configured from, shortened; "unknown" outside a git tree.
extern const char version_commit[];

// Version and commit: reports and checkpoints of programs that differ in it do not go together.
extern const char version_code[];

// What --version prints: that, and the compiler.
extern const char version_line[];

#endif
