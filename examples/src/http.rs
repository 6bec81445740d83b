//! HTTP/1.1 as all servers here read it: heads, framing and chunks, without I/O.
//!
//! The parsers refuse bytes that two readers could parse in two ways, because a proxy that sees one
//! request where the server sees two lets clients smuggle requests.

pub mod chunk;
mod fields;
mod framing;
mod refusal;
mod scan;
mod start;
mod status;
mod token;

pub use fields::Fields;
pub use framing::Framing;
pub use refusal::Refusal;
pub use scan::Scan;
pub use start::{
    RequestLine, StatusLine, Version, check_host, expects_continue, is_authority, keeps_alive,
    split,
};
pub use status::Status;
pub use token::is_token;
