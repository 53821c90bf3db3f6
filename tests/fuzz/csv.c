/* csv: any file as an import. Fields are UTF-8 without a NUL; reading ends; a record that is refused says why. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "followupd/base/utf8.h"
#include "followupd/import/csv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void read_all(struct csv *c, size_t bytes)
{
    struct err e = { "" };
    enum status st = OK;
    int line = 0;
    for (size_t records = 0; st == OK || st == E_INVALID; records++) {
        e.text[0] = '\0';
        st = csv_next(c, &e);
        assert(records <= bytes);
        assert(st == OK || st == E_NOT_FOUND || e.text[0] != '\0');
        for (size_t i = 0; i < csv_columns_count(c) && st == OK; i++)
            assert(utf8_valid(csv_field(c, i), strlen(csv_field(c, i))));
        assert(st != OK || (csv_line(c) > line && csv_record(c) != NULL));
        line = st == OK ? csv_line(c) : line;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct csv *c = NULL;
    struct err e = { "" };
    FILE *file = bytes > 0 ? fmemopen((void *)data, bytes, "r") : NULL;
    if (file == NULL)
        return 0;
    if (csv_open(file, &c, &e) == OK)
        read_all(c, bytes);
    else
        assert(c == NULL && e.text[0] != '\0');
    csv_close(c);
    fclose(file);
    return 0;
}
