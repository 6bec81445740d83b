#!/usr/bin/env python3
"""Clients of redis-py that notice each lost connection, while processes of the server follow each other.

    upgrade_load.py PORT THREADS PAUSE

The threads share a pool of connections and count with INCR, alone and in pipelines; every fourth publishes to a
subscriber. It prints `ready`, reads a line when the upgrades begin, and ends at the end of its input. Then it prints JSON:
the count of each key, the faults, and the times in seconds before that line and after it.
"""

import json
import sys
import threading
import time

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

PORT, THREADS, PAUSE = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
ONCE = {"retry": Retry(NoBackoff(), 0), "retry_on_timeout": False, "socket_timeout": 20}

connects = []
faults = []
counted = {}
published = []
times = []
stage = 0
stop = threading.Event()


class Counted(redis.Connection):
    """A connection that tells when it connects."""

    def on_connect(self):
        connects.append(self)
        super().on_connect()


def pool(protocol, most):
    return redis.ConnectionPool(connection_class=Counted, port=PORT, protocol=protocol, max_connections=most, **ONCE)


shared = pool(3, THREADS)


def count(name, mine):
    client = redis.Redis(connection_pool=shared)
    number = 0
    while not stop.is_set():
        since = time.perf_counter()
        if number % 5 == 4:
            answers = client.pipeline(transaction=False).incr(name).incr(name).execute()
        else:
            answers = [client.incr(name)]
        mine[stage].append(time.perf_counter() - since)
        number += len(answers)
        if answers[-1] != number:
            raise RuntimeError(f"{name} is {answers[-1]} and not {number}")
        counted[name] = number
        time.sleep(PAUSE)


def publish(name, mine):
    pubsub = redis.Redis(connection_pool=pool(2, 1)).pubsub()
    pubsub.subscribe(name)
    pubsub.psubscribe(name + "*")
    kinds = []
    while len(kinds) < 2:
        kinds.append(pubsub.get_message(timeout=10)["type"])
    client = redis.Redis(connection_pool=shared)
    number = 0
    while not stop.is_set():
        since = time.perf_counter()
        if client.publish(name, number) != 2:
            raise RuntimeError(f"not all hear {name}")
        heard = []
        while len(heard) < 2:
            message = pubsub.get_message(timeout=10)
            if message is None:
                raise RuntimeError(f"{name} has heard {heard} and then nothing")
            heard.append(message["data"])
        mine[stage].append(time.perf_counter() - since)
        if heard != [str(number).encode()] * 2:
            raise RuntimeError(f"{name} has heard {heard} and not {number}")
        number += 1
        published.append(name)
        time.sleep(PAUSE)


def run(work, name):
    mine = [[], []]
    times.append(mine)
    try:
        work(name, mine)
    except Exception as error:
        faults.append(f"{name}: {error!r}")


names = [(publish if number % 4 == 3 else count, f"py:{number}") for number in range(THREADS)]
threads = [threading.Thread(target=run, args=it) for it in names]
for thread in threads:
    thread.start()
while not faults and (len(times) < THREADS or not all(mine[0] for mine in times)):
    time.sleep(0.01)
opened = len(connects)
for mine in times:
    mine[0].clear()
print("ready", flush=True)
sys.stdin.readline()
stage = 1
sys.stdin.read()
stop.set()
for thread in threads:
    thread.join()
# A pool makes a connection when all that it has are in use, so it may have made some later.
if len(connects) != len({id(it) for it in connects}):
    faults.append(f"some of the {len(connects)} connections were made anew, after {opened}")
print(json.dumps({"counted": counted, "published": len(published), "faults": faults, "times": times}))
