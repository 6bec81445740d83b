use std::time::Duration;

use crate::{Filter, Key};

/// The most connections in one answer.
const MOST: usize = 10_000;
/// The most connections among which those of a peer are looked for.
const MOST_SEARCHED: usize = 20_000;

/// The query of a target.
#[derive(Debug, Default)]
pub(super) struct Query(Vec<(String, String)>);

/// The choice of connections that a query makes.
pub(super) struct Choice {
    pub(super) filter: Filter,
    /// The beginning of their peers' addresses.
    pub(super) peer: Option<String>,
    pub(super) limit: usize,
}

impl Query {
    /// Parses it; `None` if it is no text.
    pub(super) fn parse(query: &str) -> Option<Self> {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decoded(name)?, decoded(&value.replace('+', " "))?))
        });
        pairs.collect::<Option<_>>().map(Self)
    }

    /// The value of this name, unless it is empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(found, value)| found == name && !value.is_empty());
        found.map(|(_, value)| &**value)
    }

    /// The connections that are asked for, or the reason why that is not clear.
    pub(super) fn choice(&self) -> Result<Choice, String> {
        let known = ["pool", "state", "older", "peer", "label", "limit"];
        if let Some((name, _)) = self.0.iter().find(|(name, _)| !known.contains(&&**name)) {
            return Err(format!("there is no `{name}`; use {}", known.join(", ")));
        }
        let limit = match self.get("limit").map(str::parse) {
            None => 100,
            Some(Ok(limit @ 1..=MOST)) => limit,
            Some(_) => return Err(format!("`limit` is a number from 1 to {MOST}")),
        };
        let peer = self.get("peer").map(str::to_owned);
        let searched = if peer.is_some() { MOST_SEARCHED } else { limit };
        let mut filter = Filter::new().limit(searched);
        if let Some(pool) = self.get("pool") {
            filter = filter.pool(pool);
        }
        if let Some(state) = self.get("state") {
            filter = filter.state(state);
        }
        if let Some(label) = self.get("label") {
            filter = filter.label(label);
        }
        if let Some(older) = self.get("older") {
            filter =
                filter.older(time(older).ok_or("`older` is a time such as 500ms, 5s or 2min")?);
        }
        Ok(Choice { filter, peer, limit })
    }
}

/// Decodes a text of a target; `None` if it is no text.
pub(super) fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |digit: u8| char::from(digit).to_digit(16);
                bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
                rest = after;
            }
            (b'%', _) => return None,
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Parses a time such as `500ms`, `5s`, `2min`, `1h` or `1d`. Without a unit it is in seconds.
fn time(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let millis = match &text[digits..] {
        "ms" => 1,
        "" | "s" => 1_000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    Some(Duration::from_millis(text[..digits].parse::<u64>().ok()?.checked_mul(millis)?))
}

/// Parses a key as logs print it, or with `-` in place of `#`, which ends the path of a URL.
pub(super) fn key(text: &str) -> Option<Key> {
    let (index, generation) = text.split_once(['-', '#'])?;
    Key::from_parts(index.parse().ok()?, generation.parse().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_times_are_read_as_they_are_printed() {
        let key_of = |text| key(text).map(|key| key.to_string());
        assert_eq!(key_of("5-17").as_deref(), Some("5#17"));
        assert_eq!(key_of("5#17").as_deref(), Some("5#17"));
        for text in ["", "5", "5-", "-17", "5-17-1", "x-1", "99999999999-1", "5-4294967295"] {
            assert!(key(text).is_none(), "{text}");
        }
        assert_eq!(time("5"), time("5000ms"));
        assert_eq!(time("2min"), Some(Duration::from_secs(120)));
        for text in ["", "s", "-1s", "5y", "18446744073709551615d"] {
            assert!(time(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_query_that_says_nothing_clear_is_refused() {
        let choice = |query| Query::parse(query).unwrap().choice().map(|choice| choice.limit);
        assert_eq!(choice("pool=a&state=&limit=7"), Ok(7));
        for query in ["limit=0", "limit=10001", "older=soon", "stat=Line"] {
            assert!(choice(query).is_err(), "{query}");
        }
        assert!(Query::parse("pool=%f").is_none() && Query::parse("pool=%ff").is_none());
    }
}
