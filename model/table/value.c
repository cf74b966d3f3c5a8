#define _POSIX_C_SOURCE 200809L // uselocale
#include "model/table/value.h"

#include "core/base/number.h"
#include "model/table/row.h"

#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *ct_type_name(enum ct_type type) {
    switch (type) {
    case CT_BOOL:
        return "Edm.Boolean";
    case CT_STRING:
        return "Edm.String";
    case CT_INT32:
        return "Edm.Int32";
    case CT_INT64:
        return "Edm.Int64";
    case CT_DOUBLE:
        return "Edm.Double";
    case CT_DATETIME:
        return "Edm.DateTime";
    case CT_GUID:
        return "Edm.Guid";
    case CT_BINARY:
        return "Edm.Binary";
    }
    fail_at(FAIL_ASSERTION, HERE, "unknown type %d", (int)type);
}

// ---- Copies, equality, digests -----------------------------------------------------------------

// With the NUL behind a text, which readers of C strings count on and [size] does not.
struct ct_property ct_property_clone(struct arena *arena, const struct ct_property *property) {
    struct ct_property clone = *property;
    clone.name = arena_strdup(arena, property->name);
    if (property->type == CT_STRING) {
        char *text = arena_alloc(arena, (size_t)property->size + 1);
        clone.value.string = memcpy(text, property->value.string, (size_t)property->size + 1);
    } else if (property->size > 0) {
        unsigned char *bytes = arena_alloc(arena, property->size);
        clone.value.bytes = memcpy(bytes, property->value.bytes, property->size);
    }
    return clone;
}

