/* A server of RESP2, the protocol of Redis: GET, SET and PING, as arrays of bulk strings. It hashes
 * keys with FNV-1a, which is cheaper than the SipHash of Rust's standard library. */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <strings.h>

struct connection {
    int fd;
    int refused;
    /* The beginning of an incomplete request. */
    char *unread;
    size_t unread_length;
    /* Output that the socket has not accepted; the server reads again when it is sent. */
    char *unsent;
    size_t unsent_length;
};

#include "serve.h"

enum { MAX_REQUEST = 64 * 1024, WORDS = 3, DIGITS = 6 };

struct word {
    const char *bytes;
    size_t length;
};

struct entry {
    struct entry *next;
    uint64_t hash;
    size_t key_length, length;
    char *value;
    char key[];
};

static char input[MAX_REQUEST];
static char *output;
static size_t output_length, output_capacity;

static struct entry **buckets;
static size_t bucket_count, entry_count;

static void *checked(void *memory) {
    if (!memory) die("malloc");
    return memory;
}

static char *copy(const char *bytes, size_t length) {
    return memcpy(checked(malloc(length ? length : 1)), bytes, length);
}

static inline void put(const char *bytes, size_t length) {
    if (output_capacity - output_length < length) {
        output_capacity = 2 * (output_capacity + length);
        output = checked(realloc(output, output_capacity));
    }
    memcpy(output + output_length, bytes, length);
    output_length += length;
}

#define PUT(text) put(text, sizeof text - 1)

static void put_bulk(const char *bytes, size_t length) {
    char header[24] = "";
    size_t at = sizeof header, left = length;
    header[--at] = '\n';
    header[--at] = '\r';
    do header[--at] = '0' + left % 10;
    while ((left /= 10) > 0);
    header[--at] = '$';
    put(header + at, sizeof header - at);
    put(bytes, length);
    PUT("\r\n");
}

static uint64_t hash_of(struct word key) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < key.length; i++)
        hash = (hash ^ (unsigned char)key.bytes[i]) * 1099511628211u;
    return hash;
}

static void grow(void) {
    size_t count = bucket_count ? 2 * bucket_count : 1024;
    struct entry **grown = checked(calloc(count, sizeof *grown));
    for (size_t i = 0; i < bucket_count; i++) {
        for (struct entry *entry = buckets[i], *next; entry; entry = next) {
            next = entry->next;
            entry->next = grown[entry->hash & (count - 1)];
            grown[entry->hash & (count - 1)] = entry;
        }
    }
    free(buckets);
    buckets = grown;
    bucket_count = count;
}

static struct entry *find(struct word key, uint64_t hash) {
    struct entry *entry = bucket_count ? buckets[hash & (bucket_count - 1)] : NULL;
    while (entry && (entry->hash != hash || entry->key_length != key.length ||
                     memcmp(entry->key, key.bytes, key.length) != 0))
        entry = entry->next;
    return entry;
}

static void set(struct word key, struct word value) {
    uint64_t hash = hash_of(key);
    struct entry *entry = find(key, hash);
    if (entry) {
        free(entry->value);
    } else {
        if (entry_count == bucket_count) grow();
        entry = checked(malloc(sizeof *entry + key.length));
        entry->next = buckets[hash & (bucket_count - 1)];
        entry->hash = hash;
        entry->key_length = key.length;
        memcpy(entry->key, key.bytes, key.length);
        buckets[hash & (bucket_count - 1)] = entry;
        entry_count++;
    }
    entry->value = copy(value.bytes, value.length);
    entry->length = value.length;
}

static int is(struct word word, const char *name, size_t length) {
    return word.length == length && strncasecmp(word.bytes, name, length) == 0;
}

static void answer(const struct word *words, size_t count) {
    if (count == 0) return; /* Redis does not answer an empty array. */
    if (count == 2 && is(words[0], "GET", 3)) {
        struct entry *entry = find(words[1], hash_of(words[1]));
        if (entry) put_bulk(entry->value, entry->length);
        else PUT("$-1\r\n");
    } else if (count == 3 && is(words[0], "SET", 3)) {
        set(words[1], words[2]);
        PUT("+OK\r\n");
    } else if (count == 1 && is(words[0], "PING", 4)) {
        PUT("+PONG\r\n");
    } else if (count == 2 && is(words[0], "PING", 4)) {
        put_bulk(words[1].bytes, words[1].length);
    } else {
        PUT("-ERR unknown command, or a wrong number of arguments for it\r\n");
    }
}

