use std::{fmt, io};

/// The reason for a missing measurement.
#[derive(Debug)]
pub(crate) enum Error {
    /// The system lacks a tool or a feature: the peer's row is skipped.
    Missing(String),
    /// A measurement failed.
    Failed(String),
}

impl Error {
    pub(crate) fn missing(message: impl Into<String>) -> Self {
        Self::Missing(message.into())
    }

    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::Failed(message.into())
    }

    /// A failure with this error as its reason; made for `map_err`.
    pub(crate) fn because(error: impl fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    /// Prefixes an I/O error with the action that failed; made for `map_err`.
    pub(crate) fn doing(action: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Failed(format!("{action}: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(message) | Self::Failed(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<fsm_runtime::PoolError> for Error {
    fn from(error: fsm_runtime::PoolError) -> Self {
        Self::Failed(error.to_string())
    }
}
