// Two threads append to a buffer whose room is checked before the place is taken.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { ROOM = 3 };

static char *buffer;
static atomic_int length;

static void *append(void *letters) {
    for (const char *letter = letters; *letter; letter++) {
#ifdef FIXED
        int at = atomic_fetch_add(&length, 1);
        if (at >= ROOM)
            break;
#else
        if (atomic_load(&length) >= ROOM)
            break;
        int at = atomic_fetch_add(&length, 1);
#endif
        buffer[at] = *letter;
    }
    return NULL;
}

int main(void) {
    pthread_t threads[2];
    buffer = malloc(ROOM);
    pthread_create(&threads[0], NULL, append, "ab");
    pthread_create(&threads[1], NULL, append, "cd");
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    free(buffer);
    return 0;
}
