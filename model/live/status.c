// init, status, pause, resume, throttle.
#include "model/live/accounts.h"
#include "model/live/session.h"

#include <string.h>

enum { LEASE_MS = 10000, LEASE_MS_MIN = 200 };

// ---- init --------------------------------------------------------------------------------------

// Opens both tables, which makes what is not there; their names become those of the control row.
static bool check_tables(struct session *session, struct mt_control_config *config,
                         struct error *error) {
    const struct live_options *options = session->options;
    struct file_connection old_file, new_file = {.table = NULL};
    bool is_open = file_open_named(&old_file, options->old_name, false, error) &&
                   file_open_named(&new_file, options->new_name, false, error);
    file_close(&old_file);
    file_close(&new_file);
    if (!is_open)
        return false;
    config->old_name = file_resolve(session->arena, options->old_name, error);
    config->new_name = file_resolve(session->arena, options->new_name, error);
    if (!config->old_name || !config->new_name)
        return false;
    return strcmp(config->old_name, config->new_name) != 0 ||
           error_set(error, "the old and the new table are the same: %.200s", config->old_name);
}

// For how long requests to the tables may be under way after their deadlines.
// The worst of the three: one number is kept for all tables.
static uint32_t late_ms(const struct live_options *options) {
    uint32_t places[3] = {file_late_ms(options->control), file_late_ms(options->old_name),
                          file_late_ms(options->new_name)};
    uint32_t most = places[0] > places[1] ? places[0] : places[1];
    return most > places[2] ? most : places[2];
}

int live_init(const struct live_options *options, struct error *error) {
    struct session session;
    uint32_t least = late_ms(options) > 0 ? ACCOUNTS_LEASE_MS_MIN : LEASE_MS_MIN;
    if (options->lease_ms != 0 && options->lease_ms < least) {
        error_set(error, "lease of %u ms: expected at least %u", options->lease_ms, least);
        return LIVE_USAGE;
    }
    if (!session_open(&session, options, true, error))
        return LIVE_FAILED;
    struct mt_control_config config = {
        // The first state is what a row of zeros says (USE_OLD_HIDE_METADATA); 1 because clients
        // begin with 0.
        .version = 1,
        .holder = "",
        .lease_ms = options->lease_ms ? (int32_t)options->lease_ms : LEASE_MS,
        .request_ms = (int32_t)late_ms(options),
    };
    int status = LIVE_FAILED;
    if (check_tables(&session, &config, error)) {
        struct mt_control control;
        session_control(&session, &control);
        struct ct_outcome outcome = mt_control_write_config(&control, session.arena, &config);
        status = outcome.kind == CT_SUCCEEDED                  ? LIVE_DONE
                 : ct_failed_with(outcome, CT_STATUS_CONFLICT) ? LIVE_NEGATIVE
                                                               : LIVE_FAILED;
    }
    if (status == LIVE_NEGATIVE)
        error_set(error, "%.200s: there is a migration '%.100s' already: see status",
                  options->control, options->name);
    else if (status == LIVE_FAILED && !*error->text)
        error_set(error, "%.200s: cannot write the control row", options->control);
    else if (status == LIVE_DONE && !options->is_json)
        fprintf(options->out, "migration %s is prepared: start the applications, then migrate\n",
                options->name);
    session_close(&session);
    return status;
}

// ---- status ------------------------------------------------------------------------------------

// Whether the push of the present version waits for [client].
static bool holds_up(const struct session *session, const struct mt_control_client *client) {
    return client->version < session->config.version;
}

static void print_text(const struct session *session, const struct mt_control_clients *clients,
                       const struct orders *orders) {
    const struct mt_control_config *config = &session->config;
    FILE *out = session->options->out;
    fprintf(out, "migration  %s\n", session->options->name);
    fprintf(out, "from       %s\nto         %s\n", config->old_name, config->new_name);
    fprintf(out, "state      %s%s\n", mt_state_name(config->state),
            config->has_ended ? ", ended" : "");
    fprintf(out, "version    %d, lease %d ms\n", (int)config->version, (int)config->lease_ms);
    fprintf(out, "migrator   %s\n", *config->holder ? config->holder : "none");
    if (*config->progress)
        fprintf(out, "progress   %s\n", config->progress);
    if (orders->is_paused)
        fprintf(out, "orders     paused: go on with resume\n");
    if (orders->hold_before > 0)
        fprintf(out, "orders     hold before %s: go on with resume\n",
                mt_state_name((enum mt_state)orders->hold_before));
    if (orders->rows_per_second > 0)
        fprintf(out, "orders     at most %d rows/s\n", (int)orders->rows_per_second);
    for (size_t i = 0; i < clients->count; i++)
        fprintf(out, "client     version %d%s  %s  (%s)\n", (int)clients->clients[i].version,
                holds_up(session, &clients->clients[i]) ? ", holds up the push" : "",
                clients->clients[i].id, clients->clients[i].about);
}

