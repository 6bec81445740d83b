//! The server side of HTTP/1.1: parsing and formatting, without I/O.
//!
//! [`HeadCodec`] finds the head of a request, whose fields define the [framing](Framing) of its
//! body; [`chunk`] parses the lines between the chunks of a chunked body. [`Route`] is the resource
//! that the client asks for, and [`Response`] formats the answer. Every error is a [`Refusal`],
//! which has a status.
//!
//! The parsers refuse bytes that two readers could parse in two ways, because a proxy that sees one
//! request where the server sees two lets clients smuggle requests.

mod condition;
mod date;
mod head;
mod media;
mod method;
mod name;
mod percent;
mod query;
mod range;
mod refusal;
mod representation;
mod response;
mod route;
mod tag;
mod target;

pub(crate) use fsm_examples::http::{Framing, Refusal, Status, chunk};

pub(crate) use condition::{Condition, Validators, Verdict};
pub(crate) use head::{Head, HeadCodec};
pub(crate) use method::Method;
pub(crate) use name::Name;
pub(crate) use range::{Range, Selection};
pub(crate) use refusal::RefusalAnswer;
pub(crate) use representation::Representation;
pub(crate) use response::{CONTINUE, Exchange, Response};
pub(crate) use route::Route;
pub(crate) use target::Target;
