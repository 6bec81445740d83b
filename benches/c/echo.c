/* An echo server: it sends received bytes back. All connections share one buffer; a copy of
 * unsent output belongs to its connection. */
#define _GNU_SOURCE
#include <string.h>

enum { BUFFER = 64 * 1024 };

struct connection {
    int fd;
    int length;
    /* Output that the socket has not accepted; the server reads again when it is sent. */
    char *unsent;
};

static char buffer[BUFFER];

#include "serve.h"

/* Stores a copy of unsent output. Returns -1 if memory is exhausted. */
static int store_unsent(struct connection *connection, const char *bytes, int length) {
    char *unsent = NULL;
    if (length > 0) {
        unsent = malloc(length);
        if (!unsent) return -1;
        memcpy(unsent, bytes, length);
    }
    free(connection->unsent);
    connection->unsent = unsent;
    connection->length = length;
    return 0;
}

/* A short read has emptied the socket, unless the end of stream follows. */
static int on_event(struct connection *connection, int read_closed) {
    if (connection->length > 0) {
        ssize_t sent = send_some(connection->fd, connection->unsent, connection->length);
        if (sent < 0 || store_unsent(connection, connection->unsent + sent, connection->length - sent) < 0)
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
            if (store_unsent(connection, buffer + sent, n - sent) < 0) return -1;
        } else if (n < (ssize_t)sizeof buffer && !read_closed) {
            return 0;
        }
    }
    return 0;
}

static void release(struct connection *connection) { free(connection->unsent); }
