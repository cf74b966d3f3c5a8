// Two threads announce that they want to enter and look whether the other does (Dekker's way). With
// release and acquire each may miss the other's announcement, on x86 as well: the store waits in a
// buffer while the load goes ahead. A fence of order SEQ_CST between the two keeps them apart. What
// is behind the doors is a plain variable, so that whoever meets there is a data race.
#include "core/sct.h"

struct doors {
    enum sct_order fence;
    struct sct_atomic wants[2];
    struct sct_shared room;
};

static struct doors *doors;

static void *enter(void *argument) {
    uintptr_t self = (uintptr_t)argument;
    sct_atomic_store_explicit(&doors->wants[self], 1, SCT_RELEASE);
    sct_fence(doors->fence);
    if (sct_atomic_load_explicit(&doors->wants[1 - self], SCT_ACQUIRE) == 0)
        sct_shared_write(&doors->room);
    return NULL;
}

static void setup(void *context) {
    doors = ARENA_NEW(sct_arena(), struct doors);
    doors->fence = *(const enum sct_order *)context;
    sct_atomic_init(&doors->wants[0], "wants-0", 0);
    sct_atomic_init(&doors->wants[1], "wants-1", 0);
    sct_shared_init(&doors->room, "room");
    sct_thread_create("left", enter, (void *)0);
    sct_thread_create("right", enter, (void *)1);
}

int main(int argc, char **argv) {
    static enum sct_order weak = SCT_ACQ_REL, strong = SCT_SEQ_CST;
    struct sct_memory *memory = sct_memory_new(
        &(struct sct_memory_options){.model = SCT_MEMORY_C11, .races = SCT_RACES_FIRST});
    struct sct_test tests[] = {
        {.name = "weak-fence",
         .summary = "the fence between store and load is acq_rel",
         .program = {.setup = setup, .context = &weak, .memory = memory}},
        {.name = "fixed",
         .summary = "the fence is seq_cst",
         .program = {.setup = setup, .context = &strong, .memory = memory}},
    };
    int status = sct_run(argc, argv, &(struct sct_suite){"doors", tests, 2});
    sct_memory_free(memory);
    return status;
}
