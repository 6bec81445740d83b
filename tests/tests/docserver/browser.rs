//! The page of `docserver` in a real browser.
//!
//! With `FSM_PICTURES=/some/directory` the tests save screenshots there.

use std::env;
use std::path::PathBuf;

use fsm_tests::{Browser, Docserver, TempDir};

/// Records the page's status while a file is uploaded, because it changes too fast for polling.
const WATCH: &str = "
    window.seen = [];
    const progress = document.getElementById('progress'), status = document.getElementById('status');
    const note = () => window.seen.push({
        shown: !progress.hidden, value: progress.getAttribute('value'), status: status.textContent,
    });
    for (const node of [progress, status])
        new MutationObserver(note).observe(node, { attributes: true, childList: true });
";
/// Expressions for the text of elements.
const ROWS: &str = "document.getElementById('docs').textContent";
const EVENTS: &str = "document.getElementById('events').textContent";
const STATUS: &str = "document.getElementById('status').textContent";

#[test]
fn a_file_is_uploaded_listed_found_announced_and_deleted() {
    let Some(mut browser) = Browser::new() else { return };
    let docs = Docserver::new(&[]);
    let files = TempDir::new("files");
    browser.open(&docs.url("/"));
    browser.wait_until("document.getElementById('live').textContent === 'live'");
    browser.script(WATCH);

    // Pick a file.
    let text = "The quick brown fox jumps. ".repeat(200_000);
    let picked = files.write("fox & hounds.txt", &text);
    browser.type_into("#file", picked.to_str().expect("a path in UTF-8"));
    browser.wait_until(&format!("{STATUS} === 'fox & hounds.txt was filed.'"));
    let seen = browser.script("return window.seen");
    let seen = seen.as_array().expect("a list");
    let sent = |note: &&serde_json::Value| note["shown"] == true && !note["value"].is_null();
    assert!(seen.iter().any(|note| sent(&note)), "no progress was shown: {seen:?}");
    let said = |text: &str| seen.iter().any(|note| note["status"] == text);
    assert!(said("Sending fox & hounds.txt …") && said("Filing fox & hounds.txt …"), "{seen:?}");
    browser.wait_until("document.getElementById('progress').hidden");
    browser.wait_until(&format!("{ROWS}.includes('fox & hounds.txt5.1 MiB')"));
    browser.wait_until(&format!("{EVENTS}.includes('fox & hounds.txt was filed, 5.1 MiB')"));
    assert_eq!(docs.get("/docs/fox%20%26%20hounds.txt").expect(200).body, text.as_bytes());

    // Drop files, one of which replaces a document.
    browser.script(
        "const transfer = new DataTransfer();
         transfer.items.add(new File(['a lazy dog'], 'fox & hounds.txt'));
         transfer.items.add(new File(['another'], 'another.txt'));
         document.getElementById('drop').dispatchEvent(
             new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));",
    );
    browser.wait_until(&format!("{STATUS} === 'another.txt was filed.'"));
    browser.wait_until(&format!("{EVENTS}.includes('fox & hounds.txt was replaced, 10 B')"));
    browser.wait_until("document.getElementById('docs').children.length === 2");
    assert!(browser.text(ROWS).starts_with("another.txt7 B"), "{}", browser.text(ROWS));

    // Search.
    browser.type_into("#query", "laz");
    browser.wait_until("document.querySelectorAll('#results li').length === 1");
    browser.wait_until("document.querySelector('#results mark')?.textContent === 'lazy'");
    assert_eq!(browser.text("document.querySelector('#results p').textContent"), "a lazy dog");
    browser.type_into("#query", "nowhere");
    browser.wait_until("document.getElementById('results').textContent === 'No document matches.'");

    // The page shows changes by other clients.
    docs.put("theirs.txt", b"words").expect(201);
    browser.wait_until(&format!("{ROWS}.includes('theirs.txt')"));
    browser.wait_until(&format!("{EVENTS}.includes('theirs.txt was filed, 5 B')"));

    // Delete a document.
    browser.click("[data-name='another.txt'] button");
    assert_eq!(browser.accept(), "Delete another.txt?");
    browser.wait_until(&format!("{STATUS} === 'another.txt was deleted.'"));
    browser.wait_until(&format!("!{ROWS}.includes('another.txt')"));
    docs.get("/docs/another.txt").expect(404);
    drop(browser);
    docs.stop();
}

#[test]
fn hostile_texts_and_errors_are_shown_as_text() {
    let Some(mut browser) = Browser::new() else { return };
    let docs = Docserver::new(&["--max-size", "1MB"]);
    let files = TempDir::new("files");
    browser.open(&docs.url("/"));
    browser.wait_until("document.getElementById('live').textContent === 'live'");

    let hostile = "<img src=x onerror=\"window.hacked = 1\"> & 'quotes'.txt";
    let picked =
        files.write(hostile, format!("look: {hostile} <script>window.hacked = 2</script>"));
    browser.type_into("#file", picked.to_str().expect("a path in UTF-8"));
    browser.wait_until(&format!("{EVENTS}.includes({hostile:?} + ' was filed')"));
    assert!(browser.text(ROWS).starts_with(hostile), "{}", browser.text(ROWS));
    assert_eq!(browser.text(STATUS), format!("{hostile} was filed."));
    browser.type_into("#query", "onerror");
    browser.wait_until("document.querySelector('#results p mark')?.textContent === 'onerror'");
    let snippet = browser.text("document.querySelector('#results p').textContent");
    assert!(snippet.contains(hostile) && snippet.contains("<script>"), "{snippet}");

    let large = files.write("large.bin", vec![0; 1_000_001]);
    browser.type_into("#file", large.to_str().expect("a path in UTF-8"));
    browser.wait_until("document.getElementById('status').classList.contains('bad')");
    let said = browser.text(STATUS);
    assert!(said.starts_with("large.bin was not filed: ") && said.contains("too large"), "{said}");
    assert!(!browser.text(ROWS).contains("large.bin"));
    browser.wait_until("document.getElementById('progress').hidden");

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
        browser.wait_until("document.querySelectorAll('#results li').length === 3");
        for (width, height) in [(1200, 1900), (360, 2600)] {
            for is_dark in [false, true] {
                browser.set_screen(width, height, is_dark);
                let name = format!("{width}-{}.png", if is_dark { "dark" } else { "light" });
                browser.screenshot(&directory.join(name));
            }
        }
    }
    drop(browser);
    docs.stop();
}
