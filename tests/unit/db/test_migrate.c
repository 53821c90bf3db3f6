#include "followupd/db/migrate.h"

#include <criterion/criterion.h>
#include <string.h>

Test(migrate, the_number_is_that_of_the_file_and_only_of_migrations)
{
    cr_assert_eq(migrate_number("migrations/0007_message_lease.sql"), 7);
    cr_assert_eq(migrate_number("functions/0007.sql"), 0);
}

Test(migrate, the_embedded_migrations_count_up_from_one_and_none_has_the_number_of_another)
{
    int number = 0;
    for (const struct sql_file *f = sql_files; f->path != NULL; f++) {
        cr_assert_gt(strlen(f->text), 0, "%s is empty", f->path);
        if (migrate_number(f->path) == 0)
            continue;
        cr_assert(number > 0 || migrate_number(f->path) == 1, "the first is %s", f->path);
        cr_assert_gt(migrate_number(f->path), number, "%s", f->path);
        number = migrate_number(f->path);
    }
    cr_assert_gt(number, 0);
    cr_assert_eq(migrate_version(), number);
}
