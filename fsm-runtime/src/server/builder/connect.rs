use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use super::Builder;
use crate::clock::whole_millis;
use crate::driver::acceptor::Accept;
use crate::driver::connector::{ConnectSettings, Connector, ConnectorSettings};
use crate::key::MAX_TASKS;
use crate::lifecycle::pool_state::Phase;
use crate::outgoing::connections::Outgoing;
use crate::outgoing::jobs::Wakes;
use crate::scheduler::port::Port;
use crate::server::process::Process;
use crate::{Connection, Machine, PoolError, Target, Transport};

/// The settings of connections that a pool opens.
#[derive(Debug)]
pub(super) struct Connect {
    pub(super) targets: Vec<String>,
    /// The least and the largest number of connections; `None` for the default.
    connections: Option<RangeInclusive<usize>>,
    retry: RangeInclusive<Duration>,
    within: Duration,
}

impl Default for Connect {
    fn default() -> Self {
        Self {
            targets: Vec::new(),
            connections: None,
            retry: Duration::from_millis(100)..=Duration::from_secs(10),
            within: Duration::from_secs(10),
        }
    }
}

/// How many connections a pool opens: a number, or a range from the connections that are kept to the most that
/// are opened.
///
/// ```
/// use fsm_runtime::Connections;
///
/// assert_eq!(Connections::from(8), Connections::from(8..=8));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connections(RangeInclusive<usize>);

impl From<usize> for Connections {
    fn from(number: usize) -> Self {
        Self(number..=number)
    }
}

impl From<RangeInclusive<usize>> for Connections {
    fn from(range: RangeInclusive<usize>) -> Self {
        Self(range)
    }
}

impl<M: Machine<Seed = (), Kind = Connection>, L: Transport> Builder<M, L> {
    /// Adds a target that the pool connects to, in the syntax of [`Target`](crate::Target): `10.0.0.7:80`,
    /// `example.org:80`, `unix:/run/app.sock`, and `udp:10.0.0.7:53` for a machine that reads datagrams, and no
    /// other for that ([`PoolError::Datagrams`](crate::PoolError::Datagrams)). A text that is none makes the start
    /// of the pool fail with [`PoolError::Target`](crate::PoolError::Target), and a pool whose machine answers jobs
    /// fails with [`PoolError::Connections`](crate::PoolError::Connections) if it has none, or listens.
    ///
    /// The pool opens the connections, and starts a machine on each as it does for one that it accepts. With
    /// several targets it takes them in turn.
    ///
    /// - If the machine answers jobs (`job = .., reply = ..` and a `#[job]` state), connections are opened
    ///   when jobs wait, and other pools and programs use the pool as they use one of workers.
    /// - Any other machine has as many connections as [`connections`](Builder::connections) says, and one that
    ///   has ended is replaced.
    ///
    /// A target that cannot be connected to is left alone for a random time, up to a bound that doubles with
    /// each failure: see [`retry`](Builder::retry). A connection counts as a failure, too, if it ends before
    /// it has answered a job. Meanwhile the other targets are used. While no connection is open and all targets
    /// have failed, jobs are `gone` at once, and one connection at a time is tried, until one comes about.
    ///
    /// A host name is looked up for each connection, on a thread of its own. Its addresses are tried one after
    /// another, families in turn: the next one as soon as one fails, or after 250 ms, while the earlier attempts
    /// go on; the first that connects is used (RFC 8305).
    ///
    /// A connection to a `udp:` target is a socket of its own that is connected to the server, so that it gets
    /// datagrams of that server alone. It comes about at once, whether or not anybody is there. One that has
    /// answered no job by its end shows that nobody is, and so does the system of the server if it says that the port
    /// is unused, which ends the connection. Of a name the first address with a route is used, and after a failure
    /// the next one.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use std::io::{Read, Write};
    /// use std::net::TcpListener;
    ///
    /// /// Asks for the time, once.
    /// #[state_machine(start = Ask, eof => Gone)]
    /// enum Clock {
    ///     #[run]
    ///     #[to(Answer)]
    ///     Ask,
    ///     #[read(until = b"\n", max = 64, limit => Gone, within = 5s => Gone)]
    ///     #[to(Gone)]
    ///     Answer,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client(std::sync::mpsc::Sender<String>);
    ///
    /// impl clock::Handler for Client {
    ///     fn ask(&mut self, cx: &mut Cx<'_>) -> clock::AfterAsk {
    ///         cx.write(b"time?\n");
    ///         clock::AfterAsk::Answer
    ///     }
    ///
    ///     fn answer(&mut self, line: &[u8], _: &mut Cx<'_>) -> clock::AfterAnswer {
    ///         let _ = self.0.send(String::from_utf8_lossy(line).into_owned());
    ///         clock::AfterAnswer::Gone
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = TcpListener::bind("127.0.0.1:0")?;
    /// let (sender, answers) = std::sync::mpsc::channel();
    /// let running = Pool::builder::<Clock>("clock")
    ///     .connect(server.local_addr()?.to_string())
    ///     .handler(move |_server| Client(sender.clone()))
    ///     .start()?;
    ///
    /// let (mut client, _) = server.accept()?;
    /// let mut question = [0; 6];
    /// client.read_exact(&mut question)?;
    /// client.write_all(b"half past ten\n")?;
    /// assert_eq!(answers.recv()?, "half past ten");
    /// running.drain()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn connect(mut self, target: impl Into<String>) -> Self {
        self.connect.targets.push(target.into());
        self.seed = Some(|| ());
        self
    }

    /// Sets how many connections the pool opens: at least the start of the range, and at most its end, which is
    /// from 1 to [`Pool::MAX_CONNECTIONS`](crate::Pool::MAX_CONNECTIONS). `0..=64` by default for a machine that
    /// answers jobs, which opens those beyond the start when jobs wait; 1 for any other, which always has as
    /// many as the end says.
    ///
    /// At most 256 connections are on their way at a time.
    pub fn connections(mut self, connections: impl Into<Connections>) -> Self {
        let (least, most) = connections.into().0.into_inner();
        let allowed = self.ranges.check("connections", most, 1..=MAX_TASKS);
        // One number is wrong at a time.
        let kept =
            if allowed == most { self.ranges.check("connections", least, 0..=most) } else { 0 };
        self.connect.connections = Some(kept..=allowed);
        self
    }

    /// Sets the times after which a target that has failed is tried again: at most the start of the range after
    /// the first failure, and at most twice as long after each further one, up to its end. The time is random in
    /// that bound ("full jitter"), so that many clients of a server that comes back do not come at once. From
    /// 100 ms to 10 s by default, in whole milliseconds, rounded up.
    ///
    /// The bound begins anew when a connection has answered a job with something from its target: not if the
    /// reply only says that the target is gone. It also begins anew when a connection has lasted as long as the end
    /// of the range and had nothing to answer, because it was free to the end, or because its machine answers no jobs.
    ///
    /// A machine that answers no jobs has its connections replaced after such a time, too.
    pub fn retry(mut self, times: RangeInclusive<Duration>) -> Self {
        self.connect.retry = times;
        self
    }

    /// Sets the longest time that a connection may take to come about, with the lookup of a name. 10 s by
    /// default, in whole milliseconds, rounded up.
    pub fn connect_within(mut self, time: Duration) -> Self {
        self.connect.within = time;
        self
    }
}

