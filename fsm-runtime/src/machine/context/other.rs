use super::Cx;
use crate::machine::other::OtherOutput;
use crate::net::other_end::Relay;
use crate::net::transport::OtherAccess;
use crate::{Connecting, Connection, Moved, Relaying, Target, Way};

impl<Msg, Settings> Cx<'_, Msg, Settings, Connection> {
    /// The output to the other socket, which a `#[connect]` state connects.
    ///
    /// It leaves as the output to the peer does: in one system call when the turn ends, or when the connection
    /// is there. While more of it is queued than the pool's output mark, the connection takes no input. Output
    /// that is queued when the connection fails or is replaced is dropped; a machine without `#[connect]` drops
    /// all of it.
    ///
    /// ```
    /// use fsm_runtime::prelude::*;
    /// use fsm_runtime::sim::Session;
    ///
    /// /// Asks another server for each line.
    /// #[state_machine(start = Line, eof => Gone, limit => Gone, within = 5s => Gone)]
    /// enum Front {
    ///     #[read(until = b"\n", max = 80)]
    ///     #[to(Dial)]
    ///     #[rest]
    ///     Line,
    ///     #[connect(refused => Gone)]
    ///     #[to(Answer)]
    ///     Dial,
    ///     #[read(other, until = b"\n", max = 80)]
    ///     #[to(Line)]
    ///     Answer,
    ///     #[end]
    ///     Gone,
    /// }
    ///
    /// struct Client;
    ///
    /// impl front::Handler for Client {
    ///     fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> front::AfterLine {
    ///         writeln!(cx.other(), "question: {}", String::from_utf8_lossy(line));
    ///         front::AfterLine::Dial { to: "10.0.0.7:70".parse().unwrap() }
    ///     }
    ///
    ///     fn dial(&mut self, _: Connected, _: &mut Cx<'_>) -> front::AfterDial {
    ///         front::AfterDial::Answer
    ///     }
    ///
    ///     fn answer(&mut self, line: &[u8], cx: &mut Cx<'_>) -> front::AfterAnswer {
    ///         cx.write(line);
    ///         cx.write(b"\n");
    ///         front::AfterAnswer::Line
    ///     }
    /// }
    ///
    /// # fn main() {
    /// let mut peer = Session::<Front, _>::new(Client);
    /// peer.send(b"why?\n");
    /// assert_eq!(peer.connecting(), Some("10.0.0.7:70".parse().unwrap()));
    /// peer.accept();
    /// assert_eq!(peer.other().receive(), b"question: why?\n");
    /// peer.other().send(b"because\n");
    /// assert_eq!(peer.receive(), b"because\n");
    /// # }
    /// ```
    pub fn other(&mut self) -> OtherOutput<'_> {
        OtherOutput { to: self.peer.other() }
    }

    /// The number of bytes that the last `#[relay]` state passed on, however that state was left: also by its
    /// `idle`, `eof` or `gone` edge, whose states do not get [`Moved`]. Zero before the first.
    pub fn moved(&self) -> Moved {
        self.peer.other().map_or_else(Moved::default, OtherAccess::moved)
    }

    /// Connects to `target`, or keeps the connection that is open to it. Generated code calls it when a
    /// `#[connect]` state is entered.
    #[doc(hidden)]
    pub fn connect(&mut self, target: Target) {
        if let Some(other) = self.peer.other() {
            other.connect(target);
        }
    }

    /// The progress of connecting. Generated code calls it in a `#[connect]` state.
    #[doc(hidden)]
    pub fn connected(&mut self) -> Connecting {
        match self.peer.other() {
            Some(other) => other.connected(),
            None => Connecting::Waiting,
        }
    }

    /// The progress of passing bytes on, which begins now unless it has. Generated code calls it in a
    /// `#[relay]` state.
    #[doc(hidden)]
    pub fn relayed(&mut self, way: Way, exact: Option<u64>, max: usize) -> Relaying {
        match self.peer.other() {
            Some(other) => other.relayed(&|| Relay::new(way, exact, max)),
            None => Relaying::Waiting,
        }
    }

    /// Abandons the attempt to connect, or the relay, of a state that is left by a deadline.
    #[doc(hidden)]
    pub fn leave_other(&mut self) {
        if let Some(other) = self.peer.other() {
            other.leave();
        }
    }
}
