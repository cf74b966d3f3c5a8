// N philosophers eat ROUNDS times each, who take the fork with the lower number first:
// "philosophers" of protocols.c.
bool taken[N];

active [N] proctype philosopher() {
    byte meal;
    byte lower = (_pid < N - 1 -> _pid : 0), upper = (_pid < N - 1 -> _pid + 1 : N - 1);
end:
    do
    :: d_step { meal < ROUNDS && !taken[lower] -> taken[lower] = true }
       d_step { !taken[upper] -> taken[upper] = true }
       d_step { taken[upper] = false }
       d_step { taken[lower] = false; meal++ }
    od
}
