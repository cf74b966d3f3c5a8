// A request is answered by another thread, into a variable of the call that has asked. That call
// does not wait: it has returned before the answer is written.
#include <pthread.h>
#include <stdatomic.h>

struct request {
    int question;
    _Atomic(int *) answer;
};

static struct request request;
static atomic_int is_answered;

static void *reply(void *unused) {
    int *answer;
    while (!(answer = atomic_load(&request.answer))) {
    }
    *answer = request.question + 1;
    atomic_store(&is_answered, 1);
    return unused;
}

__attribute__((noinline)) static void ask(int question) {
    int answer = 0;
    request.question = question;
    atomic_store(&request.answer, &answer);
#ifdef FIXED
    while (!atomic_load(&is_answered)) {
    }
#endif
}

int main(void) {
    pthread_t thread;
    pthread_create(&thread, NULL, reply, NULL);
    ask(41);
    pthread_join(thread, NULL);
    return 0;
}
