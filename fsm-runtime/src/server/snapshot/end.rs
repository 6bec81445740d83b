use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::lifecycle::pool_state::PoolState;
use crate::scheduler::survey::EndAnswer;
use crate::{EndError, Key};

/// Ends the connection with this key, in the pool of these that has it.
pub(crate) fn connection(
    pools: &[Arc<PoolState>],
    key: Key,
    within: Duration,
) -> Result<(), EndError> {
    let now = Instant::now();
    let until = now.checked_add(within).unwrap_or(now);
    let (sender, answers) = mpsc::channel();
    let mut asked = 0;
    // No two pools of a process make the same key, so at most one has it.
    for pool in pools {
        let port = pool.facts.ports().nth(key.port());
        if let Some(port) = port.filter(|port| port.port().is_some()) {
            port.end(key, until, sender.clone());
            asked += 1;
        }
    }
    drop(sender);
    for _ in 0..asked {
        match answers.recv_timeout(until.saturating_duration_since(Instant::now())) {
            Ok(EndAnswer::Ends) => return Ok(()),
            Ok(EndAnswer::Job) => return Err(EndError::Job),
            Ok(EndAnswer::Gone) => {}
            Ok(EndAnswer::Runs) | Err(RecvTimeoutError::Timeout) => return Err(EndError::Busy),
            // Those that have not answered have ended, or their connection runs.
            Err(RecvTimeoutError::Disconnected) if Instant::now() >= until => {
                return Err(EndError::Busy);
            }
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    Err(EndError::Gone)
}