impl<M: Machine, L: Transport> Builder<M, L> {
    /// Whether the pool opens connections.
    pub(super) fn connects(&self) -> bool {
        !self.connect.targets.is_empty()
    }

    /// The least and the largest number of connections that the pool opens.
    fn range(&self) -> RangeInclusive<usize> {
        let answers = M::answers().is_some();
        let default = if answers { 0..=64 } else { 1..=1 };
        let range = self.connect.connections.clone().unwrap_or(default);
        if answers { range } else { *range.end()..=*range.end() }
    }

    /// Sets the limit of connections of a pool that opens them, and makes the queue of its jobs.
    pub(super) fn prepare_connects(&mut self) {
        let jobs = M::answers().map(|answers| (answers.jobs)(self.max_jobs));
        if jobs.is_none() && !self.connects() {
            return;
        }
        if self.listen.is_empty() {
            self.limit = *self.range().end();
        }
        let outgoing = Arc::new(Outgoing::new(jobs));
        self.state.set_outgoing(Arc::clone(&outgoing));
        self.environment.outgoing = Some(outgoing);
    }

    /// Checks and returns the settings of the connections that the pool opens.
    pub(super) fn connect_settings(&self) -> Result<Option<ConnectSettings>, PoolError> {
        let refuse = |why| PoolError::Connections { pool: self.name.clone(), why };
        if M::answers().is_some() {
            if !self.connects() {
                return Err(refuse("has no target; add `connect(..)`"));
            }
            if !self.listen.is_empty() {
                return Err(refuse("cannot listen; remove `listen(..)` or `listener(..)`"));
            }
        }
        if !self.connects() {
            return Ok(None);
        }
        let targets = self.connect.targets.iter().map(|text| {
            let target = text.parse::<Target>()?;
            self.check_target(&target)?;
            Ok(target)
        });
        let (least, longest) = (self.connect.retry.start(), self.connect.retry.end());
        Ok(Some(ConnectSettings {
            targets: targets.collect::<Result<_, PoolError>>()?,
            least: *self.range().start(),
            retry: whole_millis(*least)..=whole_millis((*longest).max(*least)),
            within: whole_millis(self.connect.within),
        }))
    }

    /// Lets those who have something for the connector interrupt the poll of `port`, and wakes connections
    /// for jobs.
    pub(super) fn attach_connects<T>(&self, port: &Arc<Port<T>>)
    where
        T: crate::scheduler::task::Task + Send + 'static,
    {
        let Some(outgoing) = &self.environment.outgoing else { return };
        let polls = Arc::downgrade(port);
        outgoing.attach(Box::new(move || {
            if let Some(port) = polls.upgrade() {
                port.interrupt();
            }
        }));
        let Some(jobs) = &outgoing.jobs else { return };
        let (connector, limit) = (Arc::downgrade(outgoing), self.limit);
        let open = Arc::clone(&self.state.permits);
        jobs.attach(Wakes {
            connections: self.environment.mailboxes.waker(),
            connector: Box::new(move || {
                // At the limit the end of a connection makes the connector look.
                if let Some(outgoing) = connector.upgrade().filter(|_| open.out() < limit) {
                    outgoing.changed();
                }
            }),
        });
        let (connector, state) = (Arc::downgrade(outgoing), Arc::downgrade(&self.state));
        jobs.permits().on_release(Box::new(move || {
            let drains = state.upgrade().is_some_and(|state| state.phase() != Phase::Run);
            if let Some(outgoing) = connector.upgrade().filter(|_| drains) {
                outgoing.changed();
            }
        }));
    }

    /// Makes the connector of the pool.
    pub(super) fn connector(
        &self,
        settings: ConnectSettings,
        opens: Box<dyn Accept>,
    ) -> Option<Box<Connector>> {
        let outgoing = Arc::clone(self.environment.outgoing.as_ref()?);
        Some(Box::new(Connector::new(ConnectorSettings {
            pool: self.name.clone(),
            settings,
            outgoing,
            state: Arc::clone(&self.state),
            opens,
            lookups: &Process::shared().lookups,
        })))
    }
}
