//! `docserver` keeps all documents while many clients file and others read, with a fast and a slow
//! index, with several pools and with one.
//!
//! `cargo run --release -p fsm-tests --bin filing_load` measures the latencies.

use std::time::Duration;

use fsm_tests::{FilingLoad, Report, Setting, all_in_ci, one_at_a_time};

/// Two slices of time for each setting, or three longer ones and a slower index with `CI`.
fn load() -> FilingLoad {
    let (time, slice, delay) = all_in_ci((1_500, 500, 50), (300, 150, 15));
    FilingLoad {
        time: Duration::from_millis(time),
        slice: Duration::from_millis(slice),
        clients: 40,
        size: 60_000,
        texts: 25,
        rate: Some(40.0),
        readers: 4,
        gets: 100.0,
        queue: 8,
        delay: Duration::from_millis(delay),
    }
}

#[test]
fn all_settings_file_each_document_once_at_the_same_load() {
    let _exclusive = one_at_a_time();
    let reports = load().run(&Setting::ALL);
    println!("{}", Report::HEADER);
    reports.iter().for_each(check);
    // The load does not depend on the server.
    assert!(reports.iter().all(|report| report.filed == reports[0].filed));
    assert!(reports.iter().all(|report| report.gets.len() == reports[0].gets.len()));
}

#[test]
fn the_queue_is_bounded_and_clients_beyond_it_wait() {
    let _exclusive = one_at_a_time();
    let load = FilingLoad { rate: None, ..load() };
    let slow: Vec<_> = Setting::ALL.into_iter().filter(|setting| setting.is_slow).collect();
    let reports = load.run(&slow);
    println!("{}", Report::HEADER);
    reports.iter().for_each(check);
    // Five times as many clients always have a document to file.
    assert_eq!(reports[0].peak, 8);
}

fn check(report: &Report) {
    println!("{report}");
    let Report { setting, filed, failures, gets, peak, index, catalog, .. } = report;
    assert!(failures.is_empty(), "{}: {failures:#?}", setting.name);
    assert!(*filed > 0 && !gets.is_empty(), "{}", setting.name);
    if setting.is_single {
        assert_eq!((index.offered, catalog.offered, *peak), (0, 0, 0));
        return;
    }
    assert!(*peak <= 8, "{}: {peak} documents were in the index pool", setting.name);
    let jobs = filed + FilingLoad::SMALL;
    assert_eq!((index.offered, index.taken, index.others), (jobs, jobs, 0));
    assert_eq!((catalog.offered, catalog.others), (catalog.taken, 0));
    assert!(catalog.taken > gets.len() as u64);
}
