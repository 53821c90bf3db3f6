/* list_page: the first byte says of which provider, the second of which of its lists; the rest is an answer. Whatever it
 * is, it ends; what is no page says why; entries have an address and a kind, and the next request can be made. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "followupd/base/list.h"
#include "followupd/provider/provider.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_entries(const json_t *entries)
{
    size_t i;
    json_t *entry;
    json_array_foreach ((json_t *)entries, i, entry)
        assert(json_is_string(json_object_get(entry, "address")) && json_is_string(json_object_get(entry, "kind")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct provider_type *const types[] = { &provider_sendgrid, &provider_mailgun, &provider_postmark,
                                                         &provider_ses };
    static const struct provider_config config = {
        .url = "http://127.0.0.1", .key = "k", .access_key = "a", .region = "eu-west-1", .domain = "d.example"
    };
    if (bytes < 2)
        return 0;
    const struct provider_type *type = types[data[0] % COUNT_OF(types)];
    struct list_place place = { .list = type == &provider_sendgrid || type == &provider_mailgun ? data[1] % 3 : 0 };
    char *body = strndup((const char *)data + 2, bytes - 2);
    const struct transport_answer answer = {
        .end = TRANSPORT_ANSWERED, .http_status = 200, .body = body, .body_bytes = strlen(body), .body_whole = true
    };
    struct provider_request request;
    struct err e = { "" };
    bool over = false;
    json_t *entries = json_array();
    enum status st = type->read_list(&answer, &place, &over, entries, &e);
    assert(st == OK || e.text[0] != '\0');
    check_entries(entries);
    if (st == OK && !over) {
        assert(type->build_list(&config, &place, (struct wall){ 0 }, &request, &e) == OK);
        provider_request_fini(&request);
    }
    json_decref(entries);
    free(body);
    return 0;
}
