#include "core/posix/moment.h"
#include "core/engine/program.h"
#include "core/memory/memory.h"
#include "core/posix/aside.h"
#include "core/posix/images.h"
#include "core/posix/world.h"

#include <string.h>

// What may be imported: with these nothing is changed but the program's memory and what is told.
static const char *const names[] = {
    "pthread_create", "pthread_join", "pthread_exit", "pthread_yield", "sched_yield",
    "pthread_mutex_init", "pthread_mutex_destroy", "pthread_mutex_lock", "pthread_mutex_trylock",
    "pthread_mutex_unlock", "pthread_barrier_init", "pthread_barrier_destroy",
    "pthread_barrier_wait", "pthread_cond_init", "pthread_cond_destroy", "pthread_cond_wait",
    "pthread_cond_signal", "pthread_cond_broadcast", "sem_init", "sem_destroy", "sem_wait",
    "sem_trywait", "sem_post", "malloc", "calloc", "free", "memcpy", "memmove", "memset", "memcmp",
    "strcmp", "strlen", "atoi", "abort", "exit", "__assert_fail", "__VERIFIER_assume",
    "__stack_chk_fail",
    // Of every program.
    "__libc_start_main", "__cxa_finalize", "__gmon_start__", "_ITM_deregisterTMCloneTable",
    "_ITM_registerTMCloneTable", "__wrap_main"};

static bool is_known(const char *name) {
    static const char hooks[] = "__tsan_";
    if (strncmp(name, hooks, sizeof hooks - 1) == 0)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

static struct sct_memory *memory;

static bool visit(posix_tell *tell, void *to) {
    ASSERT(posix_world.is_open && memory);
    posix_world_tell(tell, to);
    posix_threads_tell(tell, to);
    posix_twins_tell(tell, to);
    posix_frames_tell(tell, to);
    posix_objects_tell(tell, to);
    posix_awaits_tell(tell, to);
    posix_exit_tell(tell, to);
    sct_memory_visit_cells(memory, tell, to);
    return posix_images_tell(tell, to) && posix_heap_tell(tell, to);
}

static void returned(void) {
    // Whatever the last execution was left in: it may have ended in the tester's code.
    posix_aside_begin();
    posix_heap_returned();
    sct_memory_returned(memory);
}

const struct sct_outside *posix_outside(struct sct_memory *of_program) {
    static const struct sct_outside outside = {visit, returned};
    const struct posix_options *options = &posix_world.options;
    ASSERT(of_program);
    if (options->reuses_memory || options->shows_output || posix_has_locals() ||
        !posix_images_import_only(is_known))
        return NULL;
    memory = of_program;
    sct_memory_keep_cells(memory);
    return &outside;
}
