// Entities as JSON: the one place that knows how each type of a property is written.
#ifndef MODEL_WIRE_ENTITY_H
#define MODEL_WIRE_ENTITY_H

#include "model/table/table.h"
#include "model/wire/error.h"
#include "model/wire/out.h"

struct json_t;

// Reads the text of one JSON object into a row; strings are in [arena]. A key that is not there is
// NULL. The row's ETag is "odata.etag", or NULL; its timestamp is "Timestamp" if that is one. What
// the service refuses of a row (model/table/check.h) is for the caller to ask.
enum wire_error wire_entity_read(struct arena *arena, const char *text, size_t size,
                                 struct ct_row **row);

// The same of an object that was read already, as in the answer to a query.
enum wire_error wire_entity_of(struct arena *arena, const struct json_t *object,
                               struct ct_row **row);

enum wire_metadata { WIRE_METADATA_NONE, WIRE_METADATA_MINIMAL, WIRE_METADATA_FULL };

// Which of a row is written and how. With [select] only the named properties; names that the row
// lacks are null, as the service has it. [base] is the URL of the account.
struct wire_form {
    enum wire_metadata metadata;
    const char *base, *account, *table;
    const char *const *select;
    size_t select_count;
};

// Adds a row's members without the braces around them: keys, timestamp and properties, ETag and
// annotations as the form wants them. A row that no table has given has a timestamp of 0 and none
// is written.
void wire_entity_add(struct wire_out *out, const struct ct_row *row, const struct wire_form *form);

// Adds the object that a client sends: keys and properties with their annotations.
void wire_entity_send(struct wire_out *out, const struct ct_row *row);

// "(PartitionKey='p',RowKey='r')" as URLs have it, quotes doubled and percent-encoded.
void wire_add_key(struct wire_out *out, struct ct_key key);

#endif
