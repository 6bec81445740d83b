"""The functions of the jobs, and the same jobs with `multiprocessing`: `jobs.py PEER WORK PROCESSES JOBS`."""

import multiprocessing
import sys
import time


def successor(number):
    return number + 1


def total(number):
    """Some milliseconds of work."""
    return sum(value * value for value in range(number))


def answer(connection, work):
    while True:
        connection.send(work(connection.recv()))


def with_a_pool(work, processes, jobs, job):
    with multiprocessing.Pool(processes) as pool:
        # They have all started when each has had a job.
        pool.map(work, [job] * processes * 4, chunksize=1)
        start = time.perf_counter_ns()
        if processes == 1:
            for _ in range(jobs):
                pool.apply(work, (job,))
        else:
            pool.map(work, [job] * jobs, chunksize=1)
        return time.perf_counter_ns() - start


def with_a_pipe(work, processes, jobs, job):
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=answer, args=(theirs, work), daemon=True)
    process.start()
    ours.send(job)
    ours.recv()
    start = time.perf_counter_ns()
    for _ in range(jobs):
        ours.send(job)
        ours.recv()
    took = time.perf_counter_ns() - start
    process.kill()
    return took


if __name__ == "__main__":
    peer, work, processes, jobs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    run = {"multiprocessing": with_a_pool, "pipe": with_a_pipe}[peer]
    job = {"successor": 1, "total": 50_000}[work]
    print(jobs, 0, run({"successor": successor, "total": total}[work], processes, jobs, job))
