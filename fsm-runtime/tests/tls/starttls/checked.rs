//! The checks of a machine that begins TLS.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fsm_runtime::check;

use super::*;

/// Begins TLS when it is told so, and echoes lines.
#[state_machine(start = Plain, eof => Gone, limit => Gone, within = 9s => Late, message = &'static str)]
enum Upgrade {
    #[read(until = b"\n", max = 64)]
    #[message]
    #[to(Plain | Secure)]
    #[rest]
    Plain,
    #[tls(within = 5s => Late, error => Failed)]
    #[to(Line)]
    Secure,
    #[read(until = b"\n", max = 64)]
    #[message]
    #[to(Line)]
    Line,
    #[run]
    #[to(Gone)]
    Late,
    #[run]
    #[to(Gone)]
    Failed {
        #[error]
        why: io::Error,
    },
    #[end]
    Gone,
}

/// Notes where it was called, and panics in one of the states.
struct Notes {
    log: Log,
    panics_in: &'static str,
    /// It says how many turns it had.
    counts: bool,
    calls: usize,
}

type UpgradeCx<'a> = Cx<'a, &'static str>;

impl Notes {
    fn note(&mut self, state: &'static str) {
        self.log.lock().unwrap().push(state.to_owned());
        assert_ne!(state, self.panics_in, "as planned");
    }
}

impl upgrade::Handler for Notes {
    fn plain(&mut self, line: &[u8], cx: &mut UpgradeCx<'_>) -> upgrade::AfterPlain {
        self.note("Plain");
        cx.write(line);
        if line == b"STARTTLS" { upgrade::AfterPlain::Secure } else { upgrade::AfterPlain::Plain }
    }

    fn plain_message(&mut self, text: &'static str, cx: &mut UpgradeCx<'_>) -> upgrade::AfterPlain {
        cx.write(text.as_bytes());
        upgrade::AfterPlain::Plain
    }

    fn secure(&mut self, _: TlsSession<'_>, _: &mut UpgradeCx<'_>) -> upgrade::AfterSecure {
        self.note("Secure");
        upgrade::AfterSecure::Line
    }

    fn line(&mut self, line: &[u8], cx: &mut UpgradeCx<'_>) -> upgrade::AfterLine {
        self.note("Line");
        cx.write(line);
        if self.counts {
            writeln!(cx, "{}", self.calls);
        }
        upgrade::AfterLine::Line
    }

    fn line_message(&mut self, text: &'static str, cx: &mut UpgradeCx<'_>) -> upgrade::AfterLine {
        self.calls += 1;
        cx.write(text.as_bytes());
        upgrade::AfterLine::Line
    }

    fn late(&mut self, _: &mut UpgradeCx<'_>) -> upgrade::AfterLate {
        self.note("Late");
        upgrade::AfterLate::Gone
    }

    fn failed(&mut self, why: &mut io::Error, _: &mut UpgradeCx<'_>) -> upgrade::AfterFailed {
        self.note(match why.kind() {
            io::ErrorKind::UnexpectedEof => "Failed at the end",
            _ => "Failed",
        });
        upgrade::AfterFailed::Gone
    }
}

const INPUT: &[u8] = b"one\nSTARTTLS\ntwo\nthree\nhalf";

fn notes(log: &Log, panics_in: &'static str, counts: bool) -> impl Fn() -> Notes {
    let log = Arc::clone(log);
    move || Notes { log: Arc::clone(&log), panics_in, counts, calls: 0 }
}

#[test]
fn e1_l7_each_end_of_a_handshake_is_checked() {
    let log = Log::default();
    check::splits::<Upgrade, _>(notes(&log, "", false), INPUT);
    let visited: BTreeSet<String> = log.lock().unwrap().drain(..).collect();
    let all = ["Failed", "Failed at the end", "Late", "Line", "Plain", "Secure"];
    assert_eq!(visited, all.map(str::to_owned).into());
    // Each is told from the others.
    for state in all {
        let make = notes(&log, state, false);
        let checked = AssertUnwindSafe(|| check::splits::<Upgrade, _>(&make, INPUT));
        assert!(catch_unwind(checked).is_err(), "{state}");
    }
    // TLS may begin with the connection, or with its last byte.
    check::splits::<Upgrade, _>(notes(&log, "", false), b"STARTTLS\n");
    check::splits::<Upgrade, _>(notes(&log, "", false), b"STARTTL");
}

#[test]
fn e1_l7_messages_are_placed_before_and_behind_a_handshake() {
    let log = Log::default();
    let check = |counts| {
        let make = notes(&log, "", counts);
        check::interleavings::<Upgrade, _>(make, INPUT, &["a", "b"], Duration::ZERO);
    };
    check(false);
    let visited: BTreeSet<String> = log.lock().unwrap().drain(..).collect();
    assert_eq!(visited, ["Line", "Plain", "Secure"].map(str::to_owned).into());
    // The check finds a change that messages make after the handshake.
    assert!(catch_unwind(AssertUnwindSafe(|| check(true))).is_err());
}
