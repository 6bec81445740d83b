use fsm_runtime::{Address, Pool};

use super::announce;
use crate::Error;

/// Where a pool listens: the system chooses.
pub(crate) const ANY: &str = "127.0.0.1:0";

/// Serves until a signal ends this process.
pub(crate) fn serve(pool: Pool) -> Result<(), Error> {
    let running = pool.start().map_err(|error| Error::failed(error.to_string()))?;
    for address in running.addresses() {
        if let Address::Tcp(address) = address {
            announce(*address)?;
        }
    }
    running.join().map_err(|error| Error::failed(error.to_string()))?;
    Ok(())
}
