//! The other socket of a connection, during a turn.

use std::io;
use std::sync::{Arc, PoisonError};

use crate::connection::other::ends::BothEnds;
use crate::connection::relay::pass_on;
use crate::connection::scratch::OtherScratch;
use crate::connection::turn::{NextAction, Turn};
use crate::machine::runner::{Side, StopReason};
use crate::net::dial::{Dial, DialedConnection};
use crate::net::lookup::Lookups;
use crate::net::other_end::{Link, OtherEnd, RelayEnd, TestWorld};
use crate::net::poll::Registry;
use crate::net::readiness::Readiness;
use crate::net::ready_io::{ReadyIo, Received};
use crate::net::recv_buffer::RecvBuffer;
use crate::net::send_buffer::SendBuffer;
#[cfg(feature = "tls")]
use crate::net::send_buffer::UnsentOutput;
use crate::net::stream::Stream;
use crate::net::stream_state::StreamState;
#[cfg(feature = "tls")]
use crate::net::tls::{TlsClient, TlsRole, TlsStream};
use crate::net::token;
use crate::net::transport::{ByteStream, PeerAddr};
use crate::spec::Features;
use crate::wake::Wake;
use crate::{Address, Cx, Drive, Input, Key, Target, WaitSet, Way};

mod both;
mod ends;

/// The other socket and its buffers, borrowed for a turn.
pub(super) struct OtherSide<'a> {
    pub(super) end: &'a mut OtherEnd,
    pub(super) recv: RecvBuffer<'a>,
    pub(super) send: &'a mut SendBuffer,
    world: Dialer<'a>,
}

/// The part that connects: the system, or a test.
enum Dialer<'a> {
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

impl<'a> OtherSide<'a> {
    /// Lends the end and the buffers of the thread.
    pub(super) fn new(
        end: &'a mut OtherEnd,
        scratch: &'a mut OtherScratch,
        registry: Option<&'a Registry>,
    ) -> Self {
        #[cfg(feature = "tls")]
        let tls = scratch.tls.as_ref();
        let OtherScratch { buffer, output, lookups, test, .. } = scratch;
        let world = match (registry, lookups, test) {
            (Some(registry), Some(lookups), _) => Dialer::System {
                registry,
                lookups,
                #[cfg(feature = "tls")]
                tls,
            },
            (_, _, Some(test)) => Dialer::Test(&**test),
            _ => Dialer::Nothing,
        };
        let mut recv = RecvBuffer::new(buffer);
        recv.resume(std::mem::take(&mut end.input));
        output.resume(std::mem::take(&mut end.output));
        end.breaks = false;
        Self { end, recv, send: output, world }
    }

    /// Leaves the unread input and the unsent output for the next turn.
    pub(super) fn keep(self) {
        let Self { end, recv, send, .. } = self;
        end.input = recv.keep();
        end.output = send.keep();
    }

