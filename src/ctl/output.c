/* What people and programs read: aligned tables, JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "ctl.h"

#define COLUMN_WIDTH_MAX 70
#define LAST_WIDTH_MAX   100000 /* nothing stands beside it */

/* The next character of a UTF-8 text and how many cells it takes; what could move a cursor becomes '?'. */
static const char *character_next(const char *at, const char **ret_text, int *ret_bytes, int *ret_width)
{
    wchar_t wide;
    int bytes = mbtowc(&wide, at, MB_CUR_MAX);
    int width = bytes > 0 ? wcwidth(wide) : -1;
    *ret_text = at;
    *ret_bytes = bytes > 0 ? bytes : 1;
    *ret_width = width;
    if (width < 0) {
        *ret_text = *at == '\n' || *at == '\t' ? " " : "?";
        at += *ret_bytes;
        *ret_bytes = *ret_width = 1;
        return at;
    }
    return at + bytes;
}

static int text_width(const char *text)
{
    int width = 0;
    while (*text != '\0' && width < COLUMN_WIDTH_MAX) {
        const char *shown;
        int bytes, cells;
        text = character_next(text, &shown, &bytes, &cells);
        width += cells;
    }
    return width > COLUMN_WIDTH_MAX ? COLUMN_WIDTH_MAX : width;
}

/* At most `room` cells; gives how many were used. */
static int text_put(const char *text, int room)
{
    int used = 0;
    while (*text != '\0') {
        const char *shown;
        int bytes, cells;
        text = character_next(text, &shown, &bytes, &cells);
        if (used + cells > room)
            break;
        used += cells;
        fwrite(shown, 1, (size_t)bytes, stdout);
    }
    return used;
}

void output_text(const char *text)
{
    text_put(text, LAST_WIDTH_MAX);
}

void output_text_cut(const char *text, int cells)
{
    text_put(text, cells);
}

void output_pair(const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    printf("  %-20s ", name);
    output_text(value);
    putchar('\n');
}

void output_json(json_t *value)
{
    if (value == NULL || json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII * 0) != 0)
        fputs("followupctl: out of memory\n", stderr);
    putchar('\n');
    json_decref(value);
}

json_t *output_rows_json(const struct once_rows *rows)
{
    json_t *array = json_array();
    for (size_t row = 0; array != NULL && row < once_rows_count(rows); row++)
        if (json_array_append_new(array, json_loads(once_value(rows, row, 0), JSON_DECODE_ANY, NULL)) != 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

const char *output_shown(const struct once_rows *rows, size_t row, size_t column, char room[64])
{
    const char *value = once_value(rows, row, column);
    if (value == NULL)
        return "";
    if (once_column_type(rows, column) == ONCE_BOOLEAN)
        return value[0] == 't' ? "yes" : "no";
    if (once_column_type(rows, column) == ONCE_NUMBERS && strcmp(value, "{}") == 0)
        return "";
    const char *point = once_column_type(rows, column) == ONCE_INSTANT ? strchr(value, '.') : NULL;
    if (point == NULL)
        return value;
    snprintf(room, 64, "%.*s%s", (int)(point - value), value, point + 1 + strspn(point + 1, "0123456789"));
    return room;
}

static void cell_put(const struct once_rows *rows, size_t column, const char *value, int width, bool last)
{
    bool right = once_column_type(rows, column) == ONCE_NUMBER;
    int cells = text_width(value);
    if (right)
        printf("%*s", width - cells, "");
    text_put(value, last ? LAST_WIDTH_MAX : COLUMN_WIDTH_MAX);
    if (!right && !last)
        printf("%*s", width - cells, "");
    fputs(last ? "\n" : "  ", stdout);
}

void output_rows(const struct ctl *c, const struct once_rows *rows, const char *nothing)
{
    size_t columns = once_columns_count(rows);
    int widths[64] = { 0 };
    char room[64];
    if (c->json) {
        output_json(output_rows_json(rows));
        return;
    }
    if (once_rows_count(rows) == 0) {
        puts(nothing);
        return;
    }
    if (columns > sizeof widths / sizeof widths[0])
        columns = sizeof widths / sizeof widths[0];
    for (size_t column = 1; column < columns; column++) {
        widths[column] = text_width(once_column_name(rows, column));
        for (size_t row = 0; row < once_rows_count(rows); row++) {
            int width = text_width(output_shown(rows, row, column, room));
            widths[column] = width > widths[column] ? width : widths[column];
        }
    }
    for (size_t column = 1; column < columns; column++)
        cell_put(rows, column, once_column_name(rows, column), widths[column], column + 1 == columns);
    for (size_t row = 0; row < once_rows_count(rows); row++)
        for (size_t column = 1; column < columns; column++)
            cell_put(rows, column, output_shown(rows, row, column, room), widths[column], column + 1 == columns);
}
