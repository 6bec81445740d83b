//! Source text of a machine of any size: each state reads a line with an idle time of a minute, and
//! then moves on to the next state.

use std::fmt::Write;

/// The program with the macro.
pub(super) fn with_macro(states: usize) -> String {
    let mut text = String::from(
        "use fsm_runtime::prelude::*;\n\n\
         #[state_machine(start = Start, eof => Closed, limit => Closed)]\n\
         pub enum Big {\n    #[run]\n    #[to(State0)]\n    Start,\n",
    );
    for (state, next) in edges(states) {
        let _ = write!(
            text,
            "    /// Waits for line {state}.\n    \
             #[read(until = b\"\\n\", max = 1KiB, idle = 1min => Closed)]\n    \
             #[to(State{state} | State{next} | Closed)]\n    \
             State{state} {{ left: u64 }},\n"
        );
    }
    text.push_str("    #[end]\n    Closed,\n}\n");
    text + &handler(states)
}

/// The program written by hand: like the code of the macro, without the graph as data and its picture.
pub(super) fn by_hand(states: usize) -> String {
    format!(
        "use fsm_runtime::{{Cx, Input, Miss, Step, Timer, WaitSet}};
use big::*;

{}
{}
{}{}",
        machine_enum(states),
        handler_module(states),
        machine_impl(states),
        handler(states),
    )
}

fn machine_enum(states: usize) -> String {
    let variants = per_state(states, |state, _| {
        format!("    /// Waits for line {state}.\n    State{state} {{ left: u64 }},\n")
    });
    format!(
        "pub enum Big {{
    Start,
{variants}    Closed,
}}
"
    )
}

fn handler_module(states: usize) -> String {
    let methods = per_state(states, |state, _| {
        format!(
            "        fn state{state}(&mut self, left: &mut u64, line: &[u8], cx: &mut Cx<'_>) \
             -> AfterState{state};\n"
        )
    });
    let verdicts = per_state(states, |state, next| {
        format!(
            "    pub enum AfterState{state} {{\n        State{state},\n        \
             State{next} {{ left: u64 }},\n        Closed,\n    }}\n"
        )
    });
    format!(
        "pub mod big {{
    use super::*;

    pub trait Handler {{
        fn start(&mut self, cx: &mut Cx<'_>) -> AfterStart;
{methods}    }}

    pub enum AfterStart {{
        State0 {{ left: u64 }},
    }}
{verdicts}}}
"
    )
}

fn machine_impl(states: usize) -> String {
    let patterns =
        per_state(states, |state, _| format!("            | Self::State{state} {{ .. }}\n"))
            .replacen('|', " ", 1);
    let arms = per_state(states, resume_arm);
    format!(
        "impl Big {{
    pub fn timer(&self, _: usize) -> Timer {{
        match self {{
{patterns}                => Timer::idle(60_000),
            Self::Start | Self::Closed => Timer::NEVER,
        }}
    }}

    pub fn resume<H: Handler>(
        &mut self,
        handler: &mut H,
        input: &mut Input<'_, ()>,
        cx: &mut Cx<'_>,
    ) -> Step {{
        match self {{
            Self::Start => match handler.start(cx) {{
                AfterStart::State0 {{ left }} => {{
                    *self = Self::State0 {{ left }};
                    Step::Moved
                }}
            }},
{arms}            Self::Closed => Step::Done,
        }}
    }}

    pub fn expire(&mut self, _: usize) -> Step {{
        match self {{
            Self::Start | Self::Closed => Step::Stayed,
            _ => {{
                *self = Self::Closed;
                Step::Moved
            }}
        }}
    }}
}}
"
    )
}

fn resume_arm(state: usize, next: usize) -> String {
    format!(
        "            Self::State{state} {{ left }} => {{
                let line = match input.until(b\"\\n\", 1024) {{
                    Ok(line) => line,
                    Err(Miss::More) => return Step::Waiting(WaitSet::READ),
                    Err(Miss::Limit | Miss::Eof) => {{
                        *self = Self::Closed;
                        return Step::Moved;
                    }}
                }};
                match handler.state{state}(left, line, cx) {{
                    AfterState{state}::State{state} => return Step::Stayed,
                    AfterState{state}::State{next} {{ left }} => *self = Self::State{next} {{ left }},
                    AfterState{state}::Closed => *self = Self::Closed,
                }}
                Step::Moved
            }}\n"
    )
}

/// The concatenation of a text for each state and its successor.
fn per_state(states: usize, text: impl Fn(usize, usize) -> String) -> String {
    edges(states).map(|(state, next)| text(state, next)).collect()
}

/// The handler, which both programs share.
fn handler(states: usize) -> String {
    let mut text = String::from(
        "\npub struct Client;\n\nimpl big::Handler for Client {\n    \
         fn start(&mut self, _: &mut Cx<'_>) -> big::AfterStart {\n        \
         big::AfterStart::State0 { left: 9 }\n    }\n",
    );
    for (state, next) in edges(states) {
        let _ = write!(
            text,
            "
    fn state{state}(&mut self, left: &mut u64, line: &[u8], cx: &mut Cx<'_>) -> big::AfterState{state} {{
        cx.write(line);
        *left -= 1;
        match *left {{
            0 => big::AfterState{state}::Closed,
            1 => big::AfterState{state}::State{state},
            left => big::AfterState{state}::State{next} {{ left }},
        }}
    }}
"
        );
    }
    text + "}\n"
}

/// Each state with its successor.
fn edges(states: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..states).map(move |state| (state, (state + 1) % states))
}