/* Reads the number of the header at `at` and advances `at` to its end. Returns 1, or 0 if the header
 * is incomplete, or -1 if it is invalid. */
static int header(const char *bytes, size_t length, size_t *at, char kind, size_t *number) {
    size_t end = *at;
    if (end >= length) return 0;
    if (bytes[end++] != kind) return -1;
    *number = 0;
    for (; end < length && bytes[end] != '\r'; end++) {
        if (bytes[end] < '0' || bytes[end] > '9' || end > *at + DIGITS) return -1;
        *number = *number * 10 + (bytes[end] - '0');
    }
    if (end < length && end == *at + 1) return -1;
    if (end + 1 >= length) return 0;
    if (bytes[end + 1] != '\n') return -1;
    *at = end + 2;
    return 1;
}

/* Decodes the first request. Returns its length, or 0 if it is incomplete, or -1 if it is invalid. */
static ssize_t decode(const char *bytes, size_t length, struct word *words, size_t *count) {
    size_t at = 0;
    int found = header(bytes, length, &at, '*', count);
    if (found <= 0) return found;
    if (*count > WORDS) return -1;
    for (size_t i = 0; i < *count; i++) {
        size_t size;
        found = header(bytes, length, &at, '$', &size);
        if (found <= 0) return found;
        if (at + size + 2 > MAX_REQUEST) return -1;
        if (length < at + size + 2) return 0;
        if (bytes[at + size] != '\r' || bytes[at + size + 1] != '\n') return -1;
        words[i] = (struct word){bytes + at, size};
        at += size + 2;
    }
    return at;
}

/* Answers all complete requests. Returns their length. */
static size_t answer_all(struct connection *connection, size_t end) {
    struct word words[WORDS];
    size_t at = 0, count;
    while (at < end) {
        ssize_t used = decode(input + at, end - at, words, &count);
        if (used < 0 || (used == 0 && end - at == MAX_REQUEST)) {
            PUT("-ERR Protocol error\r\n");
            connection->refused = 1;
        }
        if (used <= 0) break;
        answer(words, count);
        at += used;
    }
    return at;
}

/* Sends stored output. Returns -1 to close the connection. */
static int send_unsent(struct connection *connection) {
    ssize_t sent = send_some(connection->fd, connection->unsent, connection->unsent_length);
    if (sent < 0) return -1;
    connection->unsent_length -= sent;
    if (connection->unsent_length > 0) {
        memmove(connection->unsent, connection->unsent + sent, connection->unsent_length);
    } else {
        free(connection->unsent);
        connection->unsent = NULL;
    }
    return 0;
}

static int on_event(struct connection *connection, int read_closed) {
    if (connection->unsent && send_unsent(connection) < 0) return -1;
    while (!connection->unsent && !connection->refused) {
        size_t held = connection->unread_length;
        if (held > 0) memcpy(input, connection->unread, held);
        ssize_t n = recv(connection->fd, input + held, sizeof input - held, 0);
        if (n == 0) return -1;
        if (n < 0) {
            if (errno == EAGAIN) return 0;
            if (errno == EINTR) continue;
            return -1;
        }
        size_t end = held + n, used = answer_all(connection, end);
        free(connection->unread);
        connection->unread = used < end ? copy(input + used, end - used) : NULL;
        connection->unread_length = end - used;
        ssize_t sent = send_some(connection->fd, output, output_length);
        if (sent < 0) return -1;
        if ((size_t)sent < output_length) {
            connection->unsent_length = output_length - sent;
            connection->unsent = copy(output + sent, connection->unsent_length);
        }
        output_length = 0;
        if (end < sizeof input && !read_closed) break;
    }
    return connection->refused && !connection->unsent ? -1 : 0;
}

static void release(struct connection *connection) {
    free(connection->unread);
    free(connection->unsent);
}
