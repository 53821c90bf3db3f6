/* sockets: libcurl's sockets on a uv loop. curl drops and re-adds its interest in a socket for every request; here the
 * poll handle lives as long as the socket, and an interest that was dropped is only forgotten when an event comes that
 * nobody wants. Events wait in a line until sockets_serve, so that a crowd of them does not make one long turn of the
 * loop. Private to src/provider. */
#ifndef FOLLOWUPD_PROVIDER_SOCKETS_H
#define FOLLOWUPD_PROVIDER_SOCKETS_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "followupd/base/status.h"

struct sockets;

typedef void (*sockets_event_cb)(void *arg, curl_socket_t fd, int curl_events);

struct sockets *sockets_new(uv_loop_t *loop, sockets_event_cb on_event, void *arg); /* NULL: out of memory */
void sockets_free(struct sockets *s); /* every socket is closed by now; their handles end by themselves */

/* Tells curl (on_event) of the first events_max in line. True: there are more, for the next turn. */
bool sockets_serve(struct sockets *s, size_t events_max);

/* For CURLOPT_OPENSOCKETFUNCTION, CURLOPT_CLOSESOCKETFUNCTION and CURLMOPT_SOCKETFUNCTION, with s as their data. */
curl_socket_t sockets_open(void *s, curlsocktype purpose, struct curl_sockaddr *address);
int sockets_close(void *s, curl_socket_t fd);
int sockets_want(CURL *easy, curl_socket_t fd, int what, void *s, void *unused);

#endif
