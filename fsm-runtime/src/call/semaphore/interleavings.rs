//! The semaphore under many schedules: a permit that is free wakes a thread that waits for one, and
//! the accounting balances.

use super::{Accounting, Semaphore};

#[cfg(loom)]
mod loom;
#[cfg(shuttle)]
mod shuttle;

/// Checks the accounting when no caller holds a permit or waits for one.
fn check_accounting(semaphore: &Semaphore) {
    let Accounting { offered, taken, refused, abandoned, waiting, .. } = semaphore.accounting();
    assert_eq!(offered, taken + refused + abandoned + waiting);
    assert_eq!((waiting, semaphore.out()), (0, 0));
}
