use crate::lab::tool;
use crate::process::Launch;
use crate::{Error, Lab};

/// Debian's `redis-server`, which keeps nothing on disk.
pub(crate) fn launch(lab: &Lab) -> Result<Launch, Error> {
    tool("redis-server", "redis-server")?;
    let address = super::free_address()?;
    let (port, directory) = (address.port().to_string(), lab.work(""));
    let directory = directory.to_string_lossy();
    let arguments = ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"];
    let quiet = ["--dir", &directory, "--loglevel", "warning", "--tcp-backlog", "4096"];
    let arguments = arguments.into_iter().chain(quiet).map(str::to_owned);
    Ok(Launch::new("redis-server".into(), arguments).listens_at(address))
}
