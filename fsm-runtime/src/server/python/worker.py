"""The loop of a worker process: it does one job after another for a pool of `fsm-runtime`.

Descriptor 0 is the socket to the pool. A request is `length, number, milliseconds left, body`, an answer `length,
number, kind, body`, in the byte order of the machine. The end of the stream ends the process.
"""

import importlib
import importlib.util
import io
import json
import os
import select
import signal
import socket
import struct
import sys
import threading
import time
import traceback
import types

REQUEST = struct.Struct("=III")
ANSWER = struct.Struct("=IIB")
RESULT, RAISED, READY, FAILED = 0, 1, 2, 3
# The milliseconds left of a job that may take for ever.
NEVER = 0xFFFFFFFF
# Added to the kind by a process that has grown over its bound.
LAST = 0x80
# The most text of one part of an exception.
TEXT = 64 * 1024
# The seconds that a job and exit handlers have after the end of the server.
PATIENCE = 5

DECODE = {"bytes": bytes, "text": lambda body: body.decode(), "json": json.loads}


class Job:
    """The job that is done now."""

    until = None

    @classmethod
    def begin(cls, left):
        cls.until = None if left == NEVER else time.monotonic() + left / 1000

    @classmethod
    def deadline(cls):
        """Returns the seconds that are left for this job, 0.0 if they are over, and None if it may take for ever."""
        return None if cls.until is None else max(0.0, cls.until - time.monotonic())


def offer_module():
    """Makes the module `fsm_runtime`, which functions may import."""
    module = types.ModuleType("fsm_runtime", "What a function of a pool of `fsm-runtime` can ask for.")
    module.deadline = Job.deadline
    sys.modules[module.__name__] = module


def encode_bytes(value):
    if not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError("the result is %s, and the pool wants bytes" % type(value).__name__)
    return bytes(value)


def encode_text(value):
    if not isinstance(value, str):
        raise TypeError("the result is %s, and the pool wants str" % type(value).__name__)
    return value.encode()


def encode_json(value):
    return json.dumps(value, allow_nan=False, separators=(",", ":")).encode()


ENCODE = {"bytes": encode_bytes, "text": encode_text, "json": encode_json}


def connection():
    """Moves the socket away from descriptor 0, so that code which reads its standard input finds an end there."""
    moved = os.dup(0)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return socket.socket(fileno=moved)


def find(target):
    """Returns the function that `module:function` or `path/to/file.py:function` names."""
    module, _, name = target.rpartition(":")
    if not module or not name:
        raise ValueError("`%s` names no function: write module:function or path/to/file.py:function" % target)
    if module.endswith(".py"):
        title = os.path.splitext(os.path.basename(module))[0]
        spec = importlib.util.spec_from_file_location(title, module)
        loaded = importlib.util.module_from_spec(spec)
        sys.modules[title] = loaded
        spec.loader.exec_module(loaded)
    else:
        loaded = importlib.import_module(module)
    function = loaded
    for part in name.split("."):
        function = getattr(function, part)
    if not callable(function):
        raise TypeError("`%s` is no function" % target)
    return function


def described(error):
    """The parts of an exception, each with its length in front. The traceback begins behind the calls of this file,
    of which its reader has no source."""
    kind = type(error)
    name = kind.__qualname__
    if kind.__module__ not in ("builtins", "__main__"):
        name = "%s.%s" % (kind.__module__, name)
    try:
        text = str(error)
    except Exception:
        text = "its text cannot be made"
    try:
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_globals is globals():
            trace = trace.tb_next
        trace = "" if trace is None else "".join(traceback.format_exception(kind, error, trace))
    except Exception:
        trace = ""
    body = bytearray()
    for part in (name, text, trace):
        part = part.encode(errors="replace")[:TEXT]
        body += struct.pack("=I", len(part)) + part
    return bytes(body)


def resident():
    """Returns a function for the memory of this process in bytes."""
    try:
        statm, page = os.open("/proc/self/statm", os.O_RDONLY), os.sysconf("SC_PAGE_SIZE")
        return lambda: int(os.pread(statm, 128, 0).split()[1]) * page
    except OSError:
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def end_with_server(peer):
    """Ends this process when the server has ended, also in a job that does not return."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    # A pool that lets this process finish its job shuts the socket down in one direction, which is no hang-up.
    ended = select.poll()
    ended.register(peer, 0)
    ended.poll()
    time.sleep(PATIENCE)
    # With the programs that its job has started.
    os.killpg(0, signal.SIGKILL)


def serve(target, takes, gives, most):
    peer = connection()
    # The end of the stream ends this process, after its job. A terminal and a service manager send these signals
    # to all processes of a server; handlers, unlike `SIG_IGN`, are not inherited by the programs that a job starts.
    for ended in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ended, lambda *_: None)
    threading.Thread(target=end_with_server, args=(peer.fileno(),), daemon=True).start()
    requests = peer.makefile("rb", io.DEFAULT_BUFFER_SIZE * 8)
    offer_module()
    try:
        function = find(target)
    except Exception as error:
        body = described(error)
        peer.sendall(ANSWER.pack(len(body), 0, FAILED) + body)
        return
    decode, encode = DECODE[takes], ENCODE[gives]
    memory = resident() if most else None
    peer.sendall(ANSWER.pack(0, 0, READY))
    while True:
        head = requests.read(REQUEST.size)
        if len(head) < REQUEST.size:
            return
        length, number, left = REQUEST.unpack(head)
        Job.begin(left)
        body = requests.read(length)
        if len(body) < length:
            return
        try:
            kind, body = RESULT, encode(function(decode(body)))
            if len(body) > 0xFFFFFFFF:
                raise OverflowError("the result has more than 4 GiB")
        except Exception as error:
            kind, body = RAISED, described(error)
        if memory is not None and memory() > most:
            kind |= LAST
        peer.sendall(ANSWER.pack(len(body), number, kind) + body)


if __name__ == "__main__":
    for path in sys.argv[5:]:
        sys.path.insert(0, path)
    serve(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
