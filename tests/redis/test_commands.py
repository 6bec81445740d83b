#!/usr/bin/env python3
"""Drives the commands of a Redis server with redis-py, by its own methods.

    test_commands.py PORT PROTOCOL

`requirements.txt` has the version of redis-py. `cargo test -p fsm-tests --test kv_python` installs it and runs this.
The protocol is 2 for RESP2 or 3 for RESP3.
"""

import sys
import threading
import time
import unittest

import redis

PORT = int(sys.argv.pop(1))
PROTOCOL = int(sys.argv.pop(1))
BINARY = bytes(range(256)) * 3 + b"\r\n$-1\r\n\0"


def connect(**options):
    return redis.Redis(port=PORT, protocol=PROTOCOL, socket_timeout=20, **options)


class Case(unittest.TestCase):
    def setUp(self):
        self.r = connect()
        self.addCleanup(self.r.close)
        self.r.flushall()

    def refuses(self, message):
        """The reply is this error, as redis-py shows it: without its `ERR`."""
        return self.assertRaisesRegex(redis.ResponseError, "^" + message)


class Server(Case):
    def test_ping_and_echo(self):
        self.assertIs(self.r.ping(), True)
        self.assertEqual(self.r.echo(BINARY), BINARY)

    def test_select(self):
        self.assertTrue(self.r.select(0))
        with self.refuses("DB index is out of range"):
            self.r.select(1)
        other = connect(db=1)
        with self.refuses("DB index is out of range"):
            other.ping()

    def test_hello(self):
        hello = self.r.execute_command("HELLO", PROTOCOL)
        if PROTOCOL == 2:
            hello = dict(zip(hello[::2], hello[1::2]))
        self.assertEqual(hello[b"proto"], PROTOCOL)
        self.assertEqual(hello[b"server"], b"redis")
        with self.assertRaisesRegex(redis.ResponseError, "unsupported protocol version"):
            self.r.execute_command("HELLO", 4)

    def test_client(self):
        with connect(client_name="tester", single_connection_client=True) as named:
            self.assertIn(named.client_getname(), ("tester", b"tester"))
            self.assertTrue(named.client_setname("renamed"))
            self.assertIn(named.client_getname(), ("renamed", b"renamed"))
            self.assertTrue(named.client_no_evict("ON"))
            ids = [entry["id"] for entry in named.client_list()]
            self.assertIn(str(named.client_id()), ids)
        self.assertIsNone(self.r.client_getname())
        with self.refuses("Client names cannot contain spaces"):
            self.r.client_setname("two words")

    def test_client_setinfo_at_connect(self):
        """redis-py sends it on every connection, and swallows a refusal."""
        self.assertTrue(self.r.client_setinfo("LIB-NAME", "fsm-tests"))
        self.assertTrue(self.r.client_setinfo("LIB-VER", "1.0"))

    def test_quit(self):
        with connect(single_connection_client=True) as leaving:
            self.assertTrue(leaving.quit())
        # The server has ended that connection; another one is made.
        self.assertIs(leaving.ping(), True)

    def test_client_kill(self):
        with connect(client_name="victim", single_connection_client=True) as victim:
            entry = next(one for one in self.r.client_list() if one["name"] == "victim")
            self.assertEqual(victim.client_info()["id"], int(entry["id"]))
            self.assertEqual(self.r.client_kill_filter(_id=entry["id"]), 1)

    def test_command(self):
        commands = self.r.command()
        self.assertEqual(len(commands), self.r.command_count())
        self.assertEqual(commands["get"]["arity"], 2)
        self.assertEqual(commands["set"]["first_key_pos"], 1)
        self.assertIn(b"hincrby", self.r.command_list())

    def test_info(self):
        self.r.mset({"a": 1, "b": 2})
        self.r.expire("a", 100)
        info = self.r.info()
        self.assertEqual(info["db0"]["keys"], 2)
        self.assertEqual(info["db0"]["expires"], 1)
        self.assertEqual(info["role"], "master")
        self.assertGreater(info["used_memory"], 0)
        self.assertGreaterEqual(info["connected_clients"], 1)
        self.assertGreaterEqual(info["uptime_in_seconds"], 0)
        self.assertRegex(info["redis_version"], r"^\d+\.\d+\.\d+$")
        self.assertNotIn("used_memory", self.r.info("keyspace"))
        before = self.r.info("stats")["total_commands_processed"]
        self.r.ping()
        self.assertGreater(self.r.info("stats")["total_commands_processed"], before)

    def test_config_get(self):
        self.assertEqual(self.r.config_get("save"), {"save": ""})
        self.assertEqual(self.r.config_get("appendonly"), {"appendonly": "no"})
        self.assertEqual(self.r.config_get("maxmemor?"), {"maxmemory": "0"})
        self.assertTrue(self.r.config_set("maxmemory", "1gb"))
        self.assertEqual(self.r.config_get("maxmemory"), {"maxmemory": str(1 << 30)})
        self.assertTrue(self.r.config_set("maxmemory", 0))
        with self.refuses("Unknown option or number of arguments for CONFIG SET"):
            self.r.config_set("nosuch", 1)
        self.assertTrue(self.r.config_resetstat())

    def test_dbsize_and_flush(self):
        for flush in (self.r.flushdb, self.r.flushall):
            for asynchronous in (False, True):
                self.r.mset({"a": 1, "b": 2, "c": 3})
                self.assertEqual(self.r.dbsize(), 3)
                self.assertTrue(flush(asynchronous=asynchronous))
                self.assertEqual(self.r.dbsize(), 0)

    def test_unknown_commands(self):
        with self.refuses("unknown command 'NOSUCH', with args beginning with: 'a' 'b'"):
            self.r.execute_command("NOSUCH", "a", "b")
        with self.refuses("wrong number of arguments for 'get' command"):
            self.r.execute_command("GET")
        # An error leaves the connection as it was.
        self.assertIs(self.r.ping(), True)


