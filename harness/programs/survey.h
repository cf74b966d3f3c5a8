// The survey of --races all: which races there are in a number of executions that go on behind
// each.
#ifndef HARNESS_PROGRAMS_SURVEY_H
#define HARNESS_PROGRAMS_SURVEY_H

enum { SURVEY_EXECUTIONS = 100 };

// Runs them in a process of its own, always the same ones, so that a campaign and the replay of its
// traces find the same; posix_survey_at has them.
void survey_races(void);

#endif
