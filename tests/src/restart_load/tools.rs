use std::process::Command;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::{TIMEOUT, client, run};

/// `wrk` and `h2load`, which ask all the time.
pub(super) struct Tools {
    wrk: JoinHandle<String>,
    h2load: JoinHandle<String>,
}

impl Tools {
    pub(super) fn start(url: &str, takes: Duration) -> Self {
        let seconds = takes.as_secs().max(1);
        let (wrk_url, h2load_url) = (url.to_owned(), url.to_owned());
        let wrk = thread::spawn(move || {
            let Some(wrk) = client("wrk") else { return "-".to_owned() };
            let mut command = Command::new(wrk);
            let time = format!("-d{seconds}s");
            command.args(["-t1", "-c20", &time, "--timeout", "10s", &wrk_url]);
            summary_of_wrk(&run(&mut command, takes + TIMEOUT).stdout)
        });
        let h2load = thread::spawn(move || {
            let Some(h2load) = client("h2load") else { return "-".to_owned() };
            let mut command = Command::new(h2load);
            command.args(["--h1", "-t1", "-c20", "-D", &seconds.to_string(), &h2load_url]);
            summary_of_h2load(&run(&mut command, takes + TIMEOUT).stdout)
        });
        Self { wrk, h2load }
    }

    /// Their counts.
    pub(super) fn finish(self) -> (String, String) {
        let text = |thread: JoinHandle<String>| thread.join().unwrap_or_else(|_| "-".to_owned());
        (text(self.wrk), text(self.h2load))
    }
}

fn summary_of_wrk(output: &str) -> String {
    let find = |start| output.lines().find_map(|line| line.trim().strip_prefix(start));
    let done = output.lines().find_map(|line| line.trim().split_once(" requests in "));
    let done = done.map_or("?", |(count, _)| count);
    let errors = find("Socket errors: ").unwrap_or("no errors");
    let others = find("Non-2xx or 3xx responses: ");
    let others = others.map(|count| format!(", {count} other answers")).unwrap_or_default();
    format!("{done}, {errors}{others}")
}

fn summary_of_h2load(output: &str) -> String {
    let line = output.lines().find_map(|line| line.strip_prefix("requests: "));
    let counts = line.into_iter().flat_map(|line| line.split(", "));
    let kept = ["succeeded", "failed", "errored", "timeout"];
    let kept = counts.filter(|count| kept.iter().any(|kind| count.ends_with(kind)));
    kept.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_counts_of_the_tools_are_found() {
        let wrk = "  9 requests in 1.00s, 1MB read\n  Socket errors: connect 0, read 3, write 0, timeout 0\n";
        assert_eq!(summary_of_wrk(wrk), "9, connect 0, read 3, write 0, timeout 0");
        assert_eq!(summary_of_wrk("  5 requests in 1.00s, 1MB read\n"), "5, no errors");
        let h2load =
            "requests: 9 total, 9 started, 9 done, 8 succeeded, 1 failed, 1 errored, 0 timeout\n";
        assert_eq!(summary_of_h2load(h2load), "8 succeeded, 1 failed, 1 errored, 0 timeout");
    }
}
