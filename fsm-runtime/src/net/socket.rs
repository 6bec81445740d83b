#[cfg(not(feature = "pool"))]
mod none;
#[cfg(all(feature = "pool", unix))]
mod unix;
#[cfg(all(feature = "pool", not(unix)))]
mod windows;

#[cfg(not(feature = "pool"))]
pub(crate) use none::Socket;
#[cfg(all(feature = "pool", unix))]
pub(crate) use unix::Socket;
#[cfg(all(feature = "pool", not(unix)))]
pub(crate) use windows::Socket;
