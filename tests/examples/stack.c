// A lock-free stack whose nodes are used again, and the ABA problem: a pop reads the top node and
// its successor; while it pauses, others pop both and push the first one back; its compare-exchange
// succeeds although the successor belongs to somebody. The correct stack counts its changes in the
// upper half of the top.
#include "core/sct.h"

enum { NODES = 3, THREADS = 2, NONE = NODES };

struct stack {
    bool counts_changes; // the correction
    struct sct_atomic top;
    struct sct_atomic next[NODES];
    bool is_owned[NODES]; // by a thread that has popped it
};

static uint64_t after(const struct stack *stack, uint64_t top, uint64_t node) {
    uint64_t changes = stack->counts_changes ? (top >> 32) + 1 : 0;
    return changes << 32 | node;
}

static uint64_t node_of(uint64_t top) {
    return top & UINT32_MAX;
}

// A node, or NONE.
static uint64_t pop(struct stack *stack) {
    uint64_t top = sct_atomic_load(&stack->top);
    while (node_of(top) != NONE) {
        uint64_t next = sct_atomic_load(&stack->next[node_of(top)]);
        if (sct_atomic_compare_exchange(&stack->top, &top, after(stack, top, next)))
            break;
    }
    return node_of(top);
}

static void push(struct stack *stack, uint64_t node) {
    uint64_t top = sct_atomic_load(&stack->top);
    do
        sct_atomic_store(&stack->next[node], node_of(top));
    while (!sct_atomic_compare_exchange(&stack->top, &top, after(stack, top, node)));
}

static uint64_t pop_as_owner(struct stack *stack) {
    uint64_t node = pop(stack);
    if (node == NONE)
        return NONE;
    sct_check(!stack->is_owned[node], "popped-twice", "node %d was popped by two threads",
              (int)node);
    stack->is_owned[node] = true;
    return node;
}

static void push_as_owner(struct stack *stack, uint64_t node) {
    if (node == NONE)
        return;
    stack->is_owned[node] = false;
    push(stack, node);
}

// Takes two nodes and gives back the first.
static void *use(void *argument) {
    struct stack *stack = argument;
    uint64_t first = pop_as_owner(stack);
    pop_as_owner(stack);
    push_as_owner(stack, first);
    return NULL;
}

static void setup(void *context) {
    static const char *const node_names[NODES] = {"next-0", "next-1", "next-2"};
    static const char *const thread_names[THREADS] = {"thread-0", "thread-1"};
    struct stack *stack = ARENA_NEW(sct_arena(), struct stack);
    stack->counts_changes = *(const bool *)context;
    sct_atomic_init(&stack->top, "top", 0);
    for (uint64_t node = 0; node < NODES; node++)
        sct_atomic_init(&stack->next[node], node_names[node], node + 1);
    for (int i = 0; i < THREADS; i++)
        sct_thread_create(thread_names[i], use, stack);
}

int main(int argc, char **argv) {
    static bool yes = true, no = false;
    static const struct sct_test tests[] = {
        {.name = "aba",
         .summary = "the top is a node only",
         .program = {.setup = setup, .context = &no}},
        {.name = "fixed",
         .summary = "the top counts its changes",
         .program = {.setup = setup, .context = &yes}},
    };
    return sct_run(argc, argv, &(struct sct_suite){"stack", tests, 2});
}
