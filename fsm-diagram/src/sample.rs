//! Machines to draw in tests.

use std::fmt::Write as _;

pub(crate) const THREE: &str = "\
stateDiagram-v2
    [*] --> Line
    Line --> Line
    Line --> Leaving: limit
    Line --> Closed: eof, within 30s
    Line --> Closed: idle 60s
    Leaving --> Closed
    Closed --> [*]
";

pub(crate) const EIGHT: &str = "\
stateDiagram-v2
    [*] --> Greeting
    Greeting --> Request: hello
    Greeting --> Refused: error
    Greeting --> Closed: eof, within 30s
    Request --> Request
    Request --> Body
    Request --> Answer
    Request --> TooBig: limit
    Request --> Closed: eof, idle 5min
    Body --> Body
    Body --> Answer
    Body --> Refused: error
    Body --> Closed: eof, within 30s
    Answer --> Request
    Answer --> Leaving
    TooBig --> Leaving
    Refused --> Leaving
    Leaving --> Closed
    Leaving --> Closed: within 5s
    Closed --> [*]
";

pub(crate) const FIFTEEN: &str = "\
stateDiagram-v2
    [*] --> Banner
    Banner --> Command: flushed
    Banner --> Closed: within 10s
    Command --> Command
    Command --> Hello
    Command --> MailFrom
    Command --> StartTls
    Command --> Quit
    Command --> Unknown: error
    Command --> TooLong: limit
    Command --> Closed: eof, idle 5min
    Hello --> Command
    Unknown --> Command
    Unknown --> Quit
    TooLong --> Command
    TooLong --> Quit
    MailFrom --> RcptTo
    MailFrom --> Command
    MailFrom --> Closed: eof, within 30s
    RcptTo --> RcptTo
    RcptTo --> Data
    RcptTo --> Command
    RcptTo --> Closed: eof, within 30s
    Data --> Data
    Data --> Dot
    Data --> TooBig: limit
    Data --> Closed: eof, within 10min
    Dot --> Queue
    TooBig --> SkipBody
    SkipBody --> SkipBody
    SkipBody --> Command
    SkipBody --> Closed: eof, within 10min
    Queue --> Command
    Queue --> Failed: error
    Failed --> Command
    StartTls --> Command
    StartTls --> Closed: error, within 30s
    Quit --> Closed
    Quit --> Closed: within 5s
    Closed --> [*]
";

/// A machine whose states share edges, as the docs of machines have it. A test of the workspace makes it.
pub(crate) const FORTY: &str = include_str!("sample/mail.mmd");

/// Numbers that look random and are the same each time.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Less than `below`.
    pub(crate) fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// A machine of so many states in which each leads to a few others, as a protocol's do: to the
/// next one, to some near it, back to the first, to itself, and to the last when something fails.
pub(crate) fn machine(states: usize, dice: &mut Dice) -> String {
    let labels = ["", "", ": eof", ": limit", ": error", ": eof, within 30s", ": idle 5min<br>x"];
    let mut text = "stateDiagram-v2\n[*] --> S0\n".to_owned();
    for state in 0..states {
        if dice.roll(10) == 0 {
            writeln!(text, "S{state}: a state<br>with more to say").unwrap();
        }
        let mut edge = |target: usize, dice: &mut Dice| {
            let label = labels[dice.roll(labels.len())];
            writeln!(text, "S{state} --> S{}{label}", target % states).unwrap();
        };
        edge(state + 1, dice);
        for _ in 0..dice.roll(3) {
            let target = state + dice.roll(6);
            edge(target, dice);
        }
        match dice.roll(4) {
            0 => edge(0, dice),
            1 => edge(state, dice),
            _ => edge(states - 1, dice),
        }
    }
    writeln!(text, "S{} --> [*]", states - 1).unwrap();
    text
}
