// Recorded histories: read from a file in one of several formats, as data for
// core/history/linearize.h.
//
// jepsen-register: lines `INFO  jepsen.util - PROCESS :TYPE :FUNCTION VALUE` of Jepsen's log about
// one register, at first nil. Lines of another shape, and :info, are ignored.
//
// kv: lines `{:process P, :type :invoke|:ok, :f :get|:put|:append, :key "K", :value nil|"V"}` about
// a map of strings, each at first "".
//
// native: the first line names the model, `mtcheck-history 1 register` or `mtcheck-history 1 map`;
// then one event a line, in real-time order, words parted by spaces:
//
//     PROCESS call FUNCTION ARGUMENTS         PROCESS return FUNCTION RESULT
//
//     register                map                      result
//     read                    get KEY                  the value, nil, or ? for unknown
//     write VALUE             put KEY VALUE            none
//     cas EXPECTED NEW        cas KEY EXPECTED NEW     ok, fail or ?
//     append VALUE            append KEY VALUE         none
//                             remove KEY               none
//
// PROCESS is a number. A value is a word, or a string in double quotes, in which \" and \\ stand
// for " and \; it is nil at first, and nil again when removed; appending to nil is as to "". A
// process has at most one call open. An operation without a return may have happened, at any time
// after its call, or not. Empty lines and lines that begin with # are ignored.
//
//     mtcheck-history 1 register
//     0 call write 4
//     1 call read
//     1 return read nil
//     0 return write
#ifndef HARNESS_HISTORY_RECORD_H
#define HARNESS_HISTORY_RECORD_H

#include "core/history/history.h"
#include "harness/history/store.h"

struct reader;

struct record_format {
    const char *name;
    const char *summary;
    bool (*read)(struct reader *reader); // harness/history/reader.h
};

struct record {
    struct sct_history history;
    struct store store;
    uint32_t *lines; // of the file, from 1: of each event of the history
    uint32_t line_capacity;
};

// The format of that name, or NULL.
const struct record_format *record_format_find(const char *name);

// Reads the file at [path]. Fails, with an error that names file and line, if it cannot be read, is
// not of that format, or has no operation. After success the record must be freed.
bool record_read(struct record *record, const char *path, const struct record_format *format,
                 struct error *error);

// A history that is in memory.
struct record_text {
    const char *name; // what errors call it
    const char *text;
    size_t bytes; // of [text], without a NUL
};

// As [record_read], from [text].
bool record_parse(struct record *record, const struct record_text *text,
                  const struct record_format *format, struct error *error);

void record_free(struct record *record);

#endif
