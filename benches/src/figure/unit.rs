use serde::Serialize;

/// The unit of a figure's values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Unit {
    Instructions,
    SystemCalls,
    Allocations,
    WakeUps,
    Bytes,
    Microseconds,
    Nanoseconds,
    Milliseconds,
    /// One measurement divided by another.
    Ratio,
}

impl Unit {
    /// The name in tables and pictures.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
            Self::SystemCalls => "system calls",
            Self::Allocations => "allocations",
            Self::WakeUps => "wake-ups",
            Self::Bytes => "bytes",
            Self::Microseconds => "us",
            Self::Nanoseconds => "ns",
            Self::Milliseconds => "ms",
            Self::Ratio => "ratio",
        }
    }
}
