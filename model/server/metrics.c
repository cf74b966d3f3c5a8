#include "model/server/metrics.h"

#include "model/server/http.h"
#include "model/wire/out.h"

#include <string.h>

enum { METRICS_BYTES = 1 << 16 };

static void add_metric(struct wire_out *out, const char *name, const char *type, uint64_t value) {
    wire_add_format(out, "# TYPE mtable_%s %s\nmtable_%s %llu\n", name, type, name,
                    (unsigned long long)value);
}

static void add_metrics(struct wire_out *out, const struct server_counts *counts) {
    // Each bucket counts also what is in those before it: that is how Prometheus reads them.
    uint64_t total = 0;
    add_metric(out, "requests_total", "counter", counts->requests);
    add_metric(out, "client_errors_total", "counter", counts->errors_client);
    add_metric(out, "server_errors_total", "counter", counts->errors_server);
    add_metric(out, "connections", "gauge", counts->connections);
    add_metric(out, "body_bytes", "gauge", counts->bytes);
    wire_add(out, "# TYPE mtable_request_seconds histogram\n");
    for (int i = 0; i < SERVER_TIMES; i++) {
        total += counts->times[i];
        // The last slot has no upper end; "+Inf" counts it.
        if (i < SERVER_TIMES - 1)
            wire_add_format(out, "mtable_request_seconds_bucket{le=\"%g\"} %llu\n",
                            (double)(UINT64_C(1) << (i + SERVER_TIMES_SHIFT)) / 1e6,
                            (unsigned long long)total);
    }
    wire_add_format(out,
                    "mtable_request_seconds_bucket{le=\"+Inf\"} %llu\n"
                    "mtable_request_seconds_sum %.6f\nmtable_request_seconds_count %llu\n",
                    (unsigned long long)total, counts->seconds, (unsigned long long)total);
}

enum MHD_Result metrics_answer(void *context, struct MHD_Connection *connection, const char *url,
                               const char *method, const char *version, const char *data,
                               size_t *size, void **state) {
    const struct server *server = context;
    struct arena arena;
    (void)version;
    (void)data;
    (void)state;
    if (strcmp(method, "GET") != 0 || *size > 0)
        return MHD_NO;
    arena_init(&arena, METRICS_BYTES);
    struct wire_out out = {.arena = &arena};
    bool is_health = strcmp(url, "/healthz") == 0, is_metrics = strcmp(url, "/metrics") == 0;
    struct server_counts counts = server_counts(server);
    if (is_metrics)
        add_metrics(&out, &counts);
    else
        wire_add(&out, is_health ? "ok\n" : "expected /healthz or /metrics\n");
    struct MHD_Response *response =
        MHD_create_response_from_buffer(out.size, out.data, MHD_RESPMEM_MUST_COPY);
    arena_deinit(&arena);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4");
    enum MHD_Result result =
        MHD_queue_response(connection, is_health || is_metrics ? 200 : 404, response);
    MHD_destroy_response(response);
    return result;
}
