//! The full-text search.

use rusqlite::params;

use super::snippet::Snippets;
use super::{Error, Store};
use crate::api::Hit;

/// The maximum number of words in a query; the others are ignored.
const MAX_WORDS: usize = 32;

/// The maximum number of bytes of text that the snippets of one search read.
const BUDGET: usize = 16 * 1024 * 1024;

/// A word in the name has the weight of five in the text. FTS5 sorts the hits by itself, so that
/// only the texts of returned hits are read.
const QUERY: &str = "
    SELECT documents.name, documents.len, texts.body
    FROM texts JOIN documents ON documents.id = texts.rowid
    WHERE texts MATCH ?1 AND rank MATCH 'bm25(5.0, 1.0)'
    ORDER BY rank LIMIT ?2
";

impl Store {
    /// The documents that contain all words, the best first. The last word may be a prefix, because
    /// the user may still be typing it.
    pub(crate) fn search(&self, words: &str, limit: usize) -> Result<Vec<Hit>, Error> {
        let Some(query) = query(words) else { return Ok(Vec::new()) };
        let mut statement = self.sql.prepare_cached(QUERY)?;
        let mut snippets = Snippets::new(words, BUDGET);
        let hits = statement.query_map(params![query, limit], |row| {
            let snippet = snippets.make(row.get_ref(2)?.as_str()?);
            Ok(Hit { name: row.get(0)?, len: row.get(1)?, snippet })
        })?;
        Ok(hits.collect::<Result<_, _>>()?)
    }
}

/// The query in the syntax of FTS5, with each word as a quoted string, so that no word acts as an
/// operator; `None` if there are no words.
fn query(words: &str) -> Option<String> {
    let words = words.split(|c: char| c.is_whitespace() || c.is_control());
    let words = words.filter(|word| word.contains(char::is_alphanumeric)).take(MAX_WORDS);
    let strings: Vec<_> = words.map(|word| format!("\"{}\"", word.replace('"', "\"\""))).collect();
    (!strings.is_empty()).then(|| strings.join(" ") + "*")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With any other plan `SQLite` would read the texts of all hits, to discard most of them.
    #[test]
    fn hits_are_sorted_by_fts5() {
        let root = tempfile::TempDir::new().unwrap();
        let (store, _) = Store::open(root.path()).unwrap();
        let mut statement = store.sql.prepare(&format!("EXPLAIN QUERY PLAN {QUERY}")).unwrap();
        let rows = statement.query_map(params!["a", 1], |row| row.get::<_, String>(3));
        let plan = rows.unwrap().collect::<Result<Vec<_>, _>>().unwrap();
        assert_eq!(plan.len(), 2, "{plan:?}");
        assert!(plan[0].starts_with("SCAN texts VIRTUAL TABLE"), "{plan:?}");
    }

    #[test]
    fn words_are_strings() {
        for (words, expected) in [
            ("", None),
            (" \t - * \" \u{0}", None),
            ("one", Some(r#""one"*"#)),
            ("one  TWO\nthr", Some(r#""one" "TWO" "thr"*"#)),
            ("a\0b", Some(r#""a" "b"*"#)),
            ("say \"hi\" *", Some(r#""say" """hi"""*"#)),
            (
                "NOT (a OR b) NEAR/2 name:c ^d e*",
                Some(r#""NOT" "(a" "OR" "b)" "NEAR/2" "name:c" "^d" "e*"*"#),
            ),
        ] {
            assert_eq!(query(words).as_deref(), expected, "{words:?}");
        }
    }
}
