//! The search for documents.

use rusqlite::params;

use super::snippet::Snippets;
use super::{Error, Store};
use crate::api::Hit;

/// Further words are not looked for.
const MAX_WORDS: usize = 32;

/// So many bytes of text are looked through for what to show of the hits.
const BUDGET: usize = 16 * 1024 * 1024;

/// Words in a name count five times. FTS5 sorts by itself, and so only the texts of hits that are
/// given out are read.
const QUERY: &str = "
    SELECT documents.name, documents.len, texts.body
    FROM texts JOIN documents ON documents.id = texts.rowid
    WHERE texts MATCH ?1 AND rank MATCH 'bm25(5.0, 1.0)'
    ORDER BY rank LIMIT ?2
";

impl Store {
    /// The documents in which all words are, the best first. The last word may be the beginning of
    /// one, as it is while somebody types.
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

/// The query in the language of FTS5. Each word is a string in it, in which nothing is an
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

    /// Otherwise the texts of all hits would be read, to be thrown away.
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
