#!/usr/bin/env python3
"""Records what a real Redis answers to the commands of differential.txt.

    redis-server --port 7790 --save '' --databases 1
    tests/redis/record.py 7790 tests/redis/differential.txt            # rewrites the replies
    tests/redis/record.py 7791 tests/redis/differential.txt --check    # compares with them
    tests/redis/record.py 7790 tests/redis/resp3.txt --resp3           # says HELLO 3 first

A line `> COMMAND` is sent as it stands, as an inline command; the line below is its reply, escaped.
Lines with `#` and blank lines are kept. A server that closes the connection is connected to again.
"""

import socket
import sys


class Connection:
    def __init__(self, port, resp3):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self.file = self.socket.makefile("rb")
        if resp3:
            self.ask("HELLO 3")

    def reply(self):
        line = self.file.readline()
        kind, number = line[:1], line[1:].strip()
        if kind in b"$=" and int(number) >= 0:
            line += self.file.read(int(number) + 2)
        elif kind in b"*~%>":
            count = int(number) * (2 if kind == b"%" else 1)
            line += b"".join(self.reply() for _ in range(count))
        return line

    def ask(self, command):
        self.socket.sendall(command.encode() + b"\r\n")
        reply = self.reply()
        closes = command.upper() == "QUIT" or reply.startswith(b"-ERR Protocol error")
        return reply, closes


def escape(reply):
    text = reply.decode("latin-1").replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")
    return "".join(c if " " <= c <= "~" else f"\\x{ord(c):02x}" for c in text)


def main():
    port, path, check = int(sys.argv[1]), sys.argv[2], "--check" in sys.argv[3:]
    with open(path) as file:
        old = file.read().splitlines()
    resp3 = "--resp3" in sys.argv[3:]
    new, connection = [], Connection(port, resp3)
    for i, line in enumerate(old):
        if line.startswith("> "):
            reply, closes = connection.ask(line[2:])
            new += [line, escape(reply)]
            if check and new[-1] != (old[i + 1] if i + 1 < len(old) else None):
                print(f"{path}:{i + 1}: {line}\n  wanted {old[i + 1]}\n  got    {new[-1]}")
            if closes:
                connection = Connection(port, resp3)
        elif line.startswith("#") or not line:
            new.append(line)
    if check:
        sys.exit(new != old)
    with open(path, "w") as file:
        file.write("\n".join(new) + "\n")


main()
