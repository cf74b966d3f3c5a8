// Litmus tests: small programs on atomic variables, given as an argument, whose outcome is printed.
//     litmus 'Wx1 Ry | Wy1 Rx'
// Threads are separated by |. An operation is a letter, a variable (x, y or z) where it has one, a
// value where it stores, and the letter of its order (none: relaxed; a acquire, r release, b both,
// s seq_cst):  Wx1 stores 1, Rx loads, Ux adds 1, Ax1 loads until it finds 1, F is a fence. The
// outcome is what was loaded, by thread, and what the variables hold at the end.
#include <ctype.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 4, LOADS = 4, VARIABLES = 3 };

struct thread {
    pthread_t id;
    const char *program;
    int loads[LOADS];
    int load_count;
};

static atomic_int variables[VARIABLES];

static memory_order order_at(const char **at) {
    static const char letters[] = "arbs";
    static const memory_order orders[] = {memory_order_acquire, memory_order_release,
                                          memory_order_acq_rel, memory_order_seq_cst};
    const char *letter = **at ? strchr(letters, **at) : NULL;
    *at += letter != NULL;
    return letter ? orders[letter - letters] : memory_order_relaxed;
}

static const char *run_operation(struct thread *thread, const char *at) {
    char operation = *at++;
    if (operation == 'F') {
        atomic_thread_fence(order_at(&at));
        return at;
    }
    atomic_int *variable = &variables[*at++ - 'x'];
    int value = isdigit((unsigned char)*at) ? *at++ - '0' : 0;
    memory_order order = order_at(&at);
    if (operation == 'W')
        atomic_store_explicit(variable, value, order);
    else if (operation == 'R')
        thread->loads[thread->load_count++] = atomic_load_explicit(variable, order);
    else if (operation == 'A')
        while (atomic_load_explicit(variable, order) != value)
            ;
    else if (operation == 'U')
        thread->loads[thread->load_count++] = atomic_fetch_add_explicit(variable, 1, order);
    else
        exit(2);
    return at;
}

static void *run(void *argument) {
    struct thread *thread = argument;
    for (const char *at = thread->program; *at && *at != '|';)
        at = *at == ' ' ? at + 1 : run_operation(thread, at);
    return NULL;
}

int main(int argc, char **argv) {
    static struct thread threads[THREADS];
    int count = 0;
    const char *program = argc > 1 ? argv[1] : NULL;
    while (program && count < THREADS) {
        threads[count++].program = program;
        program = strchr(program, '|');
        program = program ? program + 1 : NULL;
    }
    for (int i = 0; i < count; i++)
        pthread_create(&threads[i].id, NULL, run, &threads[i]);
    for (int i = 0; i < count; i++)
        pthread_join(threads[i].id, NULL);
    printf("outcome");
    for (int i = 0; i < count; i++)
        for (int k = 0; k < threads[i].load_count; k++)
            printf(" %d", threads[i].loads[k]);
    for (int i = 0; i < VARIABLES; i++)
        printf(" %c=%d", 'x' + i, atomic_load(&variables[i]));
    printf("\n");
    return 0;
}
