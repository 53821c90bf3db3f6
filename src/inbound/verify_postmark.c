/* Postmark signs nothing: its webhooks bring what was set on them, Basic credentials in the URL or a header of one's own. */
#include <string.h>
#include <strings.h>

#include "source.h"

static bool one_is(const struct webhook_source *s, const void *given, size_t bytes)
{
    bool matches = false;
    for (size_t i = 0; i < s->secrets_count; i++)
        matches |= secret_equal(s->secrets[i].bytes, s->secrets[i].count, given, bytes);
    return matches;
}

VERIFY(verify_postmark)
{
    const char *name = s->secret_header != NULL ? s->secret_header : "Authorization";
    const char *given = r->header(r->headers, name);
    uint8_t credentials[WEBHOOK_SECRET_BYTES_MAX];
    size_t bytes;
    (void)now, (void)certificates;
    if (given == NULL)
        return webhook_refuse(ret, "no header with credentials");
    if (s->secret_header != NULL)
        return one_is(s, given, strlen(given)) ? WEBHOOK_AUTHENTIC : webhook_refuse(ret, "the secret is wrong");
    if (strncasecmp(given, "Basic ", 6) != 0)
        return webhook_refuse(ret, "the credentials are not Basic");
    given += 6 + strspn(given + 6, " ");
    bool readable = signature_base64(given, strlen(given), credentials, sizeof credentials, &bytes);
    bool matches = readable && one_is(s, credentials, bytes);
    secret_wipe(credentials, sizeof credentials);
    return matches ? WEBHOOK_AUTHENTIC : webhook_refuse(ret, "the credentials are wrong");
}
