/* leak_control: a Criterion program that leaks on purpose. Criterion answers 0 all the same, because the leak is found in
 * its test's own process, after the verdict; only the report in ASAN_OPTIONS' log_path tells. tests/support/leak_control.sh
 * runs it and fails unless that report is there and our check sees it. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { LEAK_BYTES = 4711 };

static void *volatile held;

Test(leak_control, passes_and_leaks)
{
    held = malloc(LEAK_BYTES);
    cr_assert_not_null(held);
    memset(held, 1, LEAK_BYTES);
    held = NULL;
}
