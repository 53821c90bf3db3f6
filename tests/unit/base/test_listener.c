#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include "followupd/base/listener.h"

Test(listener, an_address_has_numbers_and_a_port)
{
    static const char *const good[] = { "127.0.0.1:8025", "[::1]:0", "0.0.0.0:65535", "[::]:80" };
    static const char *const bad[] = { "",           "8025",         "127.0.0.1",
                                       "127.0.0.1:", ":8025",        "localhost:80",
                                       "[::1:80",    "1.2.3.4.5:80", "127.0.0.1:http" };
    struct err e;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        cr_assert_eq(listener_check(good[i], &e), OK, "%s: %s", good[i], e.text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_assert_eq(listener_check(bad[i], &e), E_INVALID, "%s", bad[i]);
        cr_assert(strstr(e.text, bad[i]) != NULL, "%s", e.text);
    }
}

Test(listener, a_port_that_is_taken_is_busy)
{
    struct err e;
    char address[64];
    int first, second;
    cr_assert_eq(listener_open("127.0.0.1:0", &first, &e), OK);
    listener_address(first, address, sizeof address);
    cr_assert_eq(strncmp(address, "127.0.0.1:", 10), 0);
    cr_assert_eq(listener_open(address, &second, &e), E_BUSY);
    cr_assert(strstr(e.text, address) != NULL, "%s", e.text);
    close(first);
    cr_assert_eq(listener_open(address, &second, &e), OK);
    close(second);
}
