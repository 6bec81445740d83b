//! The server's side of HTTP/1.1: bytes to values and back, without any I/O.
//!
//! A request's head is found by [`HeadCodec`], and says how its body is [framed](Framing);
//! [`chunk`] reads the lines between the chunks of one. [`Route`] says what is asked for, and
//! [`Response`] writes the answer. Whatever is not right is a [`Refusal`], which knows its status.
//!
//! What two readers of the same bytes could understand in different ways is refused: a proxy that
//! takes a request for one and a server that takes it for two is how requests are smuggled.

pub(crate) mod chunk;
mod condition;
mod fields;
mod framing;
mod head;
mod media;
mod method;
mod name;
mod percent;
mod query;
mod range;
mod refusal;
mod response;
mod route;
mod scan;
mod status;
mod tag;
mod target;

pub(crate) use condition::{Condition, Validators, Verdict};
pub(crate) use framing::Framing;
pub(crate) use head::{Head, HeadCodec};
pub(crate) use media::media_type;
pub(crate) use method::Method;
pub(crate) use name::Name;
pub(crate) use range::{Range, Selection};
pub(crate) use refusal::Refusal;
pub(crate) use response::{CONTINUE, Exchange, Response};
pub(crate) use route::Route;
pub(crate) use status::Status;
