//! Queries.

use super::{Refusal, percent};

/// The answers of a query, `q=words+to+find&limit=10`, which may come in any order, each once.
/// Those that nobody asks for are ignored.
#[derive(Debug)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    pub(crate) fn parse(query: &str) -> Result<Self, Refusal> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((percent::decode(key, true)?, percent::decode(value, true)?))
        });
        Ok(Self(pairs.collect::<Result<_, Refusal>>()?))
    }

    /// The value of a key.
    pub(crate) fn value(&self, key: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(found, _)| found == key).map(|(_, value)| &**value);
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Refusal::bad("a part of the query came twice")),
        }
    }

    /// The number of a key: `default` if it is missing, and never more than `max`.
    pub(crate) fn number(&self, key: &str, default: usize, max: usize) -> Result<usize, Refusal> {
        let Some(digits) = self.value(key)? else { return Ok(default) };
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse() {
            Ok(number @ 1_usize..) if is_number => Ok(number.min(max)),
            _ => Err(Refusal::bad("a number in the query is not one")),
        }
    }
}
