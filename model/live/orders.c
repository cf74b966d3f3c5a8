#include "model/live/orders.h"

#include "model/table/batch.h"
#include "model/table/filter.h"
#include "model/table/row.h"

#define ORDERS_ROW "orders"

static int32_t int32_of(const struct ct_row *row, const char *name) {
    const struct ct_property *property = ct_row_property(row, name);
    // 0 is no order, whichever it is.
    return property && property->type == CT_INT32 ? property->value.int32 : 0;
}

// No row is no orders: a migration has none until somebody gives some.
struct ct_outcome orders_read(struct file_connection *control, const char *migration,
                              struct arena *arena, struct orders *orders) {
    struct ct_key key = {migration, ORDERS_ROW};
    struct ct_rows rows;
    *orders = (struct orders){false, 0, 0};
    struct ct_outcome outcome = ct_query(control->table, ct_filter_point(arena, key), arena, &rows);
    const struct ct_row *row = outcome.kind == CT_SUCCEEDED ? ct_rows_find(rows, key) : NULL;
    if (row)
        *orders = (struct orders){.is_paused = int32_of(row, "paused") != 0,
                                  .rows_per_second = int32_of(row, "rows_per_second"),
                                  .hold_before = int32_of(row, "hold_before")};
    return outcome;
}

static struct ct_property of_int32(const char *name, int32_t value) {
    return (struct ct_property){.name = name, .type = CT_INT32, .value.int32 = value};
}

static struct ct_outcome write_row(struct file_connection *control, struct arena *arena,
                                   enum ct_op_type type, struct ct_row *row) {
    struct ct_batch batch = ct_batch_new(arena, 1);
    struct ct_op_result result;
    ct_batch_add(&batch, type, row);
    return ct_execute(control->table, &batch, arena, &result);
}

struct ct_outcome orders_write(struct file_connection *control, const char *migration,
                               struct arena *arena, const struct orders *orders) {
    const struct ct_property properties[] = {
        of_int32("hold_before", orders->hold_before),
        of_int32("paused", orders->is_paused),
        of_int32("rows_per_second", orders->rows_per_second),
    };
    struct ct_row *row =
        // Without a condition: of two operators the later one wins, as he would expect.
        ct_row_new(arena, (struct ct_key){migration, ORDERS_ROW}, NULL, properties, 3);
    return write_row(control, arena, CT_INSERT_OR_REPLACE, row);
}

struct ct_outcome orders_delete(struct file_connection *control, const char *migration,
                                struct arena *arena) {
    struct ct_row *row =
        ct_row_new(arena, (struct ct_key){migration, ORDERS_ROW}, CT_IF_EXISTS_ETAG, NULL, 0);
    return write_row(control, arena, CT_DELETE, row);
}
