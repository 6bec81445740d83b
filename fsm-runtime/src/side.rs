/// On which side of a [`Cx`](crate::Cx) there is what: a connection with a peer, or a job.
pub trait Side: sealed::Sealed + 'static {}

/// The machine has a connection: it can write to a peer.
#[derive(Debug)]
pub enum Connection {}

/// The machine has a job, and no connection.
#[derive(Debug)]
pub enum Job {}

impl Side for Connection {}
impl Side for Job {}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::Connection {}
    impl Sealed for super::Job {}
}
