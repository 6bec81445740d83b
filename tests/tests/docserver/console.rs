//! The console of `docserver`, with curl and a real browser.
//!
//! With `FSM_PICTURES=/some/directory` the tests save screenshots there.

use std::env;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::Command;

use fsm_tests::{Browser, Docserver, RunOutput, TIMEOUT, TempDir, client, eventually, run};

const OPTIONS: [&str; 4] = ["--console", "127.0.0.1:0", "--console-token", "secret"];

/// The address of the console, which is logged after that of the server.
fn console(docs: &Docserver) -> String {
    docs.server().logs("pool=\"console\"");
    docs.server().addresses().last().expect("it listens").to_string()
}

/// A client that has sent a part of an upload.
fn stuck_upload(docs: &Docserver) -> TcpStream {
    let mut stream = TcpStream::connect(docs.server().address()).expect("it listens");
    stream.set_read_timeout(Some(TIMEOUT)).expect("a timeout can be set");
    let head = "PUT /docs/stuck HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
    stream.write_all(format!("{head}a part").as_bytes()).expect("it takes a part");
    stream
}

fn curl(options: &[&str]) -> RunOutput {
    run(Command::new("curl").args(["-sS", "--max-time", "20"]).args(options), TIMEOUT)
}

#[test]
fn v6_a_stuck_upload_is_found_and_ended_with_curl() {
    if client("curl").is_none() {
        return;
    }
    let docs = Docserver::new(&OPTIONS);
    let console = console(&docs);
    let mut stuck = stuck_upload(&docs);
    let peer = stuck.local_addr().expect("it is connected").to_string();
    let url = format!("http://{console}/connections?older=300ms&peer={peer}");
    let mut line = String::new();
    eventually("the upload is found", || {
        line = curl(&["-H", "Accept: text/plain", &url]).stdout;
        line.contains(&peer)
    });
    assert!(line.contains(": waits for read("), "{line}");
    let key = line.split_whitespace().next().expect("a key");
    let end = format!("http://{console}/connections/{key}/end");
    let status = ["-o", "/dev/null", "-w", "%{http_code}", "-X", "POST"];
    let post = |fields: &[&str]| curl(&[&status, fields, &[&*end]].concat()).stdout;
    assert_eq!(post(&[]), "401");
    assert_eq!(post(&["-H", "X-Console-Token: secret"]), "200");
    assert!(!matches!(stuck.read(&mut [0]), Ok(1..)));
    eventually("no file of it is left", || docs.temporary() == 0);
    assert_eq!(post(&["-H", "X-Console-Token: secret"]), "410");
    // A host that a page of somebody else would have.
    assert_eq!(curl(&[&status[..4], &["-H", "Host: evil.example", &*url]].concat()).stdout, "421");
    docs.stop();
}

#[test]
fn v6_curl_shows_frames_of_text() {
    if client("curl").is_none() {
        return;
    }
    let docs = Docserver::new(&OPTIONS);
    let port = console(&docs).rsplit_once(':').expect("a port").1.to_owned();
    let stuck = stuck_upload(&docs);
    let ran = run(
        Command::new("curl").args(["-sN", "--max-time", "3", &format!("localhost:{port}/top")]),
        TIMEOUT,
    );
    assert!(ran.stdout.matches("\x1b[H").count() >= 2, "{ran:?}");
    assert!(ran.stdout.contains("spool") && ran.stdout.contains("1 open"), "{}", ran.stdout);
    drop(stuck);
    docs.stop();
}

/// The text that the page shows for the connections of a state.
const TASKS: &str = "document.getElementById('tasks').textContent";

#[test]
fn v6_the_page_shows_states_and_ends_a_connection() {
    let Some(mut browser) = Browser::new() else { return };
    let docs = Docserver::new(&OPTIONS);
    let stuck = stuck_upload(&docs);
    let peer = stuck.local_addr().expect("it is connected").to_string();
    browser.open(&format!("http://{}/", console(&docs)));
    browser.wait_until("document.querySelectorAll('#pools .card').length === 5");
    let there = "[...document.querySelectorAll('.card[data-pool=spool] .state')]\
                 .filter(row => row.children[1].textContent === '1')";
    browser.wait_until(&format!("{there}.length === 1"));
    assert_eq!(browser.text("document.querySelectorAll('#flow li').length > 1"), "true");
    browser.script(&format!("{there}[0].click()"));
    browser
        .wait_until(&format!("{TASKS}.includes('{peer}') && {TASKS}.includes('waits for read')"));
    pictures(&mut browser);
    browser.click("#tasks button.plain");
    browser.wait_until(&format!("{TASKS}.includes('keeps no history')"));

    browser.type_into("#peer", "10.");
    browser.wait_until(&format!("!{TASKS}.includes('{peer}')"));
    browser.script("peer.value = ''; peer.oninput()");
    browser.wait_until(&format!("{TASKS}.includes('{peer}')"));
    browser.type_into("#token", "secre");
    browser.click("#tasks td:last-child button");
    browser.wait_until("said.textContent.includes('goes on')");
    browser.type_into("#token", "t");
    browser.click("#tasks td:last-child button");
    browser.wait_until("said.textContent.includes(' ends.')");
    browser.wait_until(&format!("!{TASKS}.includes('{peer}')"));
    docs.stop();
}

/// Saves screenshots, and checks that the page is not wider than the screen.
fn pictures(browser: &mut Browser) {
    let directory = env::var_os("FSM_PICTURES").map(PathBuf::from);
    let scratch = TempDir::new("pictures");
    for (width, is_dark) in [(400, false), (400, true), (1400, false), (1400, true)] {
        browser.set_screen(width, 1400, is_dark);
        browser.wait_until("document.documentElement.scrollWidth <= innerWidth");
        let scheme = if is_dark { "dark" } else { "light" };
        let directory = directory.as_deref().unwrap_or(scratch.path());
        browser.screenshot(&directory.join(format!("console-{width}-{scheme}.png")));
    }
}
