// Clients: how a machine's code reaches the tables, and the world it runs in.
//
// A client is one instance of a protocol in one machine: proxies of the two backend tables, an
// environment, and a transport. A transport decides what a call costs in scheduling points and what
// may happen while it is under way:
//   direct     one scheduling point before each call; call and annotation are one step; concurrent
//              activities are tasks of their own. The free one.
//   published  the message discipline of the published harness: a call is a request and a reply
//              through mailboxes, and a machine's activities share one task.
#ifndef HARNESS_TABLE_TRANSPORT_H
#define HARNESS_TABLE_TRANSPORT_H

#include "harness/table/execution_env.h"
#include "harness/table/tables.h"

struct client;

struct transport {
    // Has [request] served; returns when the answer is there.
    void (*request)(struct client *client, struct request *request);
    // The parts of the environment that differ (see struct ct_env_ops).
    void (*lock_acquire)(struct ct_env *env, const char *where, struct ct_lock *lock);
    void (*start)(struct ct_env *env, const char *name, void (*function)(void *), void *argument);
};

extern const struct transport transport_direct;
extern const struct transport transport_published;

// What befalls a client's backend calls. Direct transport only; set up after client_init.
struct client_faults {
    size_t calls;           // to the backend tables so far, failed ones included
    size_t server_error_at; // the call of this number, from 1 on, fails; 0: none does
    size_t writes;          // batches among them
    size_t lost_answer_at;  // the batch of this number is not answered; 0: all are
    enum { LOSS_DRAWN, LOSS_OF_DONE, LOSS_OF_NOT_DONE } loss; // whether it is done; or drawn then
    size_t death_after; // after the call of this number [die] is called; 0: never so
    void (*die)(struct client *client);
    void *mortal;                                    // for [die]: its own
    bool (*may_lose)(const struct request *request); // only such batches are counted; NULL: all
    void (*stall_after_loss)(struct client *client); // before its next backend call; NULL: none
    // So many backend calls from now [stall] is called; 0: no. Of who makes atomic calls, theirs.
    size_t stall_before;
    size_t stream_stall_before; // likewise of streams
    void (*stall_stream)(struct client *client);
    // Of those only batches count, behind the first query or batch of a call, and a query's second.
    bool stalls_in_window;
    void (*stall)(struct client *client); // by the caller, which it may suspend
    struct sct_strand *failed;            // whose call that was, until [client_take_server_error]
    struct sct_strand *lost;              // whose answer that was, until [client_take_lost_answer]
};

// A stream of a backend table, opened through a client.
struct client_stream {
    struct ct_stream stream; // first member
    const struct client_table *table;
    struct ct_stream *backend;
    struct client_stream *next, **link; // among the open ones; link is NULL once it is closed
    // For those who look at it: its number among all that were opened, from 1 on, what it was asked
    // for, and where it stands.
    uint32_t number;
    const struct ct_filter *filter;
    const struct ct_row *last; // what it has given last; NULL: nothing yet
    bool has_ended;
};

struct client_table {
    struct ct_table table;
    struct client *client;
    enum table_id id;
};

struct client {
    struct ct_env env; // first member: the environment is the client
    const struct transport *transport;
    struct tables_host *host;
    struct sct_machine *machine;
    struct client_table old_table, new_table; // a plain table is the old one
    struct call_record *calls; // the running atomic calls: one, but for hooks of published cases
    size_t requests;           // how many it has made
    struct client_faults faults;
    // What each step of its tasks touches beside what it names, where tasks of its machine share
    // more than is named; NULL: nothing.
    const struct sct_access *touches;
    bool may_linearize; // false: it may report no linearization points (the migrator)
};

// A client of [host]'s tables in [machine].
void client_init(struct client *client, const struct transport *transport, struct tables_host *host,
                 struct sct_machine *machine);

// The running step is one of [client]'s: see its [touches].
static inline void client_touch(const struct client *client) {
    if (client->touches)
        sct_touch(client->touches);
}

// Closes what streams [client] has open, for its machine was stopped.
void client_close_streams(struct client *client);

// The running atomic call of the running coroutine; NULL if there is none or it may not linearize.
struct call_record *client_call(const struct client *client);

// Whether a backend call of the running strand has failed with a server error that was not yet
// asked about.
bool client_take_server_error(struct client *client);

// Whether a batch of the running strand was not answered, which was not yet asked about.
bool client_take_lost_answer(struct client *client);

// Looks at the reference table; requests like any other, so they may be scheduling points.
struct ct_rows client_peek_rows(struct client *client, const char *where);
size_t client_peek_revision(struct client *client, const char *where);
bool client_peek_valid(struct client *client, const char *where,
                       const struct ct_memory_window *window, const struct ct_row *row);

// Where requests are served.
struct tables_host {
    struct tables *tables;
    struct sct_machine *machine;
    uint64_t now;             // the environment's clock, in nanoseconds
    struct sct_waiters ready; // direct: those who wait until the tables have got their annotation
    // Published: what to do with a message that is not the transport's. Runs in the host's task.
    void (*on_message)(struct tables_host *host, struct sct_message *message);
};

void tables_host_init(struct tables_host *host, struct tables *tables);

// ---- Published ---------------------------------------------------------------------------------

// Kinds of messages. Those from MESSAGE_USER on are the protocol's own, taken in every state.
enum message_kind {
    MESSAGE_ANNOTATABLE_CALL, // to the tables
    MESSAGE_FREE_CALL,
    MESSAGE_ANNOTATION,
    MESSAGE_REPLY,    // to a client
    MESSAGE_CONTINUE, // of a client to itself
    MESSAGE_USER = 8,
};

// A call under way by messages: three messages over one piece of the caller's stack.
struct remote_call {
    struct sct_message request, reply, resume;
    void *payload; // struct request, or what MESSAGE_USER kinds carry
    struct client *client;
    struct sct_strand *waiter;
};

#define MESSAGE_OF(type, member, message) \
    ((type *)(void *)((char *)(message)-offsetof(type, member)))

// Sends [call] to the host as [kind] and waits in the published way: the reply is taken by the
// client's loop, which sends itself a message to go on.
void published_call(struct client *client, struct remote_call *call, uint32_t kind,
                    const char *label, const char *where);

// Answers [call]; to be used by the host.
void published_reply(struct remote_call *call, const char *label);

// The host's task: serves requests for ever, deferring table calls as the protocol demands.
void published_serve(struct tables_host *host);

// The client machine's task: takes messages for ever; [on_message] gets those from MESSAGE_USER on.
void published_client_loop(struct client *client,
                           void (*on_message)(struct client *client, struct sct_message *message));

#endif
