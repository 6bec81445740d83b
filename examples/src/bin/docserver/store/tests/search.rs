//! The search of the store.

use std::time::Instant;

use super::*;

fn names(hits: &[api::Hit]) -> Vec<&str> {
    hits.iter().map(|hit| &*hit.name).collect()
}

#[test]
fn words_are_found() {
    let mut f = Fixture::new();
    f.put("fox.txt", "The quick brown fox jumps over the lazy dog".as_bytes());
    f.put("café.md", "Un café crème, s'il vous plaît <b>now</b> & then".as_bytes());
    f.put("binary-quick.bin", b"quick \xff\xfe");
    f.put("empty", b"");
    for (words, expected) in [
        ("quick", &["binary-quick.bin", "fox.txt"][..]),
        ("QUICK fox", &["fox.txt"]),
        ("fox quick", &["fox.txt"]),
        ("qui", &["binary-quick.bin", "fox.txt"]),
        ("qui fox", &[]),
        ("cafe", &["café.md"]),
        ("CAFÉ CR", &["café.md"]),
        ("fox.txt", &["fox.txt"]),
        ("empty", &["empty"]),
        ("cat", &[]),
        ("", &[]),
        ("fox OR cat", &[]),
        ("name:fox", &[]),
    ] {
        assert_eq!(names(&f.store.search(words, 10).unwrap()), expected, "{words}");
    }
    assert_eq!(f.store.search("quick", 1).unwrap().len(), 1);
}

#[test]
fn snippets_show_what_was_found() {
    let mut f = Fixture::new();
    f.put("a", "Un <b>café</b> & \u{2}crème\u{3}, encore un café".as_bytes());
    let segment = |text: &str, mark| api::Segment { text: text.into(), mark };
    let hits = f.store.search("cafe", 10).unwrap();
    assert_eq!(
        hits[0].snippet,
        [
            segment("Un <b>", false),
            segment("café", true),
            segment("</b> &  crème , encore un ", false),
            segment("café", true),
        ]
    );
    // Words in the name are not in the text.
    assert!(f.store.search("a", 10).unwrap()[0].snippet.iter().all(|segment| !segment.mark));
}

/// The search takes little time, too.
#[test]
fn a_word_may_match_a_million_times() {
    let mut f = Fixture::new();
    f.put("many", "a ".repeat(1_000_000).as_bytes());
    let start = Instant::now();
    let hits = f.store.search("a A á à â ä", 10).unwrap();
    assert!(hits[0].snippet.iter().any(|segment| segment.mark));
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed()); // in a debug build
}

/// No query causes an error.
#[test]
fn no_query_is_an_error() {
    let mut f = Fixture::new();
    f.put("a", b"a b c and or not near");
    let pieces =
        ["\"", "*", "(", ")", "a", " ", ":", "^", "-", "+", "NEAR", "'", "\0", "\u{301}", "😀"];
    for first in pieces {
        for second in pieces {
            for third in pieces {
                for query in
                    [[first, second, third].concat(), [first, " ", second, "a", third].concat()]
                {
                    assert!(f.store.search(&query, 10).is_ok(), "{query:?}");
                }
            }
        }
    }
    assert!(f.store.search(&"word ".repeat(10_000), 10).is_ok());
    assert!(f.store.search(&"x".repeat(100_000), 10).is_ok());
}

#[test]
fn the_beginning_of_a_large_text_is_searched() {
    let mut f = Fixture::new();
    let mut text = "beginning ".to_owned();
    text.push_str(&"ä".repeat(2 * 1024 * 1024));
    text.push_str(" ending");
    let document = f.put("large", text.as_bytes()).document;
    assert_eq!(document.len, u64::try_from(text.len()).unwrap());
    assert_eq!((found(&f.store, "beginning").len(), found(&f.store, "ending").len()), (1, 0));
    let snippet = &f.store.search("beginning", 1).unwrap()[0].snippet;
    assert!(snippet.iter().map(|segment| segment.text.len()).sum::<usize>() < 2_000);
}
