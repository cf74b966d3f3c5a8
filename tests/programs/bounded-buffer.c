// A buffer of one place, by semaphores. Who takes waits for something to be there with the lock
// held, and keeps out who would put it there. The other waits first.
#include <pthread.h>
#include <semaphore.h>

enum { ITEMS = 2 };

static sem_t room, there, lock;
static int place, sum;

static void *put(void *unused) {
    for (int i = 1; i <= ITEMS; i++) {
        sem_wait(&room);
        sem_wait(&lock);
        place = i;
        sem_post(&lock);
        sem_post(&there);
    }
    return unused;
}

static void *take(void *unused) {
    for (int i = 0; i < ITEMS; i++) {
#ifdef FIXED
        sem_wait(&there);
        sem_wait(&lock);
#else
        sem_wait(&lock);
        sem_wait(&there);
#endif
        sum += place;
        sem_post(&lock);
        sem_post(&room);
    }
    return unused;
}

int main(void) {
    pthread_t producer, consumer;
    sem_init(&room, 0, 1);
    sem_init(&there, 0, 0);
    sem_init(&lock, 0, 1);
    pthread_create(&producer, NULL, put, NULL);
    pthread_create(&consumer, NULL, take, NULL);
    pthread_join(producer, NULL);
    pthread_join(consumer, NULL);
    return sum == 3 ? 0 : 1;
}
