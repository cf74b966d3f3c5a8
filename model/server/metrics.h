// What the endpoint says of itself: /healthz, and /metrics in the text format of Prometheus.
#ifndef MODEL_SERVER_METRICS_H
#define MODEL_SERVER_METRICS_H

#include <microhttpd.h>

// Answers one request; a handler of libmicrohttpd, whose [context] is the struct server. On a port
// and a thread of its own: it answers also when all workers are busy.
enum MHD_Result metrics_answer(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **state);

#endif
