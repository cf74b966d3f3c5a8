// N workers add 1 to a counter ROUNDS times each, not atomically: "toy" of protocols.c.
byte counter;

active [N] proctype worker() {
    byte round, seen;
end:
    do
    :: d_step { round < ROUNDS -> seen = counter }
       d_step { counter = seen + 1; seen = 0; round++ }
    od
}
