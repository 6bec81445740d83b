//! Connecting the other socket.

use std::io;
use std::sync::{Arc, PoisonError};

use crate::connection::other::OtherSide;
#[cfg(feature = "tls")]
use crate::connection::other::Times;
use crate::net::dial::{Dial, DialedConnection};
use crate::net::lookup::Lookups;
use crate::net::other_end::{Link, TestWorld};
use crate::net::poll::Registry;
use crate::net::readiness::Readiness;
use crate::net::ready_io::Received;
#[cfg(feature = "tls")]
use crate::net::send_buffer::UnsentOutput;
use crate::net::stream_state::StreamState;
#[cfg(feature = "tls")]
use crate::net::tls::{TlsClient, TlsRole, TlsStream};
use crate::net::token;
#[cfg(feature = "tls")]
use crate::net::transport::ByteStream;
use crate::wake::Wake;
use crate::{Address, Key, Target};

/// The part that connects: the system, or a test.
pub(super) enum Dialer<'a> {
    System {
        registry: &'a Registry,
        lookups: &'static Lookups,
        #[cfg(feature = "tls")]
        tls: Option<&'a TlsClient>,
    },
    Test(&'a dyn TestWorld),
    /// Neither, in a test without one.
    Nothing,
}

impl OtherSide<'_> {
    /// Goes on with connecting. Returns whether the machine has something to learn.
    pub(super) fn connect(&mut self, key: Key, waker: &dyn Fn() -> Arc<dyn Wake>) -> bool {
        if let Some(target) = self.end.named.take() {
            if self.is_free_for(&target) {
                self.end.link.reuse();
                return true;
            }
            let stale = self.end.stale.min(self.send.len());
            self.end.close(false);
            self.recv.leave(0);
            self.send.advance(stale);
            self.end.link = self.begin(&target, key, waker);
            self.end.target = Some(target);
        }
        loop {
            let next = match &mut self.end.link {
                Link::Lookup(found) => {
                    let result = found.lock().unwrap_or_else(PoisonError::into_inner).take();
                    result.map(|found| match found {
                        Ok(addresses) => {
                            Link::Dial(Box::new(Dial::to_names(addresses, Address::Tcp)))
                        }
                        Err(error) => Link::Failed(error),
                    })
                }
                Link::Dial(dial) => {
                    let Dialer::System { registry, .. } = self.world else { return false };
                    let decided = dial.poll(self.times.now, registry, token::of_other(key));
                    decided.map(|won| {
                        won.and_then(|won| self.opened(won)).unwrap_or_else(Link::Failed)
                    })
                }
                #[cfg(feature = "tls")]
                Link::Handshake(stream, peer) => {
                    let peer = *peer;
                    match stream.drive(&mut self.end.state) {
                        Ok(()) if stream.is_truncated() => {
                            Some(Link::Failed(io::ErrorKind::UnexpectedEof.into()))
                        }
                        Ok(()) if stream.is_handshaking() => {
                            let Times { now, within } = self.times;
                            stream.check_time(now, within).err().map(Link::Failed)
                        }
                        Ok(()) => match std::mem::replace(&mut self.end.link, Link::Closed) {
                            Link::Handshake(stream, _) => Some(Link::encrypted(stream, peer)),
                            link => Some(link),
                        },
                        Err(error) => Some(Link::Failed(error)),
                    }
                }
                Link::Simulated => {
                    let Dialer::Test(test) = self.world else { return false };
                    test.decision().map(|stream| stream.map_or_else(Link::Failed, Link::simulated))
                }
                Link::Failed(_) | Link::Open { .. } => return true,
                Link::Closed | Link::Lost => return false,
            };
            let Some(next) = next else { return false };
            if next.is_new() {
                // The events so far were about the attempts to connect.
                self.end.state = StreamState::NEW;
                self.end.state.add(Readiness::READ | Readiness::MAYBE_EOF);
            }
            self.end.link = next;
        }
    }

    /// Goes on with a connection that has come about: at once, or with TLS.
    fn opened(&self, won: DialedConnection) -> io::Result<Link> {
        let Some(Target::Tls(_)) = &self.end.target else { return Ok(Link::won(won)) };
        #[cfg(feature = "tls")]
        if let (Dialer::System { tls: Some(tls), .. }, Some(target)) =
            (&self.world, &self.end.target)
        {
            let missing = || io::Error::other("the target has no host that a certificate is for");
            let (client, name) = tls.role(target).ok_or_else(missing)?;
            let mut stream = TlsStream::plain(won.socket);
            let session = TlsRole::Client(&client, &name).begin()?;
            stream.begin(session, Vec::new(), &UnsentOutput::default())?;
            return Ok(Link::Handshake(stream, won.peer));
        }
        Err(io::Error::new(io::ErrorKind::Unsupported, "the pool has no `tls_client`"))
    }

    /// Whether the connection is open to this target, and nothing has come on it that nobody has read.
    fn is_free_for(&mut self, target: &Target) -> bool {
        if !self.end.is_open_to(target) || !self.recv.bytes().is_empty() {
            return false;
        }
        // The queued output is for the connection to come, so an error here drops none of it.
        !self.end.state.is_readable() || matches!(self.receive(), Ok(Received::Nothing))
    }

    fn begin(&self, target: &Target, key: Key, waker: &dyn Fn() -> Arc<dyn Wake>) -> Link {
        if target.takes_datagrams() {
            return Link::Failed(io::ErrorKind::Unsupported.into());
        }
        let lookups = match &self.world {
            Dialer::Test(test) => {
                test.request(target.clone());
                return Link::Simulated;
            }
            Dialer::Nothing => return Link::Failed(io::ErrorKind::Unsupported.into()),
            Dialer::System { lookups, .. } => lookups,
        };
        let address = match target {
            Target::Tls(target) => return self.begin(target, key, waker),
            Target::Tcp(address) => Address::Tcp(*address),
            Target::Unix(path) => Address::Unix(path.clone()),
            // `takes_datagrams` has refused the last one.
            Target::Udp(address) => Address::Udp(*address),
            Target::Name(host, port) | Target::UdpName(host, port) => {
                let waker = waker();
                return Link::Lookup(lookups.start(host.clone(), *port, move || waker.wake(key)));
            }
        };
        Link::Dial(Box::new(Dial::new([address])))
    }
}
