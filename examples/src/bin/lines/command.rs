//! The commands, each a line of words.

use fsm_runtime::prelude::*;

use crate::refusal::Refusal;

/// A line whose first word says which command it is. The macro makes the decoder `Commands` of it.
#[frame(Commands, line = b"\r\n" | b"\n", max = 80)]
#[derive(Debug)]
pub(crate) enum Command<'a> {
    #[is("ECHO")]
    Echo {
        #[rest]
        text: Option<&'a [u8]>,
    },
    #[is("PIN")]
    Pin,
    #[is("SUM")]
    Sum { n: u64 },
    #[is("NET")]
    Net,
    #[is("SKIP")]
    Skip { n: u64 },
    #[is("COUNT")]
    Count { n: u64 },
    #[is("SLEEP")]
    Sleep,
    #[is("CLOCK")]
    Clock,
    #[is("SHOUT")]
    Shout {
        #[rest]
        text: Option<&'a [u8]>,
    },
    #[is("HALF")]
    Half,
    #[is("QUIT")]
    Quit,
}

impl From<&CommandsError> for Refusal {
    fn from(why: &CommandsError) -> Self {
        Self(match why {
            CommandsError::Tag => "unknown command",
            CommandsError::TooLong { .. } => "a line has at most 80 bytes",
            CommandsError::Number { .. } | CommandsError::Missing { .. } => "not a number",
            CommandsError::Surplus { .. } => "something follows the command",
            CommandsError::Contains { .. } => "a text contains a line end",
        })
    }
}
