"""Functions that the tests of worker processes call."""

import os
import signal
import subprocess
import sys
import time

kept = []


class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def upper(text):
    return text.upper()


def reverse(body):
    return memoryview(body[::-1])


def wrong(text):
    return 5


def act(job):
    """Does what a test asks for."""
    acts = {
        "echo": lambda: job["value"],
        "pid": os.getpid,
        "exit": lambda: sys.exit(job.get("code", 0)),
        "abort": os.abort,
        "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "raise": lambda: int("nine"),
        "odd": odd,
        "homeless": homeless,
        "hang": hang,
        "print": lambda: print("x" * 100000),
        "stdin": sys.stdin.read,
        "sleep": lambda: time.sleep(job["seconds"]),
        "keep": lambda: kept.append(b"x" * job["bytes"]),
        "large": lambda: "x" * job["bytes"],
        "nan": lambda: float("nan"),
        "signals": signals,
        "abandon": abandon,
        "program": lambda: wait_for_a_program(job["path"]),
        "close": lambda: os.closerange(3, 100),
        "answer": answer,
        "left": left,
    }
    return acts[job["do"]]()


def left():
    """The seconds that are left for the job."""
    import fsm_runtime

    return fsm_runtime.deadline()


def odd():
    raise Odd()


def homeless():
    raise type("Homeless", (Exception,), {"__module__": None})()


def hang():
    """Waits for ever in a job that the test hears of."""
    print("\nprocess %d" % os.getpid(), flush=True)
    while True:
        time.sleep(60)


def wait_for_a_program(path):
    """Starts a program, writes down its number, and waits for it."""
    program = subprocess.Popen(["sleep", "60"])
    with open(path, "w") as file:
        file.write(str(program.pid))
    program.wait()


def signals():
    os.kill(os.getpid(), signal.SIGINT)
    os.kill(os.getpid(), signal.SIGTERM)
    return "alive"


def abandon():
    """Leaves a child behind that has the socket, and ends."""
    if os.fork() == 0:
        time.sleep(30)
    os._exit(3)


def answer():
    """Sends what is no answer to any job."""
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, b"\0" * 9)
        except OSError:
            pass


def at_exit(path):
    """Notes in a file that the process ended in good order."""
    import atexit

    atexit.register(lambda: open(path, "w").write("ended"))
    return os.getpid()
