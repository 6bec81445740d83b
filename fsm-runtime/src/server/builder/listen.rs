use std::fmt;
use std::sync::Arc;

use super::Builder;
use super::shard::Shard;
use crate::net::datagram::DatagramSocket;
use crate::net::listener::{CAN_SHARE_ADDRESS, Listener, ListeningSocket};
use crate::net::token;
use crate::server::handover::{Handover, is_same_address};
use crate::{Address, Connection, Machine, PoolError, Transport};

/// What a pool listens on, and how.
#[derive(Debug)]
pub(super) struct Listens {
    pub(super) on: Listen,
    /// Its connections stay plain in a pool that encrypts.
    pub(super) plain: bool,
}

/// What a pool listens on.
#[derive(Debug)]
pub(super) enum Listen {
    Address(String),
    Socket(ListeningSocket),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => f.write_str(address),
            Self::Socket(_) => f.write_str("a listener that was handed in"),
        }
    }
}

impl<M: Machine<Kind = Connection>, L: Transport> Builder<M, L> {
    /// The number of entries before the entry `number` that listen on the same address.
    fn same_addresses_before(&self, number: usize, text: &str) -> u32 {
        let is_same = |it: &&Listens| matches!(&it.on, Listen::Address(other) if is_same_address(other, text));
        let same = self.listen[..number].iter().filter(is_same).count();
        u32::try_from(same).unwrap_or(u32::MAX)
    }

    /// Makes the listeners. The first shard gets those of all addresses, or each shard gets its own
    /// where the shards share the TCP ports. Returns the addresses, with the TCP ports that the
    /// system chose.
    pub(super) fn listen_on<H>(
        &self,
        shards: &mut [Shard<M, H, L>],
        handover: &mut Handover,
    ) -> Result<Vec<Address>, PoolError> {
        let mut addresses = Vec::new();
        for (number, Listens { on, plain }) in self.listen.iter().enumerate() {
            room(&addresses, on)?;
            let text = match on {
                Listen::Address(text) => text,
                Listen::Socket(socket) => {
                    addresses.push(shards[0].adopt(socket, *plain)?);
                    continue;
                }
            };
            let nth = self.same_addresses_before(number, text);
            let inherited = handover.take(&self.name, text, nth);
            if !inherited.is_empty() {
                for socket in inherited {
                    room(&addresses, on)?;
                    // The file of one that was passed is that of who passed it.
                    let address = match Address::parse(text)? {
                        Address::Passed(_) => shards[0].adopt(&socket, *plain)?,
                        _ => shards[0].inherit(&socket, *plain, handover)?,
                    };
                    shards[0].keep(&self.name, text, nth, handover)?;
                    addresses.push(address);
                }
                continue;
            }
            let mut address = Address::parse(text)?;
            self.check_address(&address)?;
            if let Address::Passed(which) = &address {
                for socket in passed(which)? {
                    room(&addresses, on)?;
                    addresses.push(shards[0].adopt(&socket, *plain)?);
                    shards[0].keep(&self.name, text, nth, handover)?;
                }
                continue;
            }
            let shared =
                self.reuse_port && CAN_SHARE_ADDRESS && !matches!(address, Address::Unix(_));
            self.check_upgradable(&address, shared, handover)?;
            let listening = if shared { shards.len() } else { 1 };
            for shard in &mut shards[..listening] {
                // If the system chose the port for the first shard, it is that of the others, too.
                address = if let Address::Udp(at) = address {
                    let counters = Arc::clone(&self.state.counters);
                    let socket = DatagramSocket::bind(at, shared, self.output_mark, counters)?;
                    shard.add_datagrams(socket)?
                } else {
                    let listener = Listener::bind(&address, self.backlog, shared)?;
                    let address = shard.add(listener.plain(*plain))?;
                    shard.keep(&self.name, text, nth, handover)?;
                    address
                };
            }
            addresses.push(address);
        }
        Ok(addresses)
    }

    /// Refuses listeners whose connections a live upgrade would lose.
    fn check_upgradable(
        &self,
        address: &Address,
        shared: bool,
        handover: &Handover,
    ) -> Result<(), PoolError> {
        let why = if !handover.is_upgradable() {
            return Ok(());
        } else if shared {
            "shares its TCP ports by `reuse_port`, and connections that wait for a listener of the old process \
             would be lost; leave `reuse_port` out"
        } else if matches!(address, Address::Udp(_)) {
            "listens for datagrams, whose sessions cannot move; run it as a process of its own"
        } else {
            return Ok(());
        };
        let name = &self.name;
        Err(PoolError::Pipeline {
            why: format!("the pool `{name}` of an upgradable pipeline {why}"),
        })
    }
}

/// Finds out whether one address more is possible.
fn room(addresses: &[Address], next: &Listen) -> Result<(), PoolError> {
    if addresses.len() < token::LISTENERS {
        return Ok(());
    }
    let why = format!("a pool listens on at most {} addresses", token::LISTENERS);
    Err(PoolError::Address { address: next.to_string(), why })
}

/// Takes the sockets that a service manager has passed.
#[cfg(target_os = "linux")]
fn passed(which: &str) -> Result<Vec<ListeningSocket>, PoolError> {
    crate::net::passed::take(which)
        .map_err(|why| PoolError::Address { address: format!("fd:{which}"), why })
}

/// `Address::parse` refuses them on other systems.
#[cfg(not(target_os = "linux"))]
fn passed(_which: &str) -> Result<Vec<ListeningSocket>, PoolError> {
    Ok(Vec::new())
}
