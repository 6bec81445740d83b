//! Certificates that are renewed while clients connect.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use fsm_tests::{Docserver, all_in_ci, eventually};

use super::Authority;
use super::stream::ask;

/// The renewals, each of which SIGHUP announces.
const ROUNDS: usize = 20;

#[test]
fn no_client_notices_that_certificates_are_read_again() {
    let authority = Authority::new();
    let docs = Docserver::new(&authority.here().options());
    let (address, config) = (docs.server().address(), authority.client());
    let read = || docs.server().log().matches("the certificates were read again").count();
    let (over, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let answer = ask(address, &config, "/docs");
                    let (answer, _) = answer.expect("each request should be answered");
                    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 1..=ROUNDS {
            let before = answers.load(Ordering::Relaxed);
            let renewed = authority.here();
            docs.server().signal("HUP");
            eventually("the certificates are read again", || read() == round);
            let (_, seen) = ask(address, &config, "/docs").expect("an answer");
            assert_eq!(seen, renewed.certificate, "the next handshake has the new one");
            eventually("clients go on", || answers.load(Ordering::Relaxed) > before);
        }
        over.store(true, Ordering::Relaxed);
    });
    assert!(answers.into_inner() > ROUNDS * all_in_ci(4, 1));
    docs.stop();
}

#[test]
fn files_that_cannot_be_used_change_nothing() {
    let authority = Authority::new();
    let identity = authority.here();
    let docs = Docserver::new(&identity.options());
    std::fs::write(&identity.chain, "nonsense").expect("it can be written");
    docs.server().signal("HUP");
    docs.server().logs("the certificates stay as they are");
    let (_, seen) = ask(docs.server().address(), &authority.client(), "/docs").expect("an answer");
    assert_eq!(seen, identity.certificate);
    drop(docs);
}
