/* An upload server: a request is a length of eight bytes and a body, the answer is the number of
 * received bytes, in eight bytes. */
#define _GNU_SOURCE
#include <stdint.h>

struct connection {
    int fd;
    /* Bytes of the length that are received. */
    int header;
    unsigned char length[8];
    /* Bytes of the body that are missing, and that are received. */
    uint64_t left, received;
};

#include "serve.h"

enum { CHUNK = 64 * 1024 };

static unsigned char buffer[CHUNK];

/* Consumes input and answers complete uploads. Returns -1 to close the connection. */
static int consume(struct connection *connection, const unsigned char *input, size_t size) {
    for (;;) {
        if (connection->header < 8) {
            while (connection->header < 8 && size > 0) {
                connection->length[connection->header++] = *input++;
                size--;
            }
            if (connection->header < 8) return 0;
            connection->left = connection->received = 0;
            for (int i = 0; i < 8; i++)
                connection->left = connection->left << 8 | connection->length[i];
        }
        size_t step = connection->left < size ? connection->left : size;
        input += step;
        size -= step;
        connection->left -= step;
        connection->received += step;
        if (connection->left > 0) return 0;
        char answer[8];
        for (int i = 0; i < 8; i++) answer[i] = connection->received >> (56 - 8 * i);
        /* The send buffer has room, because a client waits for each answer. */
        if (send_some(connection->fd, answer, 8) != 8) return -1;
        connection->header = 0;
    }
}

static int on_event(struct connection *connection, int read_closed) {
    for (;;) {
        ssize_t n = recv(connection->fd, buffer, sizeof buffer, 0);
        if (n == 0) return -1;
        if (n < 0) {
            if (errno == EAGAIN) return 0;
            if (errno == EINTR) continue;
            return -1;
        }
        if (consume(connection, buffer, n) < 0) return -1;
        if (n < (ssize_t)sizeof buffer && !read_closed) return 0;
    }
}

static void release(struct connection *connection) { (void)connection; }
