use std::io;

#[cfg(feature = "tls")]
use crate::TlsSession;

/// The progress of the handshake of a `#[tls]` state, which generated code gets from `Cx::secured`.
#[doc(hidden)]
#[derive(Debug)]
pub enum Securing<'a> {
    Waiting,
    Secured(TlsSession<'a>),
    Failed(io::Error),
}

/// How far the handshake is that a `#[tls]` state waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// TLS has not begun.
    ToBegin,
    GoesOn,
    /// It has succeeded or failed.
    Over,
}

/// Stands for the session in the code of a machine that lacks the feature `tls`, which is an error already.
#[cfg(not(feature = "tls"))]
#[derive(Clone, Copy, Debug)]
pub struct TlsSession<'a>(std::marker::PhantomData<&'a ()>);

impl Securing<'_> {
    /// The failure of a `#[tls]` state that is entered when TLS has begun before.
    #[cfg(feature = "pool")]
    pub(crate) fn has_begun_before() -> Self {
        let why = "TLS has begun on this connection before";
        Self::Failed(io::Error::new(io::ErrorKind::AlreadyExists, why))
    }
}
