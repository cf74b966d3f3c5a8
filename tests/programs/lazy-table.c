// A table that is made when somebody first asks for it. By a flag two make it, or one uses it half
// made. The other makes it by pthread_once.
#include <assert.h>
#include <pthread.h>

static int squares[4], made;

static void make(void) {
    for (int i = 0; i < 4; i++)
        squares[i] = i * i;
    made++;
}

static int square_of(int number) {
#ifdef FIXED
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make);
#else
    if (!made)
        make();
#endif
    return squares[number];
}

static void *ask(void *unused) {
    assert(square_of(2) == 4);
    return unused;
}

int main(void) {
    pthread_t other;
    pthread_create(&other, NULL, ask, NULL);
    assert(square_of(3) == 9);
    pthread_join(other, NULL);
    return 0;
}
