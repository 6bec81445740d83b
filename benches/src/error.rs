use std::{fmt, io};

/// Why something was not measured.
#[derive(Debug)]
pub(crate) enum Error {
    /// The machine lacks something: a row is skipped.
    Missing(String),
    /// Something went wrong.
    Failed(String),
}

impl Error {
    pub(crate) fn missing(what: impl Into<String>) -> Self {
        Self::Missing(what.into())
    }

    pub(crate) fn failed(what: impl Into<String>) -> Self {
        Self::Failed(what.into())
    }

    /// For `map_err`: what was being done when it went wrong.
    pub(crate) fn doing(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Failed(format!("{what}: {error}"))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(what) | Self::Failed(what) => f.write_str(what),
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
