/* Takes uploads: eight bytes of length, the body; the answer is eight bytes with the number of
 * bytes of the body that have come. */
#define _GNU_SOURCE
#include <stdint.h>

struct connection {
    int fd;
    /* How much of the length has come; when all of it has, the body comes. */
    int come;
    unsigned char length[8];
    uint64_t left, taken;
};

#include "serve.h"

enum { CHUNK = 64 * 1024 };

static unsigned char buffer[CHUNK];

/* Takes what has come; -1 when the connection is over. */
static int take(struct connection *connection, const unsigned char *input, size_t size) {
    for (;;) {
        if (connection->come < 8) {
            while (connection->come < 8 && size > 0) {
                connection->length[connection->come++] = *input++;
                size--;
            }
            if (connection->come < 8) return 0;
            connection->left = connection->taken = 0;
            for (int i = 0; i < 8; i++)
                connection->left = connection->left << 8 | connection->length[i];
        }
        size_t step = connection->left < size ? connection->left : size;
        input += step;
        size -= step;
        connection->left -= step;
        connection->taken += step;
        if (connection->left > 0) return 0;
        char answer[8];
        for (int i = 0; i < 8; i++) answer[i] = connection->taken >> (56 - 8 * i);
        /* A client waits for the answer before it sends more, so there is room for it. */
        if (send_some(connection->fd, answer, 8) != 8) return -1;
        connection->come = 0;
    }
}

static int ready(struct connection *connection, int ended) {
    for (;;) {
        ssize_t n = recv(connection->fd, buffer, sizeof buffer, 0);
        if (n == 0) return -1;
        if (n < 0) {
            if (errno == EAGAIN) return 0;
            if (errno == EINTR) continue;
            return -1;
        }
        if (take(connection, buffer, n) < 0) return -1;
        if (n < (ssize_t)sizeof buffer && !ended) return 0;
    }
}

static void forget(struct connection *connection) { (void)connection; }
