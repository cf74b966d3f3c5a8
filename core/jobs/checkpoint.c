#define _GNU_SOURCE // fdatasync, ftruncate
#include "core/jobs/checkpoint.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A line, so that `head -1` and `file` say what it is; another number where the records change.
static const char magic[] = "mtcheck-checkpoint 1\n";

enum { TEXT_MAX = 1 << 20, NUMBER_BYTES = 8 };
static const uint64_t record_max = UINT64_C(1) << 32;
static const double sync_seconds = 1;

static bool file_error(const struct sct_checkpoint *checkpoint, struct error *error) {
    return error_set(error, "checkpoint '%.300s': %s", checkpoint->path, strerror(errno));
}

static bool write_record(struct sct_checkpoint *checkpoint, const void *data, size_t size) {
    ASSERT(checkpoint->file);
    ASSERT(size <= record_max); // else nobody would read it
    // Length and checksum before the data: a reader knows how much to read, and whether all of it
    // has come, wherever the writer was killed. Flushed at once: from then on it is the kernel's,
    // and the end of this process loses nothing.
    struct sct_bytes head = {0};
    sct_bytes_add_number(&head, size);
    sct_bytes_add_number(&head, hash_bytes(data, size));
    // A record of no bytes may have no data at all (NULL), which is nothing for fwrite.
    bool is_written = fwrite(head.data, 1, head.size, checkpoint->file) == head.size &&
                      (size == 0 || fwrite(data, 1, size, checkpoint->file) == size) &&
                      fflush(checkpoint->file) == 0;
    sct_bytes_free(&head);
    return is_written;
}

// One number of the file; false at its end.
static bool read_number(FILE *file, uint64_t *number) {
    // The lowest byte first, as sct_bytes_add_number has it, whatever the machine.
    unsigned char digits[NUMBER_BYTES];
    if (fread(digits, 1, NUMBER_BYTES, file) != NUMBER_BYTES)
        return false;
    *number = 0;
    for (int i = 0; i < NUMBER_BYTES; i++)
        *number |= (uint64_t)digits[i] << 8 * i;
    return true;
}

// A complete record with the right checksum, or false.
static bool read_record(FILE *file, uint64_t size_max, struct sct_bytes *record) {
    uint64_t size, checksum;
    record->size = 0;
    if (!read_number(file, &size) || !read_number(file, &checksum) || size > size_max)
        return false;
    // In pieces: a torn length may be any number, and must not ask for so much memory.
    char buffer[4096];
    while (record->size < size) {
        size_t wanted = size - record->size < sizeof buffer ? size - record->size : sizeof buffer;
        size_t got = fread(buffer, 1, wanted, file);
        if (got == 0)
            return false;
        sct_bytes_add(record, buffer, got);
    }
    return hash_bytes(record->data, record->size) == checksum;
}

bool sct_checkpoint_create(struct sct_checkpoint *checkpoint, const char *path, const char *text,
                           struct error *error) {
    ASSERT(strlen(text) < TEXT_MAX);
    *checkpoint = (struct sct_checkpoint){.path = path, .file = fopen(path, "wbe")};
    if (!checkpoint->file)
        return file_error(checkpoint, error);
    if (fwrite(magic, 1, strlen(magic), checkpoint->file) == strlen(magic) &&
        write_record(checkpoint, text, strlen(text) + 1))
        return true;
    file_error(checkpoint, error);
    sct_checkpoint_close(checkpoint);
    return false;
}

bool sct_checkpoint_open(struct sct_checkpoint *checkpoint, const char *path, struct error *error) {
    *checkpoint = (struct sct_checkpoint){.path = path, .file = fopen(path, "r+be")};
    if (!checkpoint->file)
        return file_error(checkpoint, error);
    char found[sizeof magic] = "";
    struct sct_bytes text = {0};
    if (fread(found, 1, strlen(magic), checkpoint->file) == strlen(magic) &&
        strcmp(found, magic) == 0 && read_record(checkpoint->file, TEXT_MAX, &text) &&
        text.size > 0 && text.data[text.size - 1] == '\0') {
        checkpoint->text = (char *)text.data;
        return true;
    }
    sct_bytes_free(&text);
    sct_checkpoint_close(checkpoint);
    return error_set(error, "checkpoint '%.300s': expected a file that --checkpoint has written",
                     path);
}

bool sct_checkpoint_next(struct sct_checkpoint *checkpoint, struct sct_bytes *record) {
    ASSERT(checkpoint->file);
    long end = ftell(checkpoint->file);
    if (read_record(checkpoint->file, record_max, record))
        return true;
    // A torn record: cut off, so that the next one stands in its place. (ISO C asks for a call that
    // sets the position between reading and writing; fseek is that, too.)
    clearerr(checkpoint->file);
    if (end >= 0 && fseek(checkpoint->file, end, SEEK_SET) == 0 &&
        ftruncate(fileno(checkpoint->file), end) != 0)
        fail_at(FAIL_RESOURCE, HERE, "checkpoint '%s': %s", checkpoint->path, strerror(errno));
    return false;
}

bool sct_checkpoint_read(struct sct_checkpoint *checkpoint, struct sct_bytes *record) {
    ASSERT(checkpoint->file);
    return read_record(checkpoint->file, record_max, record);
}

bool sct_checkpoint_put(struct sct_checkpoint *checkpoint, const struct sct_bytes *record,
                        struct error *error) {
    ASSERT(checkpoint->file && checkpoint->path);
    return write_record(checkpoint, record->data, record->size) || file_error(checkpoint, error);
}

bool sct_checkpoint_publish(struct sct_checkpoint *checkpoint, const char *path,
                            struct error *error) {
    // Its data on the disk before its name is (rename(2) takes the place of the old file in one
    // step, but file systems may write names before data): or after a loss of power there would be
    // a complete name with an empty file.
    ASSERT(checkpoint->file);
    bool is_done = fsync(fileno(checkpoint->file)) == 0 && rename(checkpoint->path, path) == 0;
    if (is_done)
        file_sync_name(path);
    else
        file_error(checkpoint, error);
    sct_checkpoint_close(checkpoint);
    return is_done;
}

bool sct_checkpoint_append(struct sct_checkpoint *checkpoint, const struct sct_bytes *record,
                           struct error *error) {
    if (!write_record(checkpoint, record->data, record->size))
        return file_error(checkpoint, error);
    // A kill loses nothing that was written; only the machine's own end loses what was not synced,
    // and of that a second is not worth the disk's time for every record.
    double now = clock_seconds();
    if (now - checkpoint->synced_at < sync_seconds)
        return true;
    checkpoint->synced_at = now;
    // A device or a pipe cannot be synchronised, and need not be.
    return fdatasync(fileno(checkpoint->file)) == 0 || errno == EINVAL || errno == EROFS ||
           file_error(checkpoint, error);
}

void sct_checkpoint_close(struct sct_checkpoint *checkpoint) {
    if (checkpoint->file)
        fclose(checkpoint->file);
    free(checkpoint->text);
    *checkpoint = (struct sct_checkpoint){0};
}
