#[cfg(unix)]
mod descriptor;
#[cfg(not(unix))]
mod stream;

#[cfg(unix)]
pub(crate) use descriptor::Socket;
#[cfg(not(unix))]
pub(crate) use stream::Socket;
