//! The head of a request.

use fsm_examples::http::{
    Fields, RequestLine, Scan, check_host, expects_continue, keeps_alive, split,
};
use fsm_runtime::{Decoded, Frame};

use super::target::Target;
use super::{Exchange, Framing, Method, Refusal};

/// The head of a request, borrowed from the input.
#[derive(Debug)]
pub(crate) struct Head<'a> {
    pub(crate) method: Method,
    pub(crate) target: Target<'a>,
    /// The host that the client has asked, perhaps with a port; it has the letters of one.
    pub(crate) host: Option<&'a str>,
    pub(crate) framing: Framing,
    /// The client sends the body only after [`CONTINUE`](super::CONTINUE).
    pub(crate) expects_continue: bool,
    /// Whether the client may send another request on this connection.
    pub(crate) keep_alive: bool,
    pub(crate) fields: Fields<'a>,
}

/// Decodes the head of a request at the start of the input.
#[derive(Debug, Default)]
pub(crate) struct HeadCodec(Scan);

impl Frame for HeadCodec {
    type Item<'a> = Head<'a>;
    type Error = Refusal;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Head<'a>>, Refusal> {
        // `Scan` checks lines as they arrive, and `parse` runs once all are there, so that of two
        // errors the same one is reported however the input is cut.
        Ok(match self.0.head(input)? {
            Some(range) => Decoded::Frame(Head::parse(&input[range.clone()])?, range.end),
            None => Decoded::More(input.len() + 1),
        })
    }
}

impl<'a> Head<'a> {
    /// Parses a head whose lines all end with CRLF; the last one is empty.
    fn parse(head: &'a [u8]) -> Result<Self, Refusal> {
        let (line, fields) = split(head);
        let RequestLine { method, target, version } = RequestLine::parse(line)?;
        let method = Method::parse(method)?;
        let target = Target::parse(target, method)?;
        let fields = Fields::parse(fields)?;
        let host = check_host(&fields, version)?;
        let host = host.and_then(|host| std::str::from_utf8(host).ok());
        let framing = Framing::parse(&fields, version)?;
        let expects_continue = expects_continue(&fields, version)? && !framing.is_empty();
        let keep_alive = keeps_alive(&fields, version);
        Ok(Self { method, target, host, framing, expects_continue, keep_alive, fields })
    }

    /// The facts about the request that the answer depends on.
    pub(crate) fn exchange(&self) -> Exchange {
        Exchange { is_head: self.method == Method::Head, keep_alive: self.keep_alive }
    }

    /// The same for an answer that is sent before the body has been read: it closes the connection,
    /// because the next request has no known start.
    pub(crate) fn exchange_unread(&self) -> Exchange {
        let exchange = self.exchange();
        Exchange { keep_alive: exchange.keep_alive && self.framing.is_empty(), ..exchange }
    }
}

#[cfg(test)]
pub(crate) mod tests;
