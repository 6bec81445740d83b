//! The reply under many schedules: it wakes the task that awaits it, whenever it arrives.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use super::ReplyCell;
use crate::sync::schedules::{Flag, schedules, thread};

/// Wakes a task by a flag that its thread waits for.
#[derive(Default)]
struct Task(Flag);

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.0.raise();
    }
}

fn poll(cell: &ReplyCell<u32>, task: &Arc<Task>) -> Poll<Option<u32>> {
    let waker = Waker::from(Arc::clone(task));
    cell.poll_reply(&Context::from_waker(&waker))
}

fn wait(cell: &ReplyCell<u32>, task: &Arc<Task>) -> Option<u32> {
    match poll(cell, task) {
        Poll::Ready(reply) => reply,
        Poll::Pending => {
            task.0.wait();
            let Poll::Ready(reply) = poll(cell, task) else { panic!("a woken task has its reply") };
            reply
        }
    }
}

/// One thread replies while the future moves from one task to another.
fn reply_to_a_future_that_moves() {
    let cell = Arc::<ReplyCell<u32>>::default();
    let sender = cell.sender();
    let replies = thread::spawn(move || sender.send(7_u32));
    let reply = match poll(&cell, &Arc::default()) {
        Poll::Ready(reply) => reply,
        Poll::Pending => wait(&cell, &Arc::default()),
    };
    assert_eq!(reply, Some(7));
    replies.join().expect("no panics");
}

/// One thread drops the sender, as a pool that closes does, while another one waits.
fn drop_the_job_of_a_future() {
    let cell = Arc::<ReplyCell<u32>>::default();
    let sender = cell.sender();
    let fails = thread::spawn(move || drop(sender));
    assert_eq!(wait(&cell, &Arc::default()), None);
    fails.join().expect("no panics");
}

#[cfg(loom)]
fn check(check: fn()) {
    schedules(6, check);
}

#[cfg(shuttle)]
fn check(check: fn()) {
    schedules(check);
}

#[test]
fn l12_a_reply_wakes_the_task_that_polled_last() {
    check(reply_to_a_future_that_moves);
}

#[test]
fn l12_a_job_without_a_reply_wakes_the_task_that_awaits_it() {
    check(drop_the_job_of_a_future);
}
