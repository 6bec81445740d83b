//! The page of `docserver` in a real browser.
//!
//! `FSM_PICTURES=/some/directory` saves pictures of the page there.

#![cfg(unix)]

use std::env;
use std::path::PathBuf;

use fsm_tests::{Browser, Docs, Scratch};

/// Notes what the page says while a file is sent, which is over too soon to be looked at.
const WATCH: &str = "
    window.seen = [];
    const progress = document.getElementById('progress'), status = document.getElementById('status');
    const note = () => window.seen.push({
        shown: !progress.hidden, value: progress.getAttribute('value'), status: status.textContent,
    });
    for (const node of [progress, status])
        new MutationObserver(note).observe(node, { attributes: true, childList: true });
";
/// The text of an element.
const ROWS: &str = "document.getElementById('docs').textContent";
const EVENTS: &str = "document.getElementById('events').textContent";
const STATUS: &str = "document.getElementById('status').textContent";

#[test]
fn a_file_is_sent_listed_found_told_of_and_deleted() {
    let Some(mut browser) = Browser::new() else { return };
    let docs = Docs::new(&[]);
    let files = Scratch::new("files");
    browser.open(&docs.url("/"));
    browser.until("document.getElementById('live').textContent === 'live'");
    browser.script(WATCH);

    // Picked.
    let text = "The quick brown fox jumps. ".repeat(200_000);
    let picked = files.write("fox & hounds.txt", &text);
    browser.type_into("#file", picked.to_str().expect("a path in UTF-8"));
    browser.until(&format!("{STATUS} === 'fox & hounds.txt was filed.'"));
    let seen = browser.script("return window.seen");
    let seen = seen.as_array().expect("a list");
    let sent = |note: &&serde_json::Value| note["shown"] == true && !note["value"].is_null();
    assert!(seen.iter().any(|note| sent(&note)), "no progress was shown: {seen:?}");
    let said = |text: &str| seen.iter().any(|note| note["status"] == text);
    assert!(said("Sending fox & hounds.txt …") && said("Filing fox & hounds.txt …"), "{seen:?}");
    browser.until("document.getElementById('progress').hidden");
    browser.until(&format!("{ROWS}.includes('fox & hounds.txt5.1 MiB')"));
    browser.until(&format!("{EVENTS}.includes('fox & hounds.txt was filed, 5.1 MiB')"));
    assert_eq!(docs.get("/docs/fox%20%26%20hounds.txt").expect(200).body, text.as_bytes());

    // Dropped, and it replaces what was there.
    browser.script(
        "const transfer = new DataTransfer();
         transfer.items.add(new File(['a lazy dog'], 'fox & hounds.txt'));
         transfer.items.add(new File(['another'], 'another.txt'));
         document.getElementById('drop').dispatchEvent(
             new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));",
    );
    browser.until(&format!("{STATUS} === 'another.txt was filed.'"));
    browser.until(&format!("{EVENTS}.includes('fox & hounds.txt was replaced, 10 B')"));
    browser.until("document.getElementById('docs').children.length === 2");
    assert!(browser.text(ROWS).starts_with("another.txt7 B"), "{}", browser.text(ROWS));

    // Found.
    browser.type_into("#query", "laz");
    browser.until("document.querySelectorAll('#results li').length === 1");
    browser.until("document.querySelector('#results mark')?.textContent === 'lazy'");
    assert_eq!(browser.text("document.querySelector('#results p').textContent"), "a lazy dog");
    browser.type_into("#query", "nowhere");
    browser.until("document.getElementById('results').textContent === 'No document matches.'");

    // What others do is told of.
    docs.put("theirs.txt", b"words").expect(201);
    browser.until(&format!("{ROWS}.includes('theirs.txt')"));
    browser.until(&format!("{EVENTS}.includes('theirs.txt was filed, 5 B')"));

    // Deleted.
    browser.click("[data-name='another.txt'] button");
    assert_eq!(browser.accept(), "Delete another.txt?");
    browser.until(&format!("{STATUS} === 'another.txt was deleted.'"));
    browser.until(&format!("!{ROWS}.includes('another.txt')"));
    docs.get("/docs/another.txt").expect(404);
    drop(browser);
    docs.stop();
}

#[test]
fn what_is_hostile_or_wrong_is_shown_as_text() {
    let Some(mut browser) = Browser::new() else { return };
    let docs = Docs::new(&["--max-size", "1MB"]);
    let files = Scratch::new("files");
    browser.open(&docs.url("/"));
    browser.until("document.getElementById('live').textContent === 'live'");

    let hostile = "<img src=x onerror=\"window.hacked = 1\"> & 'quotes'.txt";
    let picked =
        files.write(hostile, format!("look: {hostile} <script>window.hacked = 2</script>"));
    browser.type_into("#file", picked.to_str().expect("a path in UTF-8"));
    browser.until(&format!("{EVENTS}.includes({hostile:?} + ' was filed')"));
    assert!(browser.text(ROWS).starts_with(hostile), "{}", browser.text(ROWS));
    assert_eq!(browser.text(STATUS), format!("{hostile} was filed."));
    browser.type_into("#query", "onerror");
    browser.until("document.querySelector('#results p mark')?.textContent === 'onerror'");
    let snippet = browser.text("document.querySelector('#results p').textContent");
    assert!(snippet.contains(hostile) && snippet.contains("<script>"), "{snippet}");

    let large = files.write("large.bin", vec![0; 1_000_001]);
    browser.type_into("#file", large.to_str().expect("a path in UTF-8"));
    browser.until("document.getElementById('status').classList.contains('bad')");
    let said = browser.text(STATUS);
    assert!(said.starts_with("large.bin was not filed: ") && said.contains("too large"), "{said}");
    assert!(!browser.text(ROWS).contains("large.bin"));
    browser.until("document.getElementById('progress').hidden");

    assert_eq!(browser.text("window.hacked"), "undefined");
    assert_eq!(browser.text("document.querySelectorAll('img, main script').length"), "0");

    if let Some(directory) = env::var_os("FSM_PICTURES").map(PathBuf::from) {
        for number in 0..15 {
            let text = "A report on foxes, hounds and what they do to each other. ".repeat(9);
            let text = if number < 3 { text } else { "short".repeat(number) };
            docs.put(&format!("report%20{number:02}.md"), text.as_bytes()).expect(201);
        }
        browser.script("document.getElementById('query').value = ''");
        browser.type_into("#query", "fox");
        browser.until("document.querySelectorAll('#results li').length === 3");
        for (width, height) in [(1200, 1900), (360, 2600)] {
            for is_dark in [false, true] {
                browser.look(width, height, is_dark);
                let name = format!("{width}-{}.png", if is_dark { "dark" } else { "light" });
                browser.picture(&directory.join(name));
            }
        }
    }
    drop(browser);
    docs.stop();
}
