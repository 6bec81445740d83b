use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::cost::{Cost, Stopwatch};

/// Runs two threads with an unbounded channel in each direction.
pub(super) fn run(chain: u64, batch: u64) -> Cost {
    let (to_worker, jobs) = unbounded::<u64>();
    let (to_caller, replies) = unbounded::<u64>();
    let worker = thread::spawn(move || {
        for number in jobs {
            if to_caller.send(number + 1).is_err() {
                break;
            }
        }
    });
    run_jobs(1, batch, &to_worker, &replies);
    let stopwatch = Stopwatch::start();
    run_jobs(chain, batch, &to_worker, &replies);
    let cost = stopwatch.stop(chain * batch);
    drop(to_worker);
    worker.join().expect("the worker does not panic");
    cost
}

/// Keeps `batch` jobs in flight until each of the chains has made `chain` jobs.
fn run_jobs(chain: u64, batch: u64, to_worker: &Sender<u64>, replies: &Receiver<u64>) {
    for _ in 0..batch {
        to_worker.send(0).expect("the worker receives jobs until its channel closes");
    }
    for _ in 0..(chain - 1) * batch {
        let reply = replies.recv().expect("the worker replies to each job");
        to_worker.send(reply).expect("the worker receives jobs until its channel closes");
    }
    for _ in 0..batch {
        replies.recv().expect("the worker replies to each job");
    }
}
