use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};

use super::channel::{Broken, Channel, ProcessAnswer};
use super::ending::Ending;
use super::settings::Settings;
use crate::server::wire::Raised;

/// The program of each process.
const PROGRAM: &str = include_str!("worker.py");
/// The longest time after which a thread that waits for a process looks whether it still should.
const SLICE: Duration = Duration::from_millis(200);
/// The time between two looks at a process that is ending.
const LOOK: Duration = Duration::from_millis(5);

/// The milliseconds that are left for a job that may take for ever.
const NEVER: u32 = u32::MAX;

const RESULT: u8 = 0;
const RAISED: u8 = 1;
const READY: u8 = 2;
const FAILED: u8 = 3;
/// Added by a process that has grown over its bound.
const LAST: u8 = 0x80;

/// A process that does one job at a time. It leads a group, in which the programs are that its jobs start.
#[derive(Debug)]
pub(super) struct PythonProcess {
    child: Child,
    /// The group of the process, which has its number for as long as nobody has waited for the process.
    group: Option<Pid>,
    channel: Channel,
    /// The number of the last request.
    number: u32,
    ready: bool,
}

/// The end of a job in a process.
pub(super) enum Done {
    Result,
    Raised,
}

impl PythonProcess {
    /// Starts a process, which is not ready yet.
    pub(super) fn start<J>(settings: &Settings<J>) -> Result<Self, String> {
        let slice = settings.kill_after.map_or(SLICE, |limit| limit.clamp(LOOK, SLICE));
        let (channel, theirs) =
            Channel::pair(slice).map_err(|error| format!("cannot make a socket: {error}"))?;
        let child = Command::new(&settings.interpreter)
            .args(["-u", "-c", PROGRAM, settings.target.as_str()])
            .args([settings.takes.name(), settings.gives.name()])
            .arg(settings.recycle_above.unwrap_or(0).to_string())
            .args(&settings.paths)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .process_group(0)
            .spawn()
            .map_err(|error| {
                format!("cannot start `{}`: {error}", settings.interpreter.display())
            })?;
        let group = Some(Pid::from_child(&child));
        Ok(Self { child, group, channel, number: 0, ready: false })
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Another descriptor of the socket to the process.
    pub(super) fn socket(&self) -> io::Result<OwnedFd> {
        self.channel.socket()
    }

    /// Waits until the process has loaded its function.
    pub(super) fn wait_ready<J>(
        &mut self,
        settings: &Settings<J>,
        ending: &Ending,
    ) -> Result<(), String> {
        if self.ready {
            return Ok(());
        }
        match self.receive(settings.max_reply, settings.start_within, ending) {
            Ok(answer) if answer.kind == READY => {
                self.ready = true;
                Ok(())
            }
            Ok(answer) if answer.kind == FAILED => Err(self.failure(answer)),
            Ok(_) => Err("it said something else than that it is ready".to_owned()),
            Err(broken) => Err(self.describe(&broken)),
        }
    }

    fn failure(&self, answer: ProcessAnswer) -> String {
        let raised = Raised::parse(self.channel.body(answer));
        raised.map_or_else(
            || "it failed, and did not say how".to_owned(),
            |raised| format!("{raised}\n{}", raised.traceback).trim_end().to_owned(),
        )
    }

    /// Has a job done, for which so much time is left. `request` begins with room for the [head](Process::HEAD).
    pub(super) fn run<J>(
        &mut self,
        request: &mut [u8],
        left: Option<Duration>,
        settings: &Settings<J>,
        ending: &Ending,
    ) -> Result<(Done, ProcessAnswer), Broken> {
        self.number = self.number.wrapping_add(1);
        let length = u32::try_from(request.len() - Self::HEAD).unwrap_or(u32::MAX);
        request[..4].copy_from_slice(&length.to_ne_bytes());
        request[4..8].copy_from_slice(&self.number.to_ne_bytes());
        let left = left.map_or(NEVER, |left| u32::try_from(left.as_millis()).unwrap_or(NEVER));
        request[8..Self::HEAD].copy_from_slice(&left.to_ne_bytes());
        let limit = settings.kill_after.unwrap_or(Duration::MAX);
        self.send(request, limit, ending)?;
        let answer = self.receive(settings.max_reply, limit, ending)?;
        let done = match answer.kind & !LAST {
            RESULT if answer.number == self.number => Done::Result,
            RAISED if answer.number == self.number => Done::Raised,
            _ => return Err(Broken::Garbled("an answer to something else".to_owned())),
        };
        Ok((done, answer))
    }

    /// The room in front of a request's body, for `length, number, milliseconds left`.
    pub(super) const HEAD: usize = 12;

    pub(super) fn body(&self, answer: ProcessAnswer) -> &[u8] {
        self.channel.body(answer)
    }

    pub(super) fn trim(&mut self) {
        self.channel.trim();
    }

    /// Whether the process has grown over its bound, as it says itself.
    pub(super) fn is_last(answer: ProcessAnswer) -> bool {
        answer.kind & LAST != 0
    }

    fn send(&mut self, request: &[u8], limit: Duration, ending: &Ending) -> Result<(), Broken> {
        let mut patience = patience(self.group, limit, ending);
        self.channel.send(request, &mut patience)
    }

    fn receive(
        &mut self,
        most: usize,
        limit: Duration,
        ending: &Ending,
    ) -> Result<ProcessAnswer, Broken> {
        let mut patience = patience(self.group, limit, ending);
        self.channel.receive(most, &mut patience)
    }

    /// Tells the process to end when it is idle.
    pub(super) fn leave(&mut self) {
        self.channel.end();
    }

    /// Whether the process has ended.
    pub(super) fn has_ended(&self) -> bool {
        has_ended(self.group)
    }

    /// Ends the process, which has so much time for its job and its exit handlers.
    pub(super) fn end(mut self, within: Duration) {
        self.leave();
        let began = Instant::now();
        while !self.has_ended() && began.elapsed() < within {
            // An end of the stream comes shortly before that of the process.
            if self.channel.is_closed() {
                thread::sleep(LOOK);
            }
        }
    }

    /// Says why the process did not answer.
    pub(super) fn describe(&mut self, broken: &Broken) -> String {
        match broken {
            Broken::Unsent | Broken::Closed => self.exit().to_string(),
            Broken::Late => "it took too long".to_owned(),
            Broken::Stopped => "the pool was closed".to_owned(),
            Broken::Garbled(what) => format!("it sent {what}"),
        }
    }

    /// Waits for a process that has closed its socket.
    fn exit(&mut self) -> Exit {
        let began = Instant::now();
        while began.elapsed() < SLICE {
            if self.has_ended() {
                return Exit(self.kill());
            }
            thread::sleep(LOOK);
        }
        Exit(None)
    }

    /// Kills the process and the programs of its group. Returns how the process has ended.
    fn kill(&mut self) -> Option<ExitStatus> {
        if let Some(group) = self.group.take() {
            // It fails if all of them have ended.
            let _ = kill_process_group(group, Signal::KILL);
        }
        self.child.wait().ok()
    }
}

/// Whether the leader of a group has ended. It is left as it is, so that the number of the group stays its own.
fn has_ended(group: Option<Pid>) -> bool {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    group.is_none_or(|leader| !matches!(waitid(WaitId::Pid(leader), options), Ok(None)))
}

/// Looks, each time that nothing has moved for a while, whether there is still somebody to wait for.
fn patience(
    group: Option<Pid>,
    limit: Duration,
    ending: &Ending,
) -> impl FnMut() -> Result<(), Broken> {
    let began = Instant::now();
    let mut ended = false;
    move || {
        if ending.is_closed() {
            return Err(Broken::Stopped);
        }
        if began.elapsed() >= limit {
            return Err(Broken::Late);
        }
        // A process that it started may hold the socket open. Its last bytes are received first.
        if std::mem::replace(&mut ended, has_ended(group)) {
            return Err(Broken::Closed);
        }
        Ok(())
    }
}

/// How a process has ended, if it has.
struct Exit(Option<ExitStatus>);

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => write!(f, "it ended: {status}"),
            None => f.write_str("it closed its socket"),
        }
    }
}

/// Leaves no process behind.
impl Drop for PythonProcess {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}
