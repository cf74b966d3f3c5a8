// How a client asks for the next page. Internal to model/server.
#ifndef MODEL_SERVER_TOKEN_H
#define MODEL_SERVER_TOKEN_H

#include "model/server/target.h"

// A continuation token: a text that a header and a URL can carry, never empty.
const char *token_write(struct arena *arena, const char *text);

// What is in it; NULL if it is none of ours.
const char *token_read(struct arena *arena, const char *token);

// $top: at most and by default a page's rows.
enum wire_error token_read_top(const struct target *target, uint64_t *top);

#endif
