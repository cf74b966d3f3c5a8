// Two-phase commit with N participants, each of which may vote to abort: "commit" of protocols.c.
// Within an atomic sequence only a receive from an empty channel lets others run, as there.
#define PREPARE 0
#define COMMIT 1
#define ABORT 2

chan asked[N] = [2] of { byte };
chan votes = [N] of { byte };
byte outcome[N];

active proctype coordinator() {
    byte next, got, vote, decision = COMMIT;
    do
    :: atomic { next < N - 1 -> asked[next]!PREPARE; next++ }
    :: atomic {
           next == N - 1 -> asked[next]!PREPARE; next = 0;
           do
           :: got < N -> votes?vote;
              if
              :: vote == ABORT -> decision = ABORT
              :: else
              fi;
              got++; vote = 0
           :: else -> break
           od
       }
       break
    od;
end:
    do
    :: atomic { next < N -> asked[next]!decision; next++ }
    od
}

active [N] proctype participant() {
    byte told;
    atomic {
        asked[_pid - 1]?PREPARE;
        if
        :: votes!COMMIT
        :: votes!ABORT
        fi;
        asked[_pid - 1]?told;
        outcome[_pid - 1] = told
    }
end:
    false
}
