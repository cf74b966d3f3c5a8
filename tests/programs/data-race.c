// A flag of type int says that a message is there: what is behind it is not ordered. The other has
// an atomic flag, released and acquired.
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

struct message {
    char text[12];
    int length;
};

static struct message message;
#ifdef FIXED
static atomic_int is_there;
#else
static int is_there;
#endif

static void *send(void *text) {
    strcpy(message.text, text);
    message.length = (int)strlen(text);
#ifdef FIXED
    atomic_store_explicit(&is_there, 1, memory_order_release);
#else
    is_there = 1;
#endif
    return NULL;
}

static int receive(void) {
#ifdef FIXED
    int sees = atomic_load_explicit(&is_there, memory_order_acquire);
#else
    int sees = is_there;
#endif
    return sees ? message.length : 0;
}

int main(void) {
    pthread_t sender;
    pthread_create(&sender, NULL, send, "hello");
    int length = receive();
    pthread_join(sender, NULL);
    return length == 0 || length == message.length ? 0 : 1;
}
