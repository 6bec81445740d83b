use std::thread;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::{Cost, Watch};

/// Two threads, and a channel each way.
pub(super) fn run(each: u64, batch: u64) -> Cost {
    let (to_worker, jobs) = unbounded::<u64>();
    let (to_caller, replies) = unbounded::<u64>();
    let worker = thread::spawn(move || {
        for number in jobs {
            if to_caller.send(number + 1).is_err() {
                break;
            }
        }
    });
    give(1, batch, &to_worker, &replies);
    let watch = Watch::start();
    give(each, batch, &to_worker, &replies);
    let cost = watch.stop(each * batch);
    drop(to_worker);
    worker.join().expect("nobody panics there");
    cost
}

/// The channels are open as long as the worker is there.
fn give(each: u64, batch: u64, to_worker: &Sender<u64>, replies: &Receiver<u64>) {
    for _ in 0..batch {
        to_worker.send(0).expect("the worker takes jobs");
    }
    for _ in 0..(each - 1) * batch {
        let reply = replies.recv().expect("the worker replies");
        to_worker.send(reply).expect("the worker takes jobs");
    }
    for _ in 0..batch {
        replies.recv().expect("the worker replies");
    }
}
