//! Queries.

use std::borrow::Cow;

use super::{Refusal, percent};

/// The parameters of a query such as `q=words+to+find&limit=10`, in any order, each at most once.
/// Unknown ones are ignored.
#[derive(Debug)]
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    pub(crate) fn parse(query: &'a str) -> Result<Self, Refusal> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((percent::decode(key, true)?, percent::decode(value, true)?))
        });
        Ok(Self(pairs.collect::<Result<_, Refusal>>()?))
    }

    /// The value of a parameter.
    pub(crate) fn value(&self, key: &str) -> Result<Option<&str>, Refusal> {
        let mut values = self.0.iter().filter(|(found, _)| found == key).map(|(_, value)| &**value);
        let value = values.next();
        match values.next() {
            None => Ok(value),
            Some(_) => Err(Refusal::bad("a parameter of the query occurs twice")),
        }
    }

    /// The number that a parameter holds: `default` if it is missing, and at most `max`.
    pub(crate) fn number(&self, key: &str, default: usize, max: usize) -> Result<usize, Refusal> {
        let Some(digits) = self.value(key)? else { return Ok(default) };
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        match digits.parse() {
            Ok(number @ 1_usize..) if is_number => Ok(number.min(max)),
            _ => Err(Refusal::bad("a parameter of the query is not a number")),
        }
    }
}
