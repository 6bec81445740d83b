use std::fs;
use std::net::SocketAddr;

use super::free_address;
use crate::error::Error;
use crate::lab::Lab;
use crate::process::ServerCommand;
use crate::tool;

/// The command of an `HAProxy` with one thread that forwards TCP to `target`.
pub(crate) fn forwarder(lab: &Lab, target: SocketAddr) -> Result<ServerCommand, Error> {
    let debian = "/usr/sbin/haproxy";
    if fs::metadata(debian).is_err() {
        tool::require("haproxy", "haproxy")?;
    }
    let address = free_address()?;
    let file = lab.scratch_file("haproxy.cfg");
    let text = format!(
        "global\n  nbthread 1\n  maxconn 20000\n  no strict-limits\n\
         defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  timeout server 1h\n\
         listen tunnel\n  bind {address} backlog 4096\n  server target {target}\n"
    );
    fs::write(&file, text).map_err(Error::doing(file.display()))?;
    let program = if fs::metadata(debian).is_ok() { debian } else { "haproxy" };
    let arguments = ["-db", "-q", "-f"].map(str::to_owned).into_iter();
    let arguments = arguments.chain([file.to_string_lossy().into_owned()]);
    Ok(ServerCommand::new(program.into(), arguments).listening_at(address))
}
