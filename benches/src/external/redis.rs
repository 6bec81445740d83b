use super::free_address;
use crate::error::Error;
use crate::lab::Lab;
use crate::process::ServerCommand;
use crate::tool;

/// The command of Debian's `redis-server`, without persistence.
pub(crate) fn server(lab: &Lab) -> Result<ServerCommand, Error> {
    tool::require("redis-server", "redis-server")?;
    let address = free_address()?;
    let (port, directory) = (address.port().to_string(), lab.scratch_file(""));
    let directory = directory.to_string_lossy();
    let arguments = ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--appendonly", "no"];
    let quiet = ["--dir", &directory, "--loglevel", "warning", "--tcp-backlog", "4096"];
    let arguments = arguments.into_iter().chain(quiet).map(str::to_owned);
    Ok(ServerCommand::new("redis-server".into(), arguments).listening_at(address))
}
