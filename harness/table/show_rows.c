#include "harness/table/show_rows.h"
#include "model/table/filter.h"

const char *const show_rows_columns[] = {"partition", "row", "properties", "ETag", "~mark", NULL};

static void add_property(struct text *text, const struct ct_property *property) {
    text_add(text, "%s%s=", text->length ? ", " : "", property->name);
    ct_literal_format(property, text);
}

static void show_row(struct panel_sink *sink, const struct ct_row *row,
                     const struct row_looks *looks) {
    char buffer[1000];
    struct text text = text_in(buffer, sizeof buffer);
    for (size_t i = 0; i < row->property_count; i++)
        if (!looks->hides || !looks->hides(row->properties[i].name))
            add_property(&text, &row->properties[i]);
    panel_cell(sink, "'%s'", row->key.partition);
    panel_cell(sink, "'%s'", row->key.row);
    panel_cell(sink, "%s", text.data);
    panel_cell(sink, "%s", row->etag ? row->etag : "");
    panel_cell(sink, "%s", looks->mark_of ? looks->mark_of(row) : "");
}

// What a panel hides is in its mark: metadata is told in words, not as a property among others.
void show_rows(struct panel_sink *sink, const struct panel_form *form,
               const struct ct_memory_table *table, const struct row_looks *looks) {
    struct ct_rows rows = ct_memory_rows(table);
    panel_begin(sink, form);
    for (size_t i = 0; i < rows.count; i++)
        show_row(sink, rows.rows[i], looks);
}