class Strings(Case):
    def test_set_and_get(self):
        self.assertIs(self.r.set("k", "v"), True)
        self.assertEqual(self.r.get("k"), b"v")
        self.assertIsNone(self.r.get("none"))
        self.r["item"] = "x"
        self.assertEqual(self.r["item"], b"x")
        self.assertIn("item", self.r)
        del self.r["item"]
        with self.assertRaises(KeyError):
            self.r["item"]

    def test_set_options(self):
        self.assertIs(self.r.set("k", 1, nx=True), True)
        self.assertIsNone(self.r.set("k", 2, nx=True))
        self.assertIsNone(self.r.set("other", 2, xx=True))
        self.assertIs(self.r.set("k", 2, xx=True, ex=100), True)
        self.assertIn(self.r.ttl("k"), (99, 100))
        self.assertIs(self.r.set("k", 3, keepttl=True), True)
        self.assertIn(self.r.ttl("k"), (99, 100))
        self.assertEqual(self.r.set("k", 4, get=True), b"3")
        self.assertEqual(self.r.ttl("k"), -1)
        self.assertIsNone(self.r.set("fresh", 4, get=True))
        self.assertIs(self.r.set("k", 5, px=50_000), True)
        self.assertTrue(49_000 < self.r.pttl("k") <= 50_000)
        for wrong in (0, -1):
            with self.refuses("invalid expire time in 'set' command"):
                self.r.set("k", 6, ex=wrong)
        with self.refuses("syntax error"):
            self.r.execute_command("SET", "k", "v", "NX", "XX")

    def test_expiry(self):
        self.r.set("k", "v", px=30)
        self.r.set("stays", "v")
        end = time.monotonic() + 10
        while self.r.exists("k"):
            self.assertLess(time.monotonic(), end, "it should expire")
            time.sleep(0.005)
        self.assertIsNone(self.r.get("k"))
        self.assertEqual(self.r.ttl("k"), -2)
        self.assertEqual(self.r.keys(), [b"stays"])

    def test_getset_getdel_setnx(self):
        self.assertIsNone(self.r.getset("k", "a"))
        self.assertEqual(self.r.getset("k", "b"), b"a")
        self.assertEqual(self.r.getdel("k"), b"b")
        self.assertIsNone(self.r.getdel("k"))
        self.assertIs(self.r.setnx("k", 1), True)
        self.assertIs(self.r.setnx("k", 2), False)

    def test_mset_mget(self):
        values = {f"key:{n}": str(n).encode() for n in range(500)}
        self.assertIs(self.r.mset(values), True)
        self.assertEqual(self.r.mget(list(values)), list(values.values()))
        self.r.lpush("list", 1)
        self.assertEqual(self.r.mget("key:1", "none", "list"), [b"1", None, None])

    def test_del_exists_type(self):
        self.r.mset({"a": 1, "b": 2})
        self.assertEqual(self.r.exists("a", "b", "a", "none"), 3)
        self.assertEqual(self.r.delete("a", "none"), 1)
        self.assertEqual(self.r.exists("a"), 0)
        self.r.rpush("list", 1)
        self.r.hset("hash", "f", 1)
        self.r.sadd("set", 1)
        types = [self.r.type(key) for key in ("b", "list", "hash", "set", "none")]
        self.assertEqual(types, [b"string", b"list", b"hash", b"set", b"none"])

    def test_counters(self):
        self.assertEqual(self.r.execute_command("INCR", "n"), 1)
        self.assertEqual(self.r.execute_command("DECR", "n"), 0)
        self.assertEqual(self.r.incr("n"), 1)
        self.assertEqual(self.r.incrby("n", 41), 42)
        self.assertEqual(self.r.decr("n"), 41)
        self.assertEqual(self.r.decrby("n", 51), -10)
        self.r.set("n", 2**63 - 1)
        with self.refuses("increment or decrement would overflow"):
            self.r.incr("n")
        self.assertEqual(self.r.get("n"), str(2**63 - 1).encode())
        for text in ("", " 1", "1.0", "ten", str(2**63)):
            self.r.set("n", text)
            with self.refuses("value is not an integer or out of range"):
                self.r.incr("n")

    def test_append_strlen_ranges(self):
        self.assertEqual(self.r.append("k", "Hello"), 5)
        self.assertEqual(self.r.append("k", " World"), 11)
        self.assertEqual(self.r.strlen("k"), 11)
        self.assertEqual(self.r.getrange("k", 0, 4), b"Hello")
        self.assertEqual(self.r.getrange("k", -5, -1), b"World")
        self.assertEqual(self.r.getrange("k", 5, 2), b"")
        self.assertEqual(self.r.setrange("k", 6, "Redis"), 11)
        self.assertEqual(self.r.get("k"), b"Hello Redis")
        self.assertEqual(self.r.setrange("gap", 3, "x"), 4)
        self.assertEqual(self.r.get("gap"), b"\0\0\0x")
        with self.refuses("offset is out of range"):
            self.r.setrange("k", -1, "x")
        with self.refuses("string exceeds maximum allowed size"):
            self.r.setrange("k", 512 * 1024 * 1024, "x")

    def test_binary_and_large_values(self):
        self.r.set(BINARY, BINARY)
        self.assertEqual(self.r.get(BINARY), BINARY)
        self.assertEqual(self.r.keys(), [BINARY])
        large = BINARY * (10_000_000 // len(BINARY) + 1)
        self.assertGreaterEqual(len(large), 10_000_000)
        self.r.set("large", large)
        self.assertEqual(self.r.strlen("large"), len(large))
        self.assertEqual(self.r.get("large"), large)
        self.assertEqual(self.r.mget("large", "large"), [large, large])

    def test_decode_responses(self):
        with connect(decode_responses=True) as r:
            r.set("ключ", "значение")
            r.hset("hash", mapping={"поле": "é"})
            self.assertEqual(r.get("ключ"), "значение")
            self.assertEqual(r.hgetall("hash"), {"поле": "é"})
            self.assertEqual(r.type("hash"), "hash")
            self.assertEqual(sorted(r.keys()), ["hash", "ключ"])


class Keys(Case):
    def test_expire(self):
        self.assertIs(self.r.expire("none", 10), False)
        self.r.set("k", "v")
        self.assertEqual((self.r.ttl("k"), self.r.pttl("k")), (-1, -1))
        self.assertIs(self.r.persist("k"), False)
        self.assertIs(self.r.expire("k", 100), True)
        self.assertIn(self.r.ttl("k"), (99, 100))
        self.assertIs(self.r.expire("k", 50, nx=True), False)
        self.assertIs(self.r.expire("k", 50, gt=True), False)
        self.assertIs(self.r.expire("k", 50, lt=True), True)
        self.assertIs(self.r.pexpire("k", 70_000, xx=True), True)
        self.assertTrue(69_000 < self.r.pttl("k") <= 70_000)
        self.assertIs(self.r.persist("k"), True)
        self.assertEqual(self.r.ttl("k"), -1)
        self.assertIs(self.r.expire("k", -1), True)
        self.assertIsNone(self.r.get("k"))

    def test_keys(self):
        self.r.mset({key: 1 for key in ("hello", "hallo", "hxllo", "heeello", "h[llo")})
        for pattern, found in {
            "*": 5, "h?llo": 4, "h*llo": 5, "h[ae]llo": 2, "h[^e]llo": 3, "h[a-e]llo": 2,
            "h\\[llo": 1, "none": 0, "*o": 5, "": 0,
        }.items():
            self.assertEqual(len(self.r.keys(pattern)), found, pattern)

    def test_scan(self):
        keys = {f"key:{n}".encode() for n in range(1000)}
        self.r.mset(dict.fromkeys(keys, 1))
        self.r.sadd("set", 1)
        self.assertEqual(set(self.r.scan_iter()), keys | {b"set"})
        self.assertEqual(set(self.r.scan_iter(count=7, match="key:*")), keys)
        self.assertEqual(set(self.r.scan_iter(count=100_000, match="key:99*")),
                         {key for key in keys if key.startswith(b"key:99")})
        self.assertEqual(list(self.r.scan_iter(_type="set")), [b"set"])
        # What is there all the time is found, whatever comes and goes meanwhile.
        seen = set()
        for n, key in enumerate(self.r.scan_iter(count=10)):
            seen.add(key)
            self.r.delete(f"key:{n % 500}")
            self.r.set(f"new:{n % 700}", 1)
        self.assertLessEqual({f"key:{n}".encode() for n in range(500, 1000)}, seen)
        with self.refuses("invalid cursor"):
            self.r.execute_command("SCAN", "x")


class Collections(Case):
    def test_lists(self):
        self.assertEqual(self.r.rpush("l", "c", "d"), 2)
        self.assertEqual(self.r.lpush("l", "b", "a"), 4)
        self.assertEqual(self.r.llen("l"), 4)
        self.assertEqual(self.r.lrange("l", 0, -1), [b"a", b"b", b"c", b"d"])
        self.assertEqual(self.r.lrange("l", -3, 1), [b"b"])
        self.assertEqual(self.r.lrange("l", 3, 1), [])
        self.assertEqual(self.r.lindex("l", 0), b"a")
        self.assertEqual(self.r.lindex("l", -1), b"d")
        self.assertIsNone(self.r.lindex("l", 4))
        self.assertEqual(self.r.lpop("l"), b"a")
        self.assertEqual(self.r.rpop("l"), b"d")
        self.assertEqual(self.r.rpop("l", 5), [b"c", b"b"])
        self.assertEqual(self.r.exists("l"), 0)
        self.assertIsNone(self.r.lpop("l"))
        self.assertIsNone(self.r.lpop("l", 2))
        many = [str(n).encode() for n in range(20_000)]
        self.assertEqual(self.r.rpush("l", *many), len(many))
        self.assertEqual(self.r.lrange("l", 0, -1), many)

    def test_hashes(self):
        self.assertEqual(self.r.hset("h", "a", 1), 1)
        self.assertEqual(self.r.hset("h", mapping={"a": 2, "b": BINARY}), 1)
        self.assertEqual(self.r.hget("h", "a"), b"2")
        self.assertIsNone(self.r.hget("h", "none"))
        self.assertIsNone(self.r.hget("none", "a"))
        self.assertEqual(self.r.hmget("h", "a", "none", "b"), [b"2", None, BINARY])
        self.assertEqual(self.r.hgetall("h"), {b"a": b"2", b"b": BINARY})
        self.assertEqual(self.r.hgetall("none"), {})
        self.assertEqual(self.r.hlen("h"), 2)
        self.assertIs(self.r.hexists("h", "a"), True)
        self.assertIs(self.r.hexists("h", "none"), False)
        self.assertEqual(self.r.hincrby("h", "a", 40), 42)
        self.assertEqual(self.r.hincrby("h", "new", -1), -1)
        with self.refuses("hash value is not an integer"):
            self.r.hincrby("h", "b")
        self.assertEqual(self.r.hdel("h", "a", "b", "none"), 2)
        self.assertEqual(self.r.hdel("h", "new"), 1)
        self.assertEqual(self.r.exists("h"), 0)

    def test_sets(self):
        self.assertEqual(self.r.sadd("s", "a", "b", "a", BINARY), 3)
        self.assertEqual(self.r.scard("s"), 3)
        self.assertEqual(self.r.smembers("s"), {b"a", b"b", BINARY})
        self.assertEqual(self.r.smembers("none"), set())
        self.assertTrue(self.r.sismember("s", "a"))
        self.assertFalse(self.r.sismember("s", "none"))
        self.assertEqual(self.r.srem("s", "a", "none"), 1)
        drawn = self.r.spop("s")
        self.assertIn(drawn, (b"b", BINARY))
        self.assertNotIn(drawn, self.r.smembers("s"))
        self.assertEqual(len(self.r.spop("s", 5)), 1)
        self.assertEqual(self.r.exists("s"), 0)
        self.assertIsNone(self.r.spop("s"))

    def test_wrong_types(self):
        self.r.set("string", "v")
        self.r.rpush("list", 1)
        for call, args in (
            (self.r.lpush, ("string", 1)), (self.r.lrange, ("string", 0, -1)),
            (self.r.hset, ("string", "f", 1)), (self.r.hgetall, ("list",)),
            (self.r.sadd, ("list", 1)), (self.r.smembers, ("string",)),
            (self.r.get, ("list",)), (self.r.incr, ("list",)), (self.r.append, ("list", "x")),
        ):
            with self.refuses("WRONGTYPE Operation against a key holding the wrong kind of value"):
                call(*args)
        self.assertEqual(self.r.get("string"), b"v")
        self.assertEqual(self.r.lrange("list", 0, -1), [b"1"])


class SortedSets(Case):
    def test_scores_and_ranks(self):
        self.assertEqual(self.r.zadd("z", {"a": 1, "b": 2.5, BINARY: float("inf")}), 3)
        self.assertEqual(self.r.zadd("z", {"a": 0.5}, gt=True), 0)
        self.assertEqual(self.r.zadd("z", {"a": 0.5}, ch=True), 1)
        self.assertEqual(self.r.zadd("z", {"a": 0.25}, incr=True), 0.75)
        self.assertIsNone(self.r.zadd("z", {"none": 1}, incr=True, xx=True))
        self.assertEqual(self.r.zincrby("z", 2, "a"), 2.75)
        self.assertEqual(self.r.zscore("z", BINARY), float("inf"))
        self.assertIsNone(self.r.zscore("z", "none"))
        self.assertEqual(self.r.zmscore("z", ["a", "none"]), [2.75, None])
        self.assertEqual((self.r.zrank("z", "a"), self.r.zrevrank("z", "a")), (1, 1))
        self.assertIsNone(self.r.zrank("z", "none"))
        self.assertEqual(self.r.zcard("z"), 3)
        self.assertEqual(self.r.zrem("z", "a", "none"), 1)

    def test_ranges(self):
        self.r.zadd("z", {name: score for score, name in enumerate("abcdef")})
        self.assertEqual(self.r.zrange("z", 1, 2), [b"b", b"c"])
        self.assertEqual(self.r.zrange("z", 0, 1, desc=True), [b"f", b"e"])
        self.assertEqual(self.r.zrange("z", "(1", 3, byscore=True), [b"c", b"d"])
        self.assertEqual(self.r.zrange("z", "[b", "(d", bylex=True), [b"b", b"c"])
        self.assertEqual([tuple(pair) for pair in self.r.zrange("z", 0, 0, withscores=True)],
                         [(b"a", 0.0)])
        self.assertEqual(self.r.zrevrange("z", 0, 0), [b"f"])
        self.assertEqual(self.r.zrangebyscore("z", "-inf", 3, start=1, num=2), [b"b", b"c"])
        self.assertEqual(self.r.zrevrangebyscore("z", "+inf", "(4"), [b"f"])
        self.assertEqual(self.r.zcount("z", 1, "(4"), 3)
        self.assertEqual(self.r.zremrangebyrank("z", 0, 1), 2)
        self.assertEqual(self.r.zremrangebyscore("z", 5, "+inf"), 1)
        self.assertEqual(self.r.zpopmin("z"), [b"c", 2.0] if PROTOCOL == 3 else [(b"c", 2.0)])
        self.assertEqual(len(self.r.zpopmax("z", 5)), 2)
        self.assertEqual(self.r.exists("z"), 0)


class Transactions(Case):
    def test_a_pipeline_is_a_transaction(self):
        with self.r.pipeline() as pipeline:
            pipeline.set("k", 1).incr("k").hset("h", "f", "v").hgetall("h")
            self.assertEqual(pipeline.execute(), [True, 2, 1, {b"f": b"v"}])

    def test_errors(self):
        with self.r.pipeline() as pipeline:
            pipeline.set("k", "text").incr("k").get("k")
            stored, error, value = pipeline.execute(raise_on_error=False)
            self.assertEqual((stored, value), (True, b"text"))
            self.assertIsInstance(error, redis.ResponseError)
            pipeline.set("k", "other").execute_command("NOSUCH")
            with self.refuses("Command # 2 .NOSUCH. of pipeline caused error: unknown command"):
                pipeline.execute()
        self.assertEqual(self.r.get("k"), b"text")

    def test_watch(self):
        with self.r.pipeline() as pipeline:
            pipeline.watch("k")
            self.r.set("k", 1)
            pipeline.multi()
            pipeline.set("k", 2)
            with self.assertRaises(redis.WatchError):
                pipeline.execute()
        self.assertEqual(self.r.get("k"), b"1")

        def increment(pipeline):
            value = int(pipeline.get("k"))
            pipeline.multi()
            pipeline.set("k", value + 1)

        self.assertEqual(self.r.transaction(increment, "k"), [True])
        self.assertEqual(self.r.get("k"), b"2")


class Channels(Case):
    def test_messages(self):
        with self.r.pubsub(ignore_subscribe_messages=True) as hears:
            hears.subscribe("news", "sports")
            hears.psubscribe("n*")
            for _ in range(3):
                self.assertIsNone(hears.get_message(timeout=5))
            self.assertEqual(self.r.pubsub_channels("n*"), [b"news"])
            self.assertEqual(self.r.pubsub_numsub("news", "x"), [(b"news", 1), (b"x", 0)])
            self.assertEqual(self.r.pubsub_numpat(), 1)
            self.assertEqual(self.r.publish("news", BINARY), 2)
            found = [hears.get_message(timeout=5) for _ in range(2)]
            self.assertEqual([one["type"] for one in found], ["message", "pmessage"])
            self.assertEqual([one["data"] for one in found], [BINARY, BINARY])
            hears.ping()
            self.assertEqual(hears.get_message(timeout=5)["type"], "pong")
            hears.unsubscribe()
            hears.punsubscribe("n*")
            for _ in range(3):
                self.assertIsNone(hears.get_message(timeout=5))
            self.assertEqual(self.r.publish("news", "nobody"), 0)

    def test_a_thread_hears(self):
        heard, done = [], threading.Event()

        def take(message):
            heard.append(int(message["data"]))
            if len(heard) == 500:
                done.set()

        hears = self.r.pubsub(ignore_subscribe_messages=True)
        hears.subscribe(**{"numbers": take})
        thread = hears.run_in_thread(sleep_time=0.01)
        while self.r.pubsub_numsub("numbers")[0][1] == 0:
            pass
        with self.r.pipeline(transaction=False) as pipeline:
            for n in range(500):
                pipeline.publish("numbers", n)
            self.assertEqual(pipeline.execute(), [1] * 500)
        self.assertTrue(done.wait(20))
        thread.stop()
        thread.join(20)
        self.assertEqual(heard, list(range(500)))


class Waits(Case):
    def eventually(self, count):
        while self.r.info("clients")["blocked_clients"] != count:
            pass

    def later(self, wait):
        """Runs the call in a thread, and returns a function that returns its result."""
        result = []

        def run():
            with connect() as r:
                result.append(wait(r))

        thread = threading.Thread(target=run)
        thread.start()
        self.eventually(1)

        def joined():
            thread.join(20)
            return result[0]

        return joined

    def test_lists(self):
        result = self.later(lambda r: r.blpop(["a", "b"], 0))
        self.r.rpush("b", BINARY)
        self.assertEqual(tuple(result()), (b"b", BINARY))
        result = self.later(lambda r: r.blmove("a", "b", 0, "LEFT", "RIGHT"))
        self.r.rpush("a", "moved")
        self.assertEqual(result(), b"moved")
        self.assertEqual(tuple(self.r.brpop("b", 1)), (b"b", b"moved"))
        self.assertIsNone(self.r.brpop("b", 0.01))
        self.assertIsNone(self.r.brpoplpush("a", "b", 0.01))
        self.r.rpush("a", "1", "2")
        self.assertEqual(self.r.lmove("a", "b", "LEFT", "LEFT"), b"1")
        self.assertEqual(self.r.rpoplpush("a", "b"), b"2")

    def test_sorted_sets(self):
        result = self.later(lambda r: r.bzpopmin("z", 0))
        self.r.zadd("z", {"a": 1, "b": 2.5})
        self.assertEqual(tuple(result()), (b"z", b"a", 1.0))
        self.assertEqual(tuple(self.r.bzpopmax("z", 0)), (b"z", b"b", 2.5))
        self.assertIsNone(self.r.bzpopmax("z", 0.01))

    def test_unblock(self):
        result = self.later(lambda r: r.blpop("a", 0))
        waiting = [one["id"] for one in self.r.client_list() if one["flags"] == "b"]
        self.assertTrue(self.r.client_unblock(int(waiting[0])))
        self.assertIsNone(result())
        self.assertFalse(self.r.client_unblock(int(waiting[0])))


class Clients(Case):
    def test_pipeline(self):
        pipeline = self.r.pipeline(transaction=False)
        for n in range(10_000):
            pipeline.set(f"key:{n}", n).get(f"key:{n}")
        replies = pipeline.execute()
        self.assertEqual(replies[::2], [True] * 10_000)
        self.assertEqual(replies[1::2], [str(n).encode() for n in range(10_000)])

    def test_errors_in_a_pipeline(self):
        pipeline = self.r.pipeline(transaction=False)
        pipeline.set("k", "text").incr("k").lpush("k", 1).get("k")
        stored, *errors, value = pipeline.execute(raise_on_error=False)
        self.assertEqual((stored, value), (True, b"text"))
        self.assertEqual([type(error) for error in errors], [redis.ResponseError] * 2)
        self.assertTrue(str(errors[1]).startswith("WRONGTYPE"), errors)

    def test_large_pipeline(self):
        """More than any buffer on the way holds, in both directions."""
        pipeline = self.r.pipeline(transaction=False)
        value = b"v" * 1_000_000
        for n in range(40):
            pipeline.set(n, value)
        self.assertEqual(pipeline.execute(), [True] * 40)
        self.assertEqual(self.r.mget(range(40)), [value] * 40)

    def test_threads_share_a_pool(self):
        pool = redis.ConnectionPool(port=PORT, protocol=PROTOCOL, max_connections=8, socket_timeout=20)
        failed = []

        def work(n):
            try:
                r = redis.Redis(connection_pool=pool)
                for i in range(300):
                    r.incr("shared")
                    r.set(f"own:{n}", i)
                    assert r.get(f"own:{n}") == str(i).encode()
                    with r.pipeline(transaction=False) as pipeline:
                        found = pipeline.rpush(f"list:{n}", i).llen(f"list:{n}").execute()
                    assert found == [i + 1, i + 1], found
            except Exception as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual(failed, [])
        self.assertEqual(self.r.get("shared"), b"2400")
        pool.disconnect()

    def test_connections_come_and_go(self):
        for n in range(200):
            with connect() as r:
                self.assertEqual(r.incr("n"), n + 1)


if __name__ == "__main__":
    unittest.main()
