#include "sdk_request.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void sdk_request_header(const struct sdk_request *r, const char *name, char *ret, size_t bytes)
{
    size_t name_bytes = strlen(name);
    ret[0] = '\0';
    for (const char *line = r->headers; *line != '\0'; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, name, name_bytes) == 0 && line[name_bytes] == ':') {
            const char *value = line + name_bytes + 1 + strspn(line + name_bytes + 1, " ");
            snprintf(ret, bytes, "%.*s", (int)(strstr(value, "\r\n") - value), value);
            return;
        }
    }
}

/* Each part: head, empty line, value; between them CR LF -- boundary. */
static json_t *read_form(const char *raw, const char *boundary)
{
    char line[256];
    json_t *fields = json_object();
    snprintf(line, sizeof line, "--%s", boundary);
    for (const char *part = strstr(raw, line); part != NULL;) {
        const char *name = strstr(part, "name=\""), *value = strstr(part, "\r\n\r\n"), *next;
        if (strncmp(part + strlen(line), "--", 2) == 0)
            break;
        cr_assert(name != NULL && value != NULL, "a part without name or value");
        name += 6;
        value += 4;
        next = strstr(value, line);
        cr_assert_not_null(next, "the form has no end");
        char *key = strndup(name, strcspn(name, "\""));
        cr_assert_null(json_object_get(fields, key), "%s is there twice", key);
        json_object_set_new(fields, key, json_stringn(value, (size_t)(next - value) - 2));
        free(key);
        part = next;
    }
    return fields;
}

static json_t *read_body(const struct sdk_request *r)
{
    char type[256];
    sdk_request_header(r, "Content-Type", type, sizeof type);
    const char *boundary = strstr(type, "boundary=");
    return boundary != NULL ? read_form(r->raw, boundary + 9) : json_loads(r->raw, JSON_REJECT_DUPLICATES, NULL);
}

void sdk_request_load(const char *name, struct sdk_request *ret)
{
    char path[512];
    size_t i;
    json_t *header;
    json_error_t why;
    snprintf(path, sizeof path, "%s/sdk-requests/%s.json", TESTS_DATA, name);
    *ret = (struct sdk_request){ .file = json_load_file(path, 0, &why) };
    cr_assert_not_null(ret->file, "%s: %s", path, why.text);
    json_t *request = json_array_get(json_object_get(ret->file, "requests"), 0);
    snprintf(ret->method, sizeof ret->method, "%s", json_string_value(json_object_get(request, "method")));
    snprintf(ret->target, sizeof ret->target, "%s", json_string_value(json_object_get(request, "target")));
    snprintf(ret->raw, sizeof ret->raw, "%s", json_string_value(json_object_get(request, "body")));
    json_array_foreach (json_object_get(request, "headers"), i, header) {
        size_t used = strlen(ret->headers);
        snprintf(ret->headers + used, sizeof ret->headers - used, "%s: %s\r\n",
                 json_string_value(json_array_get(header, 0)), json_string_value(json_array_get(header, 1)));
    }
    ret->body = read_body(ret);
}

void sdk_request_read(const char *arrived, struct sdk_request *ret)
{
    *ret = (struct sdk_request){ .file = NULL };
    const char *head = strstr(arrived, "\r\n"), *body = strstr(arrived, "\r\n\r\n");
    cr_assert(head != NULL && body != NULL);
    cr_assert_eq(sscanf(arrived, "%7s %511s", ret->method, ret->target), 2);
    snprintf(ret->headers, sizeof ret->headers, "%.*s", (int)(body - head), head + 2);
    snprintf(ret->raw, sizeof ret->raw, "%s", body + 4);
    ret->body = read_body(ret);
}

void sdk_request_fini(struct sdk_request *r)
{
    json_decref(r->file);
    json_decref(r->body);
}

/* --- Signature Version 4 --------------------------------------------------------------------------------------------- */

static void hex_of_hash(const char *text, char ret[65])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
    sodium_bin2hex(ret, 65, hash, sizeof hash);
}

static void mac(const unsigned char *key, size_t key_bytes, const char *text, unsigned char ret[32])
{
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key, key_bytes);
    crypto_auth_hmacsha256_update(&state, (const unsigned char *)text, strlen(text));
    crypto_auth_hmacsha256_final(&state, ret);
}

static void canonical_request(const struct sdk_request *r, const char *signed_names, char *ret, size_t bytes)
{
    char hash[65], names[512], *rest = names, *name;
    size_t used = (size_t)snprintf(ret, bytes, "%s\n%s\n\n", r->method, r->target);
    snprintf(names, sizeof names, "%s", signed_names);
    while ((name = strsep(&rest, ";")) != NULL) {
        char value[2048];
        sdk_request_header(r, name, value, sizeof value);
        cr_assert_neq(value[0], '\0', "%s is signed and not there", name);
        used += (size_t)snprintf(ret + used, bytes - used, "%s:%s\n", name, value);
    }
    hex_of_hash(r->raw, hash);
    snprintf(ret + used, bytes - used, "\n%s\n%s", signed_names, hash);
}

void sdk_request_signature(const struct sdk_request *r, const char *secret, char ret[65])
{
    char authorization[1024], access[64], day[16], region[32], service[16], signed_names[512], date[32];
    char canonical[16384], to_sign[512], hash[65], start[128];
    unsigned char key[32], signature[32];
    sdk_request_header(r, "Authorization", authorization, sizeof authorization);
    sdk_request_header(r, "X-Amz-Date", date, sizeof date);
    cr_assert_eq(sscanf(authorization,
                        "AWS4-HMAC-SHA256 Credential=%63[^/]/%15[^/]/%31[^/]/%15[^/]/aws4_request, "
                        "SignedHeaders=%511[^,]",
                        access, day, region, service, signed_names),
                 5, "%s", authorization);
    canonical_request(r, signed_names, canonical, sizeof canonical);
    hex_of_hash(canonical, hash);
    snprintf(to_sign, sizeof to_sign, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", date, day, region, service,
             hash);
    snprintf(start, sizeof start, "AWS4%s", secret);
    mac((const unsigned char *)start, strlen(start), day, key);
    mac(key, sizeof key, region, key);
    mac(key, sizeof key, service, key);
    mac(key, sizeof key, "aws4_request", key);
    mac(key, sizeof key, to_sign, signature);
    sodium_bin2hex(ret, 65, signature, sizeof signature);
}
