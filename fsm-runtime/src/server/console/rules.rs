//! Alert rules for Prometheus, made from the machines of a pipeline.
//!
//! [`of_pool`] and [`of_state`] are the tables. A rule is one line of them, about metrics of
//! [`metrics`](super::metrics), and is left out where it cannot apply.

use std::fmt::Write;

use serde_json::Value;

use super::metrics::escaped;
use crate::spec::{Features, Starts};
use crate::{Spec, State, Trigger};

/// A pool whose rules are printed.
pub(crate) struct PoolRules<'a> {
    pub(crate) name: &'a str,
    pub(crate) spec: &'static Spec,
    /// Whether other pools give it jobs or connections.
    pub(crate) has_callers: bool,
}

/// A condition that somebody should look at.
struct Rule {
    name: &'static str,
    /// In the language of Prometheus.
    condition: String,
    /// For how long the condition holds before there is an alert.
    holds: &'static str,
    severity: Severity,
    /// The state that it is about, if not about the whole pool.
    state: Option<&'static str>,
    /// Names are in it as labels of the alert, because braces in a name would be a template.
    summary: String,
    /// The place to look at first.
    look: String,
}

#[derive(Clone, Copy)]
enum Severity {
    /// Clients are affected now.
    Critical,
    Warning,
}

/// Prints a file of rules, with a group for each pool.
pub(crate) fn print<'a>(pools: impl Iterator<Item = PoolRules<'a>>) -> String {
    let mut text =
        "# Alert rules for Prometheus, made from the machines of the pools.\ngroups:\n".to_owned();
    for pool in pools {
        let _ = writeln!(text, "  - name: {}\n    rules:", quoted(&format!("fsm {}", pool.name)));
        let states = pool.spec.states.iter().flat_map(|state| of_state(&pool, state));
        for rule in of_pool(&pool).into_iter().chain(states) {
            rule.print(pool.name, &mut text);
        }
    }
    text
}

impl PoolRules<'_> {
    /// The series of the pool.
    fn series(&self, metric: &str) -> String {
        format!("{metric}{{pool=\"{}\"}}", escaped(self.name))
    }
}

/// The condition that a counter has grown in the last minutes.
fn grown(series: &str) -> String {
    format!("increase({series}[5m]) > 0")
}

/// The rules about a pool.
fn of_pool(pool: &PoolRules<'_>) -> Vec<Rule> {
    let series = |metric: &str| pool.series(metric);
    let name = escaped(pool.name);
    let of = |metric: &str, more: &str| format!("{metric}{{pool=\"{name}\",{more}}}");
    let mut rules = vec![
        Rule::about_the_pool(
            "FsmPoolFull",
            format!("{} >= {}", series("fsm_room_taken"), series("fsm_room")),
            "1m",
            Severity::Critical,
            "pool {{ $labels.pool }} has no room",
            "the states with the most connections on the page or in /top; max_connections or max_jobs",
        ),
        Rule::about_the_pool(
            "FsmThreadStuck",
            format!("{} > 5", series("fsm_handler_running_seconds")),
            "15s",
            Severity::Critical,
            "a handler of pool {{ $labels.pool }} has not returned for {{ $value | humanizeDuration }}",
            "/threads names the thread, the state and the key",
        ),
        Rule::about_the_pool(
            "FsmHandlerFailed",
            grown(&of("fsm_ended_total", "reason=~\"panicked|busy_loop\"")),
            "0s",
            Severity::Critical,
            "a handler of pool {{ $labels.pool }} panicked or ran in an endless loop",
            "the errors in the log, which name the state and the key",
        ),
        Rule::about_the_pool(
            "FsmPeersDoNotRead",
            format!(
                "sum without (reason) (rate({}[5m])) > 0.05 * sum without (reason) (rate({}[5m]))",
                of("fsm_ended_total", "reason=\"send_timeout\""),
                series("fsm_ended_total"),
            ),
            "5m",
            Severity::Warning,
            "more than a twentieth of the connections of pool {{ $labels.pool }} ended because the peer did not read",
            "send_timeout and output_mark of the pool; the peers in /connections",
        ),
    ];
    if pool.has_callers {
        rules.push(Rule::about_the_pool(
            "FsmWaitForRoom",
            format!("{} > 0", series("fsm_offers_waiting")),
            "1m",
            Severity::Warning,
            "{{ $value }} jobs or connections wait for room in pool {{ $labels.pool }}",
            "/threads for what its handlers do, and /connections for those that wait",
        ));
        rules.push(Rule::about_the_pool(
            "FsmRefused",
            grown(&of("fsm_offers_total", "outcome=\"refused\"")),
            "0s",
            Severity::Warning,
            "pool {{ $labels.pool }} refused jobs or connections because it was full",
            "its room, its threads, and the full edges of its callers",
        ));
    }
    rules.extend(of_sockets(pool));
    rules
}

