use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use super::*;

struct Work;

impl Service for Work {
    type Job = u8;
    type Reply = u8;
}

/// Sends bytes to another pool.
#[state_machine(start = Line, eof => Gone)]
enum Asker {
    #[read(exact = 1, within = 10s => Gone)]
    #[to(Body)]
    #[rest]
    Line,
    #[read(exact = 1, within = 30s => Gone)]
    #[to(Asking)]
    Body,
    #[call(Work, within = 8s => Gone, gone => Gone)]
    #[to(Line)]
    Asking,
    #[end]
    Gone,
}

struct Client;

impl asker::Handler for Client {
    fn line(&mut self, _: &[u8; 1], _: &mut Cx<'_>) -> asker::AfterLine {
        asker::AfterLine::Body
    }

    fn body(&mut self, byte: &[u8; 1], _: &mut Cx<'_>) -> asker::AfterBody {
        asker::AfterBody::Asking { job: byte[0] }
    }

    fn asking(&mut self, _: u8, _: &mut Cx<'_>) -> asker::AfterAsking {
        asker::AfterAsking::Line
    }
}

/// Answers datagrams.
#[state_machine(start = Asked)]
enum Echoes {
    #[read(datagram, max = 100, idle = 5s => Over)]
    #[to(Over)]
    Asked,
    #[end]
    Over,
}

struct Peer;

impl echoes::Handler for Peer {
    fn asked(&mut self, _: &[u8], _: &mut Cx<'_>) -> echoes::AfterAsked {
        echoes::AfterAsked::Over
    }
}

fn pools(lines: &str) -> Pipeline {
    let lines = Pool::builder::<Asker>(lines).listen("127.0.0.1:0").handler(|_peer| Client);
    let answers =
        Pool::builder::<Echoes>("answers").listen("udp:127.0.0.1:0").handler(|_peer| Peer);
    let work = Pool::workers::<Work>("work", 1, |byte: u8| byte);
    Pipeline::new().pool(lines).pool(answers).pool(work)
}

/// The names and conditions of the rules of a pool.
fn rules_of(rules: &str, pool: &str) -> Vec<(String, String)> {
    let group =
        rules.split("  - name: ").find(|group| group.starts_with(&format!("\"fsm {pool}\"")));
    let rules = group.unwrap().split("- alert: ").skip(1);
    let line = |rule: &str, key: &str| {
        let mut lines = rule.lines().filter_map(|line| line.trim().strip_prefix(key));
        lines.next().unwrap().to_owned()
    };
    rules.map(|rule| (rule.lines().next().unwrap().to_owned(), line(rule, "expr: "))).collect()
}

#[test]
fn v7_each_pool_has_the_rules_that_its_machine_needs() {
    let rules = pools("lines").alert_rules();
    let names =
        |pool| -> Vec<String> { rules_of(&rules, pool).into_iter().map(|rule| rule.0).collect() };
    let common = ["FsmPoolFull", "FsmThreadStuck", "FsmHandlerFailed", "FsmPeersDoNotRead"];
    let with = |more: &[&'static str]| [&common[..], more].concat();
    // A state at rest may last.
    assert_eq!(
        names("lines"),
        with(&[
            "FsmNoDescriptor",
            "FsmShedding",
            "FsmStateLate",
            "FsmDeadlinesPassed",
            "FsmStateLate",
            "FsmDeadlinesPassed",
        ])
    );
    assert_eq!(names("answers"), with(&["FsmNoDescriptor", "FsmDatagramsDropped"]));
    assert_eq!(names("work"), with(&["FsmWaitForRoom", "FsmRefused"]));
    let late = rules_of(&rules, "lines").into_iter().filter(|rule| rule.0 == "FsmStateLate");
    let late: Vec<String> = late.map(|rule| rule.1).collect();
    let late_in = |state, half| {
        let labels = format!(r#"pool=\"lines\",state=\"{state}\""#);
        format!("\"min_over_time(fsm_state_oldest_seconds{{{labels}}}[5m]) > {half}\"")
    };
    assert_eq!(late, [late_in("Body", 15), late_in("Asking", 4)]);
}

#[test]
fn v7_the_console_has_the_same_rules_and_all_their_metrics() {
    let pipeline = pools("lines");
    let rules = pipeline.alert_rules();
    let running = pipeline.console("127.0.0.1:0").start().unwrap();
    let console = running.console().unwrap().to_string();
    let get = |path: &str| ask(&console, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n"));
    assert_eq!(get("/rules").body, rules);
    let metrics = get("/metrics").body;
    let words = rules.split(|c: char| !c.is_ascii_lowercase() && c != '_');
    let names: BTreeSet<&str> = words.filter(|word| word.starts_with("fsm_")).collect();
    assert!(names.len() >= 8, "{names:?}");
    for name in names {
        assert!(metrics.contains(&format!("# TYPE {name} ")), "no {name} in {metrics}");
    }
    running.drain().unwrap();
}

/// Runs `promtool` in a directory. Returns false if there is none, which is a failure with `CI` set.
fn promtool(directory: &Path, arguments: &[&str]) -> bool {
    let promtool = Command::new("promtool")
        .args(arguments)
        .current_dir(directory)
        .stdin(Stdio::null())
        .output();
    let Ok(output) = promtool else {
        assert!(std::env::var_os("CI").is_none(), "promtool is missing");
        eprintln!(
            "SKIPPED: promtool is missing, so the alert rules were not checked; it is in `prometheus`"
        );
        return false;
    };
    assert!(output.status.success(), "{output:?}");
    true
}

#[test]
fn v7_prometheus_takes_the_rules_and_alerts_as_they_say() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("rules.yml"), pools("lines").alert_rules()).unwrap();
    std::fs::write(path("cases.yml"), include_str!("rules_test.yml")).unwrap();
    if promtool(directory.path(), &["check", "rules", "--lint-fatal", "rules.yml"]) {
        promtool(directory.path(), &["test", "rules", "cases.yml"]);
    }
}

#[test]
fn v7_an_odd_name_of_a_pool_is_text_in_the_rules() {
    let directory = tempfile::tempdir().unwrap();
    let rules = pools("a \"b\"\\ {{ .Value }} #c: é\n- x").alert_rules();
    std::fs::write(directory.path().join("rules.yml"), &rules).unwrap();
    assert!(!rules.lines().any(|line| line.starts_with("- x")), "{rules}");
    promtool(directory.path(), &["check", "rules", "--lint-fatal", "rules.yml"]);
}
