//! Many clients file documents in `docserver` while others read: with a fast and a slow index, with
//! several pools and with one.
//!
//! How long readers wait is for `cargo run --release -p fsm-tests --bin office` to measure.

#![cfg(target_os = "linux")]

use std::time::Duration;

use fsm_tests::{Office, Report, Setting, one_at_a_time};

const OFFICE: Office = Office {
    time: Duration::from_millis(1_500),
    slice: Duration::from_millis(500),
    clients: 40,
    size: 60_000,
    texts: 25,
    rate: Some(40.0),
    readers: 4,
    gets: 100.0,
    queue: 8,
    delay: Duration::from_millis(50),
};

#[test]
fn all_are_filed_once_at_the_same_load() {
    let _turn = one_at_a_time();
    let reports = OFFICE.run(&Setting::ALL);
    println!("{}", Report::HEADS);
    reports.iter().for_each(check);
    // The load is the same, whatever the server.
    assert!(reports.iter().all(|report| report.filed == reports[0].filed));
    assert!(reports.iter().all(|report| report.gets.len() == reports[0].gets.len()));
}

#[test]
fn the_queue_is_bounded_and_nobody_beyond_it_is_turned_away() {
    let _turn = one_at_a_time();
    let office = Office { rate: None, ..OFFICE };
    let slow: Vec<_> = Setting::ALL.into_iter().filter(|setting| setting.is_slow).collect();
    let reports = office.run(&slow);
    println!("{}", Report::HEADS);
    reports.iter().for_each(check);
    // Five times as many clients always have a document for it.
    assert_eq!(reports[0].most, 8);
}

fn check(report: &Report) {
    println!("{report}");
    let Report { setting, filed, failures, gets, most, index, catalog, .. } = report;
    assert!(failures.is_empty(), "{}: {failures:#?}", setting.name);
    assert!(*filed > 0 && !gets.is_empty(), "{}", setting.name);
    if setting.is_single {
        assert_eq!((index.offered, catalog.offered, *most), (0, 0, 0));
        return;
    }
    assert!(*most <= 8, "{}: {most} documents were in the index pool", setting.name);
    let jobs = filed + Office::SMALL;
    assert_eq!((index.offered, index.taken, index.others), (jobs, jobs, 0));
    assert_eq!((catalog.offered, catalog.others), (catalog.taken, 0));
    assert!(catalog.taken > gets.len() as u64);
}
