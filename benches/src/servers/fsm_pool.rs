use fsm_runtime::{Address, Running};

use super::listener::announce;
use crate::error::Error;

/// Announces the addresses of the pools and serves until a signal ends this process.
pub(super) fn serve(running: Running) -> Result<(), Error> {
    for address in running.addresses() {
        if let Address::Tcp(address) = address {
            announce(*address)?;
        }
    }
    running.join()?;
    Ok(())
}
