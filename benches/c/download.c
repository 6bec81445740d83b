/* Sends downloads: a client asks with eight bytes of length, and gets so many bytes. */
#define _GNU_SOURCE
#include <stdint.h>

struct connection {
    int fd;
    /* How much of the length has come; when all of it has, the bytes are sent. */
    int come;
    unsigned char length[8];
    uint64_t left;
};

#include "serve.h"

enum { CHUNK = 256 * 1024 };

/* What all bytes that are sent come from. */
static const char bytes[CHUNK] = {[0 ... CHUNK - 1] = 'x'};

static int ready(struct connection *connection, int ended) {
    (void)ended;
    for (;;) {
        while (connection->left > 0) {
            size_t step = connection->left < CHUNK ? connection->left : CHUNK;
            ssize_t sent = send_some(connection->fd, bytes, step);
            if (sent < 0) return -1;
            connection->left -= sent;
            if ((size_t)sent < step) return 0;
        }
        ssize_t n = recv(connection->fd, connection->length + connection->come,
                         8 - connection->come, 0);
        if (n == 0) return -1;
        if (n < 0) {
            if (errno == EAGAIN) return 0;
            if (errno == EINTR) continue;
            return -1;
        }
        connection->come += n;
        if (connection->come == 8) {
            for (int i = 0; i < 8; i++)
                connection->left = connection->left << 8 | connection->length[i];
            connection->come = 0;
        }
    }
}

static void forget(struct connection *connection) { (void)connection; }
