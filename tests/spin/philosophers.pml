// N philosophers eat ROUNDS times each, who take the fork with the lower number first:
// "philosophers" of protocols.c; with -DMUTEX "mutexes".
bool taken[N];

#ifdef MUTEX
// Whoever comes to a fork that is taken begins to wait, which is a step.
#define TAKE(when, fork)                                           \
    if                                                             \
    :: d_step { when && !taken[fork] -> taken[fork] = true }       \
    :: when && taken[fork] ->                                      \
       d_step { !taken[fork] -> taken[fork] = true }               \
    fi
#else
#define TAKE(when, fork) d_step { when && !taken[fork] -> taken[fork] = true }
#endif

active [N] proctype philosopher() {
    byte meal;
    byte lower = (_pid < N - 1 -> _pid : 0), upper = (_pid < N - 1 -> _pid + 1 : N - 1);
end:
    do
    :: TAKE(meal < ROUNDS, lower);
       TAKE(true, upper);
       d_step { taken[upper] = false };
       d_step { taken[lower] = false; meal++ }
    od
}
