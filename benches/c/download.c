/* A download server: a request is a length of eight bytes, the answer is that number of bytes. */
#define _GNU_SOURCE
#include <stdint.h>

struct connection {
    int fd;
    /* Bytes of the length that are received. */
    int received;
    unsigned char length[8];
    uint64_t left;
};

#include "serve.h"

enum { CHUNK = 256 * 1024 };

/* The source of all sent bytes. */
static const char bytes[CHUNK] = {[0 ... CHUNK - 1] = 'x'};

static int on_event(struct connection *connection, int read_closed) {
    (void)read_closed;
    for (;;) {
        while (connection->left > 0) {
            size_t step = connection->left < CHUNK ? connection->left : CHUNK;
            ssize_t sent = send_some(connection->fd, bytes, step);
            if (sent < 0) return -1;
            connection->left -= sent;
            if ((size_t)sent < step) return 0;
        }
        ssize_t n = recv(connection->fd, connection->length + connection->received,
                         8 - connection->received, 0);
        if (n == 0) return -1;
        if (n < 0) {
            if (errno == EAGAIN) return 0;
            if (errno == EINTR) continue;
            return -1;
        }
        connection->received += n;
        if (connection->received == 8) {
            for (int i = 0; i < 8; i++)
                connection->left = connection->left << 8 | connection->length[i];
            connection->received = 0;
        }
    }
}

static void release(struct connection *connection) { (void)connection; }
