/* answer: libmicrohttpd alone, in one thread: reads a body and answers 200. The HTTP half of an ideal front.
 *
 *     cc -O2 -o answer answer.c -lmicrohttpd && ./answer PORT */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *path, const char *method,
                                  const char *version, const char *bytes, size_t *count, void **request)
{
    static int seen;
    (void)arg, (void)path, (void)method, (void)version, (void)bytes;
    if (*request == NULL || *count > 0) {
        *request = &seen;
        *count = 0;
        return MHD_YES;
    }
    struct MHD_Response *r = MHD_create_response_from_buffer(3, (void *)"ok\n", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(c, 200, r);
    MHD_destroy_response(r);
    return result;
}

int main(int argc, char **argv)
{
    struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, (unsigned short)atoi(argv[argc - 1]), NULL,
                                            NULL, on_request, NULL, MHD_OPTION_CONNECTION_LIMIT, 2100u, MHD_OPTION_END);
    if (d == NULL)
        return 1;
    puts("ready");
    fflush(stdout);
    pause();
    return 0;
}