// Its bits, those of all NaNs being one.
static uint64_t double_bits(double value) {
    uint64_t bits;
    if (isnan(value))
        return UINT64_MAX;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool equal_bytes(const void *a, size_t a_size, const void *b, size_t b_size) {
    return a_size == b_size && (a == b || a_size == 0 || memcmp(a, b, a_size) == 0);
}

bool ct_property_equal(const struct ct_property *a, const struct ct_property *b) {
    // By bits, for a migration must not change a value: -0.0 is not 0.0 here, as it is in a filter.
    if (a->type != b->type || !ct_string_equal(a->name, b->name))
        return false;
    switch (a->type) {
    case CT_BOOL:
        return a->value.boolean == b->value.boolean;
    case CT_INT32:
        return a->value.int32 == b->value.int32;
    case CT_INT64:
        return a->value.int64 == b->value.int64;
    case CT_DATETIME:
        return a->value.ticks == b->value.ticks;
    case CT_DOUBLE:
        return double_bits(a->value.real) == double_bits(b->value.real);
    case CT_STRING:
        return equal_bytes(a->value.string, a->size, b->value.string, b->size);
    case CT_GUID:
    case CT_BINARY:
        return equal_bytes(a->value.bytes, a->size, b->value.bytes, b->size);
    }
    return false;
}

static uint64_t value_word(const struct ct_property *property) {
    switch (property->type) {
    case CT_BOOL:
        return property->value.boolean;
    case CT_INT32:
        return (uint32_t)property->value.int32;
    case CT_INT64:
        return (uint64_t)property->value.int64;
    case CT_DATETIME:
        return (uint64_t)property->value.ticks;
    case CT_DOUBLE:
        return double_bits(property->value.real);
    case CT_STRING:
    case CT_GUID:
    case CT_BINARY:
        break;
    }
    return 0;
}

void ct_property_add(const struct ct_property *property, struct digest_words *words) {
    digest_words_add(words, property->type);
    digest_words_add_text(words, property->name);
    if (property->type == CT_STRING)
        digest_words_add_digest(words, digest_of(property->value.string, property->size));
    else if (property->type == CT_GUID || property->type == CT_BINARY)
        digest_words_add_digest(words, digest_of(property->value.bytes, property->size));
    else
        digest_words_add(words, value_word(property));
}

struct digest ct_property_fold(struct digest digest, const struct ct_property *property) {
    struct digest_words words = digest_words(digest);
    ct_property_add(property, &words);
    return digest_words_end(&words);
}

// ---- Order -------------------------------------------------------------------------------------

static enum ct_order order_of(int difference) {
    return difference < 0 ? CT_LESS : difference > 0 ? CT_GREATER : CT_EQUAL;
}

static enum ct_order order_integers(int64_t a, int64_t b) {
    return order_of((a > b) - (a < b));
}

static enum ct_order order_doubles(double a, double b) {
    return isnan(a) || isnan(b) ? CT_UNORDERED : order_of((a > b) - (a < b));
}

// Exactly: neither is made the other's type where that would round.
static enum ct_order order_integer_and_double(int64_t integer, double real) {
    // Beyond it a double cannot be converted to an integer at all: in C that is undefined.
    const double limit = 9223372036854775808.0; // 2^63
    if (isnan(real))
        return CT_UNORDERED;
    if (real >= limit)
        return CT_LESS;
    if (real < -limit)
        return CT_GREATER;
    // Toward zero; what is cut off decides if the whole parts are equal.
    int64_t whole = (int64_t)real;
    return integer != whole ? order_integers(integer, whole)
                            : order_doubles(0, real - (double)whole);
}

static enum ct_order reversed(enum ct_order order) {
    return order == CT_LESS ? CT_GREATER : order == CT_GREATER ? CT_LESS : order;
}

// The first bytes that differ begin, or are within, the first characters that differ, and their
// ranks are in the order of UTF-16 code units.
static enum ct_order order_strings(const struct ct_property *a, const struct ct_property *b) {
    size_t common = a->size < b->size ? a->size : b->size;
    const char *left = a->value.string, *right = b->value.string;
    for (size_t i = 0; i < common; i++)
        if (left[i] != right[i])
            return order_of(ct_unit_rank((unsigned char)left[i]) -
                            ct_unit_rank((unsigned char)right[i]));
    return order_integers(a->size, b->size);
}

static enum ct_order order_bytes(const struct ct_property *a, const struct ct_property *b) {
    size_t common = a->size < b->size ? a->size : b->size;
    int order = common > 0 ? memcmp(a->value.bytes, b->value.bytes, common) : 0;
    return order ? order_of(order) : order_integers(a->size, b->size);
}

static bool is_integer(const struct ct_property *property) {
    return property->type == CT_INT32 || property->type == CT_INT64;
}

static int64_t integer_of(const struct ct_property *property) {
    return property->type == CT_INT32 ? property->value.int32 : property->value.int64;
}

enum ct_order ct_value_order(const struct ct_property *a, const struct ct_property *b) {
    if (is_integer(a) && is_integer(b))
        return order_integers(integer_of(a), integer_of(b));
    if (is_integer(a) && b->type == CT_DOUBLE)
        return order_integer_and_double(integer_of(a), b->value.real);
    if (a->type == CT_DOUBLE && is_integer(b))
        return reversed(order_integer_and_double(integer_of(b), a->value.real));
    if (a->type != b->type)
        return CT_UNORDERED;
    switch (a->type) {
    case CT_BOOL:
        return order_integers(a->value.boolean, b->value.boolean);
    case CT_STRING:
        return order_strings(a, b);
    case CT_DOUBLE:
        return order_doubles(a->value.real, b->value.real);
    case CT_DATETIME:
        return order_integers(a->value.ticks, b->value.ticks);
    case CT_GUID:
    case CT_BINARY:
        return order_bytes(a, b);
    case CT_INT32:
    case CT_INT64:
        break; // above
    }
    return CT_UNORDERED;
}

// ---- Guids -------------------------------------------------------------------------------------

// Whether a '-' stands before the [i]-th byte in a Guid's text.
// Groups of 4, 2, 2, 2 and 6 bytes. In the order of the text, all of them (table.h), and not in the
// mixed order that some libraries have for the first three.
static bool begins_group(size_t i) {
    return i == 4 || i == 6 || i == 8 || i == 10;
}

static int hex_digit(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool ct_guid_parse(const char *text, size_t length, unsigned char bytes[CT_GUID_BYTES]) {
    if (length != CT_GUID_TEXT - 1)
        return false;
    for (size_t i = 0; i < CT_GUID_BYTES; i++) {
        if (begins_group(i) && *text++ != '-')
            return false;
        int high = hex_digit(*text++), low = hex_digit(*text++);
        if (high < 0 || low < 0)
            return false;
        bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

void ct_guid_format(const unsigned char bytes[CT_GUID_BYTES], char text[CT_GUID_TEXT]) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < CT_GUID_BYTES; i++) {
        if (begins_group(i))
            *text++ = '-';
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    *text = '\0';
}

// ---- DateTimes ---------------------------------------------------------------------------------

enum { TICKS_A_SECOND = 10000000, FRACTION_DIGITS = 7, SECONDS_A_DAY = 86400 };

// Days since 1970-01-01 of a date of the Gregorian calendar, and back: years begin in March, so
// that the leap day is the last one, and four centuries have 146,097 days.
static int64_t days_of(int64_t year, int64_t month, int64_t day) {
    year -= month <= 2;
    // 153 days are the five months from March to July, or August to December: their lengths repeat,
    // so a line through them, rounded down, gives the day on which each month begins.
    int64_t era = year / 400, year_of_era = year % 400; // no year here is negative
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

struct date {
    uint32_t year, month, day;
};

static struct date date_of(int64_t days) {
    // 1,460 days are four years without the leap day, 36,524 a century without one, 146,096 four of
    // them: the divisions take back the days that are too many for years of 365.
    uint32_t since = (uint32_t)(days + 719468); // from 0000-03-01, before any date here
    uint32_t era = since / 146097, day_of_era = since % 146097;
    uint32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month = (5 * day_of_year + 2) / 153; // since March
    return (struct date){
        .year = era * 400 + year_of_era + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = day_of_year - (153 * month + 2) / 5 + 1,
    };
}

struct scanner {
    const char *at, *end;
    bool is_bad;
};

static bool take(struct scanner *scanner, char c) {
    if (scanner->at == scanner->end || *scanner->at != c)
        return false;
    scanner->at++;
    return true;
}

static bool has_digit(const struct scanner *scanner) {
    return scanner->at < scanner->end && *scanner->at >= '0' && *scanner->at <= '9';
}

// A number of exactly so many [digits].
static int64_t take_number(struct scanner *scanner, int digits, int64_t min, int64_t max) {
    int64_t number = 0;
    for (int i = 0; i < digits; i++) {
        if (!has_digit(scanner)) {
            scanner->is_bad = true;
            return min;
        }
        number = number * 10 + (*scanner->at++ - '0');
    }
    if (number < min || number > max)
        scanner->is_bad = true;
    return number;
}

static void require(struct scanner *scanner, char c) {
    if (!take(scanner, c))
        scanner->is_bad = true;
}

static int64_t take_days(struct scanner *scanner) {
    int64_t year = take_number(scanner, 4, 1, 9999);
    require(scanner, '-');
    int64_t month = take_number(scanner, 2, 1, 12);
    require(scanner, '-');
    int64_t day = take_number(scanner, 2, 1, 31);
    int64_t days = days_of(year, month, day);
    // February 30 comes back as a day of March, and so does any other that is not there.
    if (date_of(days).day != day) // no such day in this month
        scanner->is_bad = true;
    return days;
}

static int64_t take_fraction(struct scanner *scanner) {
    int64_t ticks = 0;
    int digits = 0;
    if (!has_digit(scanner))
        scanner->is_bad = true;
    // Digits behind the seventh are less than a tick: they are read and forgotten.
    for (; has_digit(scanner); scanner->at++)
        if (digits < FRACTION_DIGITS) {
            ticks = ticks * 10 + (*scanner->at - '0');
            digits++;
        }
    for (; digits < FRACTION_DIGITS; digits++)
        ticks *= 10;
    return ticks;
}

// Behind the time: how many seconds it is ahead of UTC.
// Nothing at all counts as UTC. What is neither is left for the caller, who expects the end.
static int64_t take_offset(struct scanner *scanner) {
    if (take(scanner, 'Z'))
        return 0;
    int64_t sign = take(scanner, '-') ? -1 : take(scanner, '+') ? 1 : 0;
    if (sign == 0)
        return 0;
    int64_t hours = take_number(scanner, 2, 0, 14);
    require(scanner, ':');
    return sign * (hours * 3600 + take_number(scanner, 2, 0, 59) * 60);
}

// Each step goes on after a mistake and marks it: one look at the end is enough, and no sum can
// overflow, since every number is bounded by its digits.
bool ct_ticks_parse(const char *text, size_t length, int64_t *ticks) {
    struct scanner scanner = {.at = text, .end = text + length};
    int64_t seconds = take_days(&scanner) * SECONDS_A_DAY, fraction = 0;
    require(&scanner, 'T');
    seconds += take_number(&scanner, 2, 0, 23) * 3600;
    require(&scanner, ':');
    seconds += take_number(&scanner, 2, 0, 59) * 60;
    if (take(&scanner, ':')) {
        seconds += take_number(&scanner, 2, 0, 59);
        fraction = take(&scanner, '.') ? take_fraction(&scanner) : 0;
    }
    // A time that is ahead of UTC is an earlier one in UTC.
    seconds -= take_offset(&scanner);
    int64_t sum = seconds * TICKS_A_SECOND + fraction;
    if (scanner.is_bad || scanner.at != scanner.end || sum < CT_TICKS_MIN || sum > CT_TICKS_MAX)
        return false;
    *ticks = sum;
    return true;
}

// [number], less than 100, in two digits and [end] behind them.
static char *put_two(char *out, uint32_t number, char end) {
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    memcpy(out, pairs + 2 * (size_t)number, 2);
    out[2] = end;
    return out + 3;
}

// By pairs of digits, in numbers of 32 bits: a page of rows has two thousand of these in it.
void ct_ticks_format(int64_t ticks, char text[CT_TICKS_TEXT]) {
    ASSERT(ticks >= CT_TICKS_MIN && ticks <= CT_TICKS_MAX);
    uint64_t since_1601 = (uint64_t)(ticks - CT_TICKS_MIN), seconds = since_1601 / TICKS_A_SECOND;
    uint32_t fraction = (uint32_t)(since_1601 % TICKS_A_SECOND);
    uint32_t of_day = (uint32_t)(seconds % SECONDS_A_DAY);
    struct date date =
        date_of((int64_t)(seconds / SECONDS_A_DAY) + CT_TICKS_MIN / TICKS_A_SECOND / SECONDS_A_DAY);
    put_two(text, date.year / 100, '-');
    text = put_two(text + 2, date.year % 100, '-');
    text = put_two(text, date.month, '-');
    text = put_two(text, date.day, 'T');
    text = put_two(text, of_day / 3600, ':');
    text = put_two(text, of_day / 60 % 60, ':');
    text = put_two(text, of_day % 60, fraction ? '.' : 'Z');
    if (fraction) {
        put_two(text, fraction / 100000, '.');
        put_two(text + 2, fraction / 1000 % 100, '.');
        put_two(text + 4, fraction / 10 % 100, '.');
        text[6] = (char)('0' + fraction % 10);
        text[7] = 'Z';
        text += 8;
    }
    *text = '\0';
}

// ---- Doubles -----------------------------------------------------------------------------------

enum { NUMBER_TEXT_MAX = 400 }; // a double written out in full has 309 digits before its point

// In the locale "C", in which a decimal point is one.
// uselocale is this thread's alone; setlocale would change what other threads print meanwhile.
static double read_number(const char *text) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
    double value = strtod(text, NULL);
    uselocale(before);
    freelocale(plain);
    return value;
}

static void write_number(double value, int digits, char text[CT_DOUBLE_TEXT]) {
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), before = uselocale(plain);
    snprintf(text, CT_DOUBLE_TEXT, "%.*g", digits, value);
    uselocale(before);
    freelocale(plain);
}

static bool take_digits(struct scanner *scanner) {
    const char *start = scanner->at;
    while (has_digit(scanner))
        scanner->at++;
    return scanner->at > start;
}

// Looked at here, since strtod takes more: hexadecimal, blanks before, a part of the text.
static bool is_decimal(const char *text, size_t length) {
    struct scanner scanner = {.at = text, .end = text + length};
    take(&scanner, '-');
    if (!take_digits(&scanner) || (take(&scanner, '.') && !take_digits(&scanner)))
        return false;
    if (take(&scanner, 'e') || take(&scanner, 'E')) {
        if (!take(&scanner, '-'))
            take(&scanner, '+');
        if (!take_digits(&scanner))
            return false;
    }
    return scanner.at == scanner.end;
}

bool ct_double_parse(const char *text, size_t length, double *value) {
    static const struct {
        const char *text;
        double value;
    } words[] = {{"NaN", NAN},
                 {"Infinity", INFINITY},
                 {"INF", INFINITY},
                 {"-Infinity", -INFINITY},
                 {"-INF", -INFINITY}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strlen(words[i].text) == length && memcmp(words[i].text, text, length) == 0) {
            *value = words[i].value;
            return true;
        }
    char copy[NUMBER_TEXT_MAX + 1];
    if (length > NUMBER_TEXT_MAX || !is_decimal(text, length))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    double number = read_number(copy);
    // Too large for a double: a value that would come back as another one is refused.
    if (isinf(number))
        return false;
    *value = number;
    return true;
}

// Writes a number of few digits, as most are, without the C library: [value] is a whole number of
// ten-thousandths. The quotient of two whole numbers is rounded as their decimal is read.
static bool write_short(double value, char text[CT_DOUBLE_TEXT]) {
    enum { PLACES = 4, SCALE = 10000 };
    double size = fabs(value);
    // Below 10^9 the scaled number has at most 13 digits, which a double holds exactly.
    int64_t scaled = size < 1e9 ? (int64_t)(size * SCALE + 0.5) : 0;
    // 0.0 and -0.0 go the long way, which keeps the sign.
    if (scaled == 0 || (double)scaled / SCALE != size)
        return false;
    int length =
        snprintf(text, CT_DOUBLE_TEXT, "%s%" PRId64 ".", value < 0 ? "-" : "", scaled / SCALE);
    int64_t places = scaled % SCALE;
    for (int i = 0; i < PLACES && (i == 0 || places > 0); i++) {
        text[length++] = (char)('0' + places * 10 / SCALE);
        places = places * 10 % SCALE;
    }
    text[length] = '\0';
    return true;
}

void ct_double_format(double value, char text[CT_DOUBLE_TEXT]) {
    ASSERT(text);
    if (isnan(value) || isinf(value)) {
        snprintf(text, CT_DOUBLE_TEXT, "%s",
                 isnan(value) ? "NaN"
                 : value > 0  ? "Infinity"
                              : "-Infinity");
        return;
    }
    if (write_short(value, text))
        return;
    // Any decimal of 15 digits survives a double, and no double needs more than 17.
    for (int digits = 15; digits <= 17; digits++) {
        write_number(value, digits, text);
        if (double_bits(read_number(text)) == double_bits(value))
            break;
    }
    // "%g" drops the point of a whole number, without which a reader would take it for an integer.
    if (!strpbrk(text, ".e"))
        strcat(text, ".0");
}
