//! Methods.

use fsm_examples::http::is_token;

use super::{Refusal, Status};

/// A method that this server knows. A resource may have fewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Get,
    Head,
    Post,
    Put,
    Patch,
    Delete,
    Options,
}

impl Method {
    pub(crate) fn parse(word: &[u8]) -> Result<Self, Refusal> {
        Ok(match word {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"PATCH" => Self::Patch,
            b"DELETE" => Self::Delete,
            b"OPTIONS" => Self::Options,
            _ if is_token(word) => {
                return Err(Refusal::new(Status::NotImplemented, "the method is unknown"));
            }
            _ => return Err(Refusal::bad("the method is not a token")),
        })
    }
}
