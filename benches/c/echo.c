/* Sends back whatever comes: the loop that one writes by hand on epoll. One buffer for all
 * connections, which are registered once and edge-triggered; a short read ends the reading; what
 * the socket does not take is kept. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 4096, EVENTS = 1024, BUFFER = 64 * 1024 };

struct connection {
    int fd;
    int length;
    /* What the socket did not take. Nothing more is read until it has. */
    char *rest;
};

static char buffer[BUFFER];

static void die(const char *doing) {
    perror(doing);
    exit(1);
}

static int listening(void) {
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    /* Accepted sockets inherit it. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, size) < 0) die("bind");
    if (listen(fd, BACKLOG) < 0) die("listen");
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) die("getsockname");
    printf("listening 127.0.0.1:%d\n", ntohs(address.sin_port));
    fflush(stdout);
    return fd;
}

static void accept_all(int listener, int epoll) {
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN) return;
            if (errno == EINTR || errno == ECONNABORTED) continue;
            die("accept4");
        }
        struct connection *connection = calloc(1, sizeof *connection);
        if (!connection) die("calloc");
        connection->fd = fd;
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                    .data.ptr = connection};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll_ctl");
    }
}

/* Sends as much as the socket takes; -1 when the connection is over. */
static int send_some(int fd, const char *bytes, int length) {
    int sent = 0;
    while (sent < length) {
        ssize_t n = send(fd, bytes + sent, length - sent, MSG_NOSIGNAL);
        if (n >= 0) {
            sent += n;
        } else if (errno == EAGAIN) {
            break;
        } else if (errno != EINTR) {
            return -1;
        }
    }
    return sent;
}

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
        int sent = send_some(connection->fd, connection->rest, connection->length);
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
        int sent = send_some(connection->fd, buffer, n);
        if (sent < 0) return -1;
        if (sent < n) {
            if (keep(connection, buffer + sent, n - sent) < 0) return -1;
        } else if (n < (ssize_t)sizeof buffer && !ended) {
            return 0;
        }
    }
    return 0;
}

int main(void) {
    static struct epoll_event events[EVENTS];
    int listener = listening();
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event) < 0) die("epoll_ctl");
    for (;;) {
        int count = epoll_wait(epoll, events, EVENTS, -1);
        if (count < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                accept_all(listener, epoll);
            } else if (ready(connection, events[i].events & EPOLLRDHUP) < 0) {
                close(connection->fd);
                free(connection->rest);
                free(connection);
            }
        }
    }
}
