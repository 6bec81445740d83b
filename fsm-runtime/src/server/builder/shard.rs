use std::io;
use std::sync::Arc;

use mio::{Poll, Registry};

use crate::driver::acceptor::Acceptor;
use crate::net::datagram::DatagramSocket;
use crate::net::listener::{Listener, ListeningSocket};
use crate::net::token;
use crate::server::handover::Handover;
use crate::server::layer::sealed::Stack;
use crate::server::placement::ConnectionPort;
use crate::{Address, Machine, PoolError};

/// A port with its poll and its listeners, before its threads start.
pub(super) struct Shard<M: Machine, H, L: Stack> {
    pub(super) number: usize,
    pub(super) poll: Poll,
    pub(super) registry: Arc<Registry>,
    pub(super) port: Arc<ConnectionPort<M, H, L>>,
    pub(super) acceptors: Vec<Acceptor>,
    /// Sockets of datagrams, in place of listeners.
    pub(super) datagrams: Vec<DatagramSocket>,
}

impl<M: Machine, H, L: Stack> Shard<M, H, L> {
    /// Whether connections or datagrams can come.
    pub(super) fn accepts(&self) -> bool {
        !self.acceptors.is_empty() || !self.datagrams.is_empty()
    }

    /// Adds a socket of datagrams. Returns its address, with the port that the system chose.
    pub(super) fn add_datagrams(
        &mut self,
        mut socket: DatagramSocket,
    ) -> Result<Address, PoolError> {
        let token = token::listener(self.datagrams.len());
        let registered = socket.register(self.poll.registry(), token);
        registered.map_err(PoolError::io("register a socket of datagrams"))?;
        let address = Address::Udp(socket.address());
        self.datagrams.push(socket);
        Ok(address)
    }

    /// Adds a listener that was handed in. Returns its address.
    pub(super) fn adopt(
        &mut self,
        socket: &ListeningSocket,
        plain: bool,
    ) -> Result<Address, PoolError> {
        let failed = || PoolError::io("use a listener that was handed in");
        let listener = Listener::adopt(socket).map_err(failed())?;
        if !socket.listens().map_err(failed())? {
            let why = "the socket does not listen; call `listen` on it before";
            return Err(failed()(io::Error::new(io::ErrorKind::InvalidInput, why)));
        }
        self.add(listener.plain(plain))
    }

    /// Adds a listener of the process before this one. Returns its address.
    pub(super) fn inherit(
        &mut self,
        socket: &ListeningSocket,
        plain: bool,
        handover: &Handover,
    ) -> Result<Address, PoolError> {
        #[cfg(unix)]
        let listener = Listener::inherit(socket, &handover.files);
        #[cfg(not(unix))]
        let (listener, _) = (Listener::adopt(socket), handover);
        let listener = listener.map_err(PoolError::io("use a listener of the old process"))?;
        self.add(listener.plain(plain))
    }

    /// Keeps a copy of the listener that was added last for the process after this one.
    pub(super) fn keep(
        &self,
        pool: &str,
        text: &str,
        nth: u32,
        handover: &mut Handover,
    ) -> Result<(), PoolError> {
        let Some(last) = self.acceptors.last() else { return Ok(()) };
        let kept = handover.keep(pool, text, nth, || last.listener.copy());
        kept.map_err(PoolError::io("copy a listener for a live upgrade"))
    }

    /// Adds a listener. Returns its address, with the TCP port that the system chose.
    pub(super) fn add(&mut self, mut listener: Listener) -> Result<Address, PoolError> {
        let token = token::listener(self.acceptors.len());
        let registered = listener.register(self.poll.registry(), token);
        registered.map_err(PoolError::io("register a listener"))?;
        let address = listener.address().map_err(PoolError::io("see where it listens"))?;
        self.acceptors.push(Acceptor::new(listener));
        Ok(address)
    }
}
