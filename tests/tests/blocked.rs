//! A short run of `blocked`, which measures how much blocking handlers hold up others.

#![cfg(target_os = "linux")]

use std::process::Command;
use std::time::Duration;

use fsm_tests::{one_at_a_time, run};

#[test]
fn the_block_test_measures_all_servers() {
    let _exclusive = one_at_a_time();
    let mut blocked = Command::new(env!("CARGO_BIN_EXE_blocked"));
    blocked.args(["--seconds", "0.3", "--rounds", "1"]);
    let ran = run(&mut blocked, Duration::from_secs(60));
    assert!(ran.status.success(), "{ran:?}");
    println!("{}", ran.stdout);
    let rows: Vec<Vec<&str>> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with("| "))
        .skip(1)
        .map(|line| line.split('|').map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(rows.len(), 5, "{}", ran.stdout);
    for row in rows {
        let [server, numbers @ ..] = &row[..] else { panic!("{row:?}") };
        assert_eq!(numbers.len(), 4, "{row:?}");
        for number in numbers {
            let number = number.strip_suffix(" ms").unwrap_or(number);
            let number: f64 = number.parse().unwrap_or_else(|_| panic!("{number} of {server}"));
            assert!(number > 0.0 && number.is_finite(), "{number} of {server}");
        }
    }
}