/// The rules about the sockets of a pool.
fn of_sockets(pool: &PoolRules<'_>) -> Vec<Rule> {
    let series = |metric: &str| pool.series(metric);
    let mut rules = Vec::new();
    if pool.spec.starts == Starts::Connection {
        rules.push(Rule::about_the_pool(
            "FsmNoDescriptor",
            grown(&series("fsm_accept_failures_total")),
            "0s",
            Severity::Critical,
            "pool {{ $labels.pool }} could not accept a connection, because no file descriptor was free",
            "the limit of open files of the process",
        ));
        if pool.spec.states.iter().any(|state| state.rest && !state.keep) {
            rules.push(Rule::about_the_pool(
                "FsmShedding",
                grown(&series("fsm_connections_shed_total")),
                "5m",
                Severity::Warning,
                "new connections of pool {{ $labels.pool }} take the places of those at rest",
                "max_connections of the pool, or the limit of open files of the process",
            ));
        }
    }
    if pool.spec.uses(Features::JOBS) || pool.spec.uses(Features::OTHER) {
        rules.push(Rule::about_the_pool(
            "FsmTargetsUnreachable",
            format!("rate({}[5m]) > 0.1", series("fsm_connect_failures_total")),
            "5m",
            Severity::Warning,
            "pool {{ $labels.pool }} fails to connect to a target again and again",
            "the targets of the pool, and its log",
        ));
    }
    if pool.spec.uses(Features::DATAGRAMS) {
        rules.push(Rule::about_the_pool(
            "FsmDatagramsDropped",
            format!("rate({}[5m]) > 1", series("fsm_datagrams_dropped_total")),
            "5m",
            Severity::Warning,
            "pool {{ $labels.pool }} drops datagrams",
            "max_connections of the pool, and what its handlers do",
        ));
    }
    rules
}

/// The rules about a state.
fn of_state(pool: &PoolRules<'_>, state: &'static State) -> Vec<Rule> {
    let labels = format!("pool=\"{}\",state=\"{}\"", escaped(pool.name), escaped(state.name));
    let within = state.edges.iter().find_map(|edge| match edge.on {
        Trigger::Within(time) => Some((time, pool.spec.states[edge.target].name)),
        _ => None,
    });
    let mut rules = Vec::new();
    if let Some((time, late)) = within.filter(|_| !state.rest) {
        let limit = time.as_secs_f64();
        rules.push(Rule {
            name: "FsmStateLate",
            // At no time in these minutes was the oldest one younger, so it is not a single slow one.
            condition: format!("min_over_time(fsm_state_oldest_seconds{{{labels}}}[5m]) > {}", limit / 2.0),
            holds: "1m",
            severity: Severity::Warning,
            state: Some(state.name),
            summary: format!(
                "{{{{ $labels.state }}}} in pool {{{{ $labels.pool }}}} lasts for more than half of the {limit} s \
                 after which {late} follows"
            ),
            look: format!("/connections?pool={}&state={}", in_query(pool.name), state.name),
        });
        let left = |more: &str| {
            let (pool, from) = (escaped(pool.name), escaped(state.name));
            let series = format!("fsm_transitions_total{{pool=\"{pool}\",from=\"{from}\"{more}}}");
            format!("sum without (to, on) (rate({series}[5m]))")
        };
        rules.push(Rule {
            name: "FsmDeadlinesPassed",
            condition: format!("{} > 0.05 * {}", left(",on=\"within\""), left("")),
            holds: "5m",
            severity: Severity::Warning,
            state: Some(state.name),
            summary: format!(
                "more than a twentieth of those that leave {{{{ $labels.from }}}} in pool {{{{ $labels.pool }}}} do so \
                 because {limit} s have passed"
            ),
            look: "what the handlers of that state wait for, and the peers of those that are in it".to_owned(),
        });
    }
    rules
}

impl Rule {
    fn about_the_pool(
        name: &'static str,
        condition: String,
        holds: &'static str,
        severity: Severity,
        summary: &str,
        look: &str,
    ) -> Self {
        let (summary, look) = (summary.to_owned(), look.to_owned());
        Self { name, condition, holds, severity, state: None, summary, look }
    }

    fn print(&self, pool: &str, text: &mut String) {
        let severity = match self.severity {
            Severity::Critical => "critical",
            Severity::Warning => "warning",
        };
        let _ = writeln!(
            text,
            "      - alert: {}\n        expr: {}\n        for: {}\n        labels:\n          severity: {severity}\n          pool: {}",
            self.name,
            quoted(&self.condition),
            self.holds,
            // The series has the same label. Without this one, rules of two pools would be taken for duplicates.
            quoted(&pool.replace("{{", "{{\"{{\"}}")),
        );
        if let Some(state) = self.state {
            let _ = writeln!(text, "          state: {state}");
        }
        let _ = writeln!(
            text,
            "        annotations:\n          summary: {}\n          look: {}",
            quoted(&self.summary),
            quoted(&self.look),
        );
    }
}

/// A scalar of YAML, of which strings of JSON are a part.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// The name in a query, whose other characters are percent-encoded.
fn in_query(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => {
                encoded.push(char::from(byte));
            }
            byte => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}
