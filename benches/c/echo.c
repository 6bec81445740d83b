/* Sends back whatever comes: the loop that one writes by hand on epoll. One buffer for all
 * connections, which are registered once and edge-triggered; a short read ends the reading; what
 * the socket does not take is kept. */
#define _GNU_SOURCE
#include <string.h>

enum { BUFFER = 64 * 1024 };

struct connection {
    int fd;
    int length;
    /* What the socket did not take. Nothing more is read until it has. */
    char *rest;
};

static char buffer[BUFFER];

#include "serve.h"

/* Keeps what begins there; -1 when there is no memory. */
static int keep(struct connection *connection, const char *bytes, int length) {
    char *rest = NULL;
    if (length > 0) {
        rest = malloc(length);
        if (!rest) return -1;
        memcpy(rest, bytes, length);
    }
    free(connection->rest);
    connection->rest = rest;
    connection->length = length;
    return 0;
}

/* Sends back what has come; -1 when the connection is over. A short read has emptied the socket,
 * unless its end is behind it. */
static int ready(struct connection *connection, int ended) {
    if (connection->length > 0) {
        ssize_t sent = send_some(connection->fd, connection->rest, connection->length);
        if (sent < 0 || keep(connection, connection->rest + sent, connection->length - sent) < 0)
            return -1;
    }
    while (connection->length == 0) {
        ssize_t n = recv(connection->fd, buffer, sizeof buffer, 0);
        if (n == 0) return -1;
        if (n < 0) {
            if (errno == EAGAIN) return 0;
            if (errno == EINTR) continue;
            return -1;
        }
        ssize_t sent = send_some(connection->fd, buffer, n);
        if (sent < 0) return -1;
        if (sent < n) {
            if (keep(connection, buffer + sent, n - sent) < 0) return -1;
        } else if (n < (ssize_t)sizeof buffer && !ended) {
            return 0;
        }
    }
    return 0;
}

static void forget(struct connection *connection) { free(connection->rest); }
