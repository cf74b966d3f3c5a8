// Checkpoints: the ranges of a campaign in a file that grows, so that one that was killed goes on;
// or one moment of a search (core/jobs/crew.h), in a file that takes the place of the one before.
//
// The file is a line that names the format, a text of the caller's that says what campaign it is,
// and records, each with its length and a checksum. A record is complete or, at the end of a file
// whose process was killed, ignored and overwritten.
#ifndef CORE_JOBS_CHECKPOINT_H
#define CORE_JOBS_CHECKPOINT_H

#include "core/base/text.h"
#include "core/jobs/range.h"

#include <stdio.h>

struct sct_checkpoint {
    FILE *file;
    const char *path; // the caller's
    char *text;       // the caller's text; owned
    double synced_at; // seconds of the monotonic clock
};

// Creates the file, or empties it.
bool sct_checkpoint_create(struct sct_checkpoint *checkpoint, const char *path, const char *text,
                           struct error *error);

// Opens an existing one for reading its records; later ones are appended behind the last.
bool sct_checkpoint_open(struct sct_checkpoint *checkpoint, const char *path, struct error *error);

// The next record, into [record]; false behind the last complete one, where the file then ends.
bool sct_checkpoint_next(struct sct_checkpoint *checkpoint, struct sct_bytes *record);

// Appends a record. It survives the end of this process at once, and that of the machine within
// about a second.
bool sct_checkpoint_append(struct sct_checkpoint *checkpoint, const struct sct_bytes *record,
                           struct error *error);

// ---- Written as a whole ------------------------------------------------------------------------

// The next record, into [record]; false if there is no further complete one. Changes nothing.
bool sct_checkpoint_read(struct sct_checkpoint *checkpoint, struct sct_bytes *record);

// Appends a record, which survives nothing before sct_checkpoint_publish.
bool sct_checkpoint_put(struct sct_checkpoint *checkpoint, const struct sct_bytes *record,
                        struct error *error);

// Brings the file to the disk and puts it in the place of the one at [path], in one step. It is
// closed then.
bool sct_checkpoint_publish(struct sct_checkpoint *checkpoint, const char *path,
                            struct error *error);

void sct_checkpoint_close(struct sct_checkpoint *checkpoint);

#endif