static void print_member(FILE *out, const char *name, const char *value) {
    fprintf(out, ",\"%s\":", name);
    session_json(out, value);
}

static void print_json(const struct session *session, const struct mt_control_clients *clients,
                       const struct orders *orders) {
    const struct mt_control_config *config = &session->config;
    FILE *out = session->options->out;
    fprintf(out, "{\"migration\":");
    session_json(out, session->options->name);
    print_member(out, "old", config->old_name);
    print_member(out, "new", config->new_name);
    print_member(out, "state", mt_state_name(config->state));
    print_member(out, "migrator", config->holder);
    print_member(out, "progress", config->progress);
    print_member(out, "hold_before",
                 orders->hold_before > 0 ? mt_state_name((enum mt_state)orders->hold_before) : "");
    fprintf(out,
            ",\"ended\":%s,\"version\":%d,\"lease_ms\":%d,\"paused\":%s,\"rows_per_second\":%d",
            config->has_ended ? "true" : "false", (int)config->version, (int)config->lease_ms,
            orders->is_paused ? "true" : "false", (int)orders->rows_per_second);
    fprintf(out, ",\"clients\":[");
    for (size_t i = 0; i < clients->count; i++) {
        fprintf(out, "%s{\"version\":%d,\"holds_up\":%s", i > 0 ? "," : "",
                (int)clients->clients[i].version,
                holds_up(session, &clients->clients[i]) ? "true" : "false");
        print_member(out, "id", clients->clients[i].id);
        print_member(out, "about", clients->clients[i].about);
        fputc('}', out);
    }
    fprintf(out, "]}\n");
}

int live_print_status(const struct live_options *options, struct error *error) {
    struct session session;
    struct mt_control_clients clients;
    struct orders orders;
    if (!session_open(&session, options, false, error))
        return LIVE_FAILED;
    bool is_read = session_read_clients(&session, &clients, error) &&
                   (orders_read(&session.control, options->name, session.arena, &orders).kind ==
                        CT_SUCCEEDED ||
                    error_set(error, "%.200s: cannot read the orders", options->control));
    if (is_read)
        (options->is_json ? print_json : print_text)(&session, &clients, &orders);
    session_close(&session);
    return is_read ? LIVE_DONE : LIVE_FAILED;
}

// ---- Orders ------------------------------------------------------------------------------------

static int change_orders(const struct live_options *options, struct error *error,
                         void (*change)(const struct live_options *options,
                                        struct orders *orders)) {
    struct session session;
    struct orders orders;
    if (!session_open(&session, options, false, error))
        return LIVE_FAILED;
    struct ct_outcome outcome =
        orders_read(&session.control, options->name, session.arena, &orders);
    if (outcome.kind == CT_SUCCEEDED) {
        change(options, &orders);
        // Read and written without a condition: two operators at once may undo each other's change,
        // and see it in status.
        outcome = orders_write(&session.control, options->name, session.arena, &orders);
    }
    session_close(&session);
    if (outcome.kind != CT_SUCCEEDED)
        error_set(error, "%.200s: cannot write the orders: the file is busy or failed; try again",
                  options->control);
    return outcome.kind == CT_SUCCEEDED ? LIVE_DONE : LIVE_FAILED;
}

static void pause_orders(const struct live_options *options, struct orders *orders) {
    (void)options;
    orders->is_paused = true;
}

static void resume_orders(const struct live_options *options, struct orders *orders) {
    (void)options;
    orders->is_paused = false;
    // Also the hold, for both look alike to whoever waits.
    orders->hold_before = 0;
}

static void throttle_orders(const struct live_options *options, struct orders *orders) {
    orders->rows_per_second = (int32_t)options->rows_per_second;
}

int live_pause(const struct live_options *options, struct error *error) {
    return change_orders(options, error, pause_orders);
}

int live_resume(const struct live_options *options, struct error *error) {
    return change_orders(options, error, resume_orders);
}

int live_throttle(const struct live_options *options, struct error *error) {
    return change_orders(options, error, throttle_orders);
}