    /// Joins the first socket and this one for the `Cx` of a handler.
    pub(super) fn lend<'s, S>(
        &'s mut self,
        socket: &'s S,
    ) -> (BothEnds<'s, S>, &'s mut RecvBuffer<'a>) {
        let Self { end, recv, send, .. } = self;
        (BothEnds::new(socket, end, send), recv)
    }

    /// Goes on with connecting. Returns whether the machine has something to learn.
    pub(super) fn connect(
        &mut self,
        key: Key,
        now: u64,
        waker: &dyn Fn() -> Arc<dyn Wake>,
    ) -> bool {
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
                    let decided = dial.poll(now, registry, token::of_other(key));
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
                        Ok(()) if stream.is_handshaking() => None,
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
                Link::Closed => return false,
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

    /// Goes on with what TLS itself has to read and to send.
    pub(super) fn drive(&mut self) {
        let OtherEnd { link: Link::Open { stream, .. }, state, .. } = &mut *self.end else {
            return;
        };
        if stream.is_layered() && stream.drive(state).is_err() {
            self.broken();
        }
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

    /// Sends queued output until the socket takes no more. Returns the number of bytes that it took.
    pub(super) fn flush(&mut self) -> usize {
        if self.end.named.is_some() {
            // The connection that is open may be to another target than the output is for.
            return 0;
        }
        let OtherEnd { link: Link::Open { stream, .. }, state, .. } = &mut *self.end else {
            return 0;
        };
        let flushed = ReadyIo { socket: stream, state }.flush(self.send);
        flushed.unwrap_or_else(|_| {
            match &mut self.end.relay {
                // Bytes that the target has sent before it broke off are read first.
                Some(relay) if relay.way == Way::Out => {
                    relay.end = Some(RelayEnd::Gone);
                    self.end.state.add(Readiness::READ | Readiness::MAYBE_EOF);
                    self.end.breaks = true;
                    self.send.discard();
                }
                _ => self.broken(),
            }
            0
        })
    }

    /// Reads once, and appends to the unread input.
    pub(super) fn read(&mut self) -> Received {
        self.receive().unwrap_or_else(|_| {
            self.broken();
            Received::End
        })
    }

    fn receive(&mut self) -> io::Result<Received> {
        let OtherEnd { link: Link::Open { stream, .. }, state, .. } = &mut *self.end else {
            return Ok(Received::Nothing);
        };
        self.recv.read(&mut ReadyIo { socket: stream, state })
    }

    /// Notes that the connection is broken: for the machine its stream has ended, or the relay.
    pub(super) fn broken(&mut self) {
        self.end.breaks |= !self.end.state.has_ended();
        self.end.state.set_ended();
        self.send.discard();
        if let Some(relay) = &mut self.end.relay {
            relay.end = Some(RelayEnd::Gone);
        }
    }
}

impl<M: Drive<H>, H, S: ByteStream + PeerAddr> Turn<'_, M, H, S> {
    /// Whether a read of the other socket, or a relay, may bring what the machine waits for.
    pub(super) fn other_is_readable(&self, reason: StopReason) -> bool {
        let Some(other) = &self.other else { return false };
        let state = &self.stream.io.state;
        (reason.waits_for(WaitSet::READ_OTHER) && other.end.state.is_readable())
            || (reason.waits_for(WaitSet::RELAY)
                && (other.end.state.is_readable() || state.is_readable()))
    }

    /// Runs handlers with the input of the socket that the state reads.
    pub(super) fn run_handlers_with_other(&mut self) -> StopReason {
        let Stream { io, recv, send } = &mut self.stream;
        let Some(other) = &mut self.other else { return StopReason::BudgetSpent };
        if other.send.len() >= self.budget.mark && self.runner.takes_in() {
            other.flush();
            if other.send.len() >= self.budget.mark {
                return StopReason::Waiting(WaitSet::writable(0));
            }
        }
        let reads_other = self.runner.side() == Side::Other;
        let other_ended = other.end.state.has_ended() || !other.end.is_open();
        let (ends, other_recv) = other.lend(&*io.socket);
        let (recv, ended) = if reads_other {
            (other_recv, other_ended)
        } else {
            (&mut *recv, io.state.has_ended())
        };
        let progress = std::mem::take(&mut self.progress);
        recv.lend();
        let mut input = Input::resumed(recv.bytes(), progress, ended);
        let mut cx = Cx::new(send, &ends, self.environment, self.key, self.context);
        cx.set_whole_input(recv.whole());
        cx.look_at::<M>(*io.state);
        let reason = self.runner.run(self.handler, &mut input, &mut cx, &mut self.budget);
        let (unread, messages) = (input.unread().len(), cx.messages_taken());
        if const { M::SPEC.uses(Features::JOBS) } {
            io.state.set_heard(cx.has_heard());
        }
        let wanted = input.wanted();
        self.progress = input.into_progress();
        recv.leave(unread);
        recv.expect(wanted);
        if messages > 0 {
            self.budget.note_progress(unread, send.len());
        }
        reason
    }

    /// The next action of a machine that waits for the other socket; `None` if it waits for something else.
    pub(super) fn next_with_other(&mut self, reason: StopReason) -> io::Result<Option<NextAction>> {
        let Some(other) = &mut self.other else { return Ok(None) };
        if self.runner.side() == Side::Both && reason.waits() {
            return self.next_with_both(reason).map(Some);
        }
        if reason.waits_for(WaitSet::CONNECT) {
            let waker = || self.environment.mailboxes.waker();
            let decided = other.connect(self.key, self.context.now, &waker);
            return Ok(Some(if decided { NextAction::Run } else { self.unless_broken()? }));
        }
        if reason.waits_for(WaitSet::READ_OTHER) {
            return self.read_other().map(Some);
        }
        if reason.waits_for(WaitSet::RELAY) {
            return self.relay().map(Some);
        }
        Ok(None)
    }

    fn read_other(&mut self) -> io::Result<NextAction> {
        let Some(other) = &mut self.other else { return Ok(NextAction::Return) };
        if !other.end.state.is_readable() {
            return self.unless_broken();
        }
        if self.budget.bytes == 0 {
            return Ok(NextAction::Pause);
        }
        self.has_read = true;
        match other.read() {
            Received::Bytes(bytes) => {
                self.budget.spend_bytes(bytes);
                self.budget.note_progress(other.recv.bytes().len(), self.stream.send.len());
                Ok(NextAction::Run)
            }
            Received::End => Ok(NextAction::Run),
            Received::Nothing if other.end.state.is_readable() => Ok(NextAction::Pause),
            Received::Nothing => Ok(NextAction::Return),
        }
    }

    fn relay(&mut self) -> io::Result<NextAction> {
        let Some(other) = &mut self.other else { return Ok(NextAction::Return) };
        self.has_read = true;
        let passed = pass_on(&mut self.stream, other, &mut self.budget)?;
        if passed.moved {
            let (now, settings) = (self.context.now, &self.environment.settings);
            self.runner.stay(now, settings);
            if passed.half_closed {
                self.runner.half_closed(now, settings);
            }
            self.budget.note_progress(self.stream.recv.bytes().len(), self.stream.send.len());
        }
        if passed.is_over {
            Ok(NextAction::Run)
        } else if self.budget.bytes == 0 {
            Ok(NextAction::Pause)
        } else {
            self.unless_broken()
        }
    }
}
