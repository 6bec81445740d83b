use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::sample::{Dice, EIGHT, FIFTEEN, FORTY, THREE, machine};

use super::*;

fn samples() -> Vec<String> {
    let mut samples: Vec<_> = [THREE, EIGHT, FIFTEEN, FORTY].map(str::to_owned).into();
    samples.extend((1..8).map(|seed| machine(2 * seed - 1, &mut Dice::new(seed as u64))));
    samples
}

/// The picture of a valid text.
fn drawn(text: &str) -> String {
    let picture = picture(text);
    assert!(picture.contains("<svg"), "{picture}\n{text}");
    picture
}

#[test]
fn the_same_text_makes_the_same_picture() {
    for text in samples() {
        let first = drawn(&text);
        // Each thread has hash tables in another order.
        let again = std::thread::scope(|scope| {
            let drawn = (0..4).map(|_| scope.spawn(|| drawn(&text)));
            drawn.map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
        });
        assert!(again.iter().all(|again| *again == first), "{text}");
    }
}

#[test]
fn it_is_one_line_that_is_html_by_itself() {
    for text in samples() {
        let picture = drawn(&text);
        assert!(!picture.contains(['\n', '\r']), "{picture}");
        assert!(picture.starts_with("<!-- ") && picture.ends_with("</svg></div>"), "{picture}");
        assert_eq!(picture.matches("-->").count(), 1, "{picture}");
    }
}

#[test]
fn pictures_on_a_page_share_no_names() {
    for text in samples() {
        let picture = drawn(&text);
        for name in [" id=", "url(", "href", "class=", "<style", "<script", "://"] {
            assert!(!picture.contains(name), "{name} in {picture}");
        }
    }
}

#[test]
fn all_colours_are_those_of_the_theme() {
    for text in samples() {
        let picture = drawn(&text);
        for attribute in ["fill", "stroke"] {
            let attribute = format!(" {attribute}=\"");
            let values = picture.split(&attribute).skip(1);
            for value in values.filter_map(|rest| rest.split('"').next()) {
                assert!(["none", "currentColor"].contains(&value), "{attribute} {value}");
            }
        }
        assert!(!picture.contains('#'), "{picture}");
        assert_eq!(picture.matches("fill:").count(), 1);
        assert!(picture.contains("fill:var(--code-block-background-color,transparent)"));
    }
}

#[test]
fn it_has_a_role_and_a_label_and_scrolls_where_it_is_wider_than_the_page() {
    let picture = drawn(THREE);
    assert!(picture.contains(r#"role="img" aria-label="State diagram: Line, Leaving, Closed""#));
    assert!(picture.contains("overflow-x:auto") && picture.contains("max-width:100%;min-width:"));
}

#[test]
fn what_a_user_writes_stays_text() {
    let picture = drawn("stateDiagram-v2\nA: <b>#quot;&amp;#38;\nA --> B: </svg><script>*x*`");
    assert!(picture.contains("aria-label=\"State diagram: &lt;b&gt;&quot;&amp;amp;&amp;, B\""));
    assert!(picture.contains(">&lt;b&gt;&quot;&amp;amp;&amp;</text>"));
    assert!(picture.contains(">&lt;/svg&gt;&lt;script&gt;*x*`</text>"));
}

#[test]
fn tags_are_closed_in_order() {
    for text in samples() {
        let picture = drawn(&text);
        let mut open = Vec::new();
        for tag in picture[MARK.len()..].split('<').skip(1) {
            let tag = tag.split('>').next().unwrap();
            if let Some(name) = tag.strip_prefix('/') {
                assert_eq!(open.pop(), Some(name));
            } else if !tag.ends_with('/') {
                open.push(tag.split(' ').next().unwrap());
            }
        }
        assert!(open.is_empty(), "{open:?}");
    }
}

#[test]
fn what_cannot_be_drawn_is_said_in_one_line() {
    let bad = ["", "x", "stateDiagram-v2", "stateDiagram-v2\nnote *left* of A", "\n\n_`\u{0}"];
    for text in bad {
        let picture = picture(text);
        let [MARK, line, MARK] = picture.split('\n').collect::<Vec<_>>()[..] else {
            panic!("{picture}")
        };
        assert!(line.starts_with("*The state diagram could not be drawn: "), "{line}");
        assert!(line.ends_with(".*") && line.matches('*').count() == 2, "{line}");
    }
}

#[test]
fn mutated_texts_are_drawn_or_refused() {
    const PIECES: [&str; 16] = [
        "-->", "[*]", ":", "\n", " ", "A", "Closed", "<br>", "#35;", "\"", "state ", "%%", ",",
        "é", "{", "\u{202e}",
    ];
    let mut dice = Dice::new(7);
    let mut pictures = 0;
    for round in 0..600 {
        let text = [THREE, EIGHT, FIFTEEN, FORTY][round % 4];
        let mut text: Vec<char> = text.chars().collect();
        for _ in 0..=dice.roll(6) {
            let at = dice.roll(text.len());
            match dice.roll(4) {
                0 => drop(text.remove(at)),
                1 => drop(text.drain(at..(at + dice.roll(30)).min(text.len()))),
                2 => text.swap(at, at / 2),
                _ => drop(text.splice(at..at, PIECES[dice.roll(PIECES.len())].chars())),
            }
        }
        let text: String = text.into_iter().collect();
        let picture = picture(&text);
        assert!(!picture.contains("no layout was found"), "{text}");
        pictures += usize::from(picture.contains("<svg"));
    }
    // Enough nodes and edges.
    assert!((100..500).contains(&pictures), "{pictures}");
}

#[test]
fn any_graph_has_a_layout() {
    let mut dice = Dice::new(11);
    for _ in 0..200 {
        let states = 1 + dice.roll(12);
        let mut text = "stateDiagram-v2".to_owned();
        for _ in 0..=dice.roll(40) {
            let name = |n: usize| if n == 0 { "[*]".to_owned() } else { format!("S{n}") };
            let label = ["", ": eof", ": eof, within 30s"][dice.roll(3)];
            let (source, target) = (name(dice.roll(states + 1)), name(dice.roll(states + 1)));
            write!(text, "\n{source} --> {target}{label}").unwrap();
        }
        drawn(&text);
    }
}

#[test]
fn large_machines_are_drawn_in_reasonable_time() {
    // A macro is built without optimization; this is what it takes then.
    let chain: Vec<_> = (0..79).map(|n| format!("S{n} --> S{}: eof\n", n + 1)).collect();
    let texts = [
        machine(60, &mut Dice::new(1)),
        format!("stateDiagram-v2\n{}S0 --> S79\nS79 --> S0", chain.concat()),
    ];
    for text in texts {
        let start = Instant::now();
        let picture = drawn(&text);
        let took = start.elapsed();
        println!("{} edges, {} bytes, {took:?}", text.matches("-->").count(), picture.len());
        assert!(took < Duration::from_secs(60), "{took:?}");
    }
}
