// A thread is joined that was not created. The other looks.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void *use(void *text) {
    return memchr(text, 'o', 6);
}

int main(void) {
    char *text = malloc(6);
#ifdef FIXED
    if (!text)
        return 0;
#endif
    if (text)
        memcpy(text, "hello", 6);
    pthread_t thread;
    int error = pthread_create(&thread, NULL, use, text ? text : "none");
#ifdef FIXED
    if (error == 0)
#endif
        pthread_join(thread, NULL);
    free(text);
    return error != 0;
}
