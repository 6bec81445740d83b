//! The text format of Prometheus.
//!
//! All series of a pool follow from its graph, and are printed from the start. No label has a key or a peer.

use std::fmt::{Display, Write};

use super::counter::Counter;
use super::json::{ends, phase};
use crate::server::progress::{UpgradeProgress, UpgradeStep};
use crate::{Block, EdgeCount, PoolPhase, PoolSnapshot, Snapshot, ThreadSnapshot};

/// A metric: its name, its type, and what it is.
struct Metric {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
}

/// Prints all metrics, and those of the program.
pub(super) fn print(
    snapshot: &Snapshot,
    upgrade: Option<&UpgradeProgress>,
    counters: &[Counter],
) -> String {
    let mut page = Page { text: String::new(), pools: &snapshot.pools };
    page.pools();
    page.counters();
    page.journeys();
    page.offers();
    page.states();
    page.transitions();
    page.threads();
    page.upgrades(upgrade);
    for counter in counters {
        let _ = write!(page.text, "{counter}");
    }
    page.text
}

struct Page<'a> {
    text: String,
    pools: &'a [PoolSnapshot],
}

impl Page<'_> {
    fn pools(&mut self) {
        let info = Metric { name: "fsm_pool_info", kind: "gauge", help: "The machine of a pool." };
        self.family(&info, |pool| vec![(vec![("machine", pool.spec.name)], 1)]);
        let of_phase =
            Metric { name: "fsm_phase", kind: "gauge", help: "1 for what a pool does now." };
        self.family(&of_phase, |pool| {
            let phases = [PoolPhase::Serves, PoolPhase::Drains, PoolPhase::Closed];
            phases.map(|of| (vec![("phase", phase(of))], u64::from(pool.phase == of))).to_vec()
        });
        self.gauge("fsm_open", "Connections or jobs that are open.", |pool| pool.stats.open);
        let peak = "The most connections or jobs that were open at a time.";
        self.gauge("fsm_open_peak", peak, |pool| pool.stats.peak);
        self.gauge("fsm_room", "The most connections or jobs that may be open.", |pool| {
            pool.room.limit
        });
        self.gauge("fsm_room_taken", "The room that is taken.", |pool| pool.room.taken);
        self.gauge("fsm_room_waiting", "Those who wait for room.", |pool| pool.room.waiting);
    }

    fn counters(&mut self) {
        let accepted = "Connections or jobs that were accepted or opened.";
        self.counter("fsm_accepted_total", accepted, |pool| pool.stats.accepted);
        let ended = Metric {
            name: "fsm_ended_total",
            kind: "counter",
            help: "Connections or jobs that have ended, by their reason.",
        };
        self.family(&ended, |pool| {
            ends(&pool.stats).map(|(why, count)| (vec![("reason", why)], count)).to_vec()
        });
        let shed = "Connections at rest whose place a newcomer took.";
        self.counter("fsm_connections_shed_total", shed, |pool| pool.stats.shed);
        self.counter("fsm_stale_events_total", "Events for connections that were gone.", |pool| {
            pool.stats.stale
        });
        let dropped = "Datagrams that were received and not handled.";
        self.counter("fsm_datagrams_dropped_total", dropped, |pool| pool.stats.datagrams_dropped);
        let unsent = "Datagrams that could not be sent.";
        self.counter("fsm_datagrams_unsent_total", unsent, |pool| pool.stats.datagrams_unsent);
        let failures = "Times that a listener found no free descriptor.";
        self.counter("fsm_accept_failures_total", failures, |pool| pool.stats.accept_failures);
        let turned_away = "Connections that were told at the limit that there is no place.";
        self.counter("fsm_connections_turned_away_total", turned_away, |pool| {
            pool.stats.turned_away
        });
        let failures = "Times that a target could not be connected to.";
        self.counter("fsm_connect_failures_total", failures, |pool| pool.stats.connect_failures);
    }

    /// The pools whose connections rest. A histogram has one more label, so it is no family like the others.
    fn journeys(&mut self) {
        const NAME: &str = "fsm_journey_seconds";
        let help =
            "How long connections took from rest to rest, of the journeys that were measured.";
        let _ = writeln!(self.text, "# HELP {NAME} {help}\n# TYPE {NAME} histogram");
        for pool in self.pools.iter().filter(|pool| pool.spec.rests()) {
            let (name, journeys) = (escaped(&pool.name), &pool.journeys);
            let finite =
                journeys.buckets().map(|(bound, count)| (bound.as_secs_f64().to_string(), count));
            for (bound, count) in finite.chain([("+Inf".to_owned(), journeys.count())]) {
                let _ =
                    writeln!(self.text, "{NAME}_bucket{{pool=\"{name}\",le=\"{bound}\"}} {count}");
            }
            let (sum, count) = (journeys.total().as_secs_f64(), journeys.count());
            let _ = writeln!(self.text, "{NAME}_sum{{pool=\"{name}\"}} {sum}");
            let _ = writeln!(self.text, "{NAME}_count{{pool=\"{name}\"}} {count}");
        }
    }

    fn offers(&mut self) {
        let offers = Metric {
            name: "fsm_offers_total",
            kind: "counter",
            help: "Jobs and connections that others offered to a pool, by what became of them.",
        };
        self.family(&offers, |pool| {
            let stats = &pool.stats;
            [("taken", stats.taken), ("refused", stats.refused), ("abandoned", stats.abandoned)]
                .map(|(outcome, count)| (vec![("outcome", outcome)], count))
                .to_vec()
        });
        self.gauge("fsm_offers_waiting", "Offers that wait for room.", |pool| pool.stats.waiting);
    }

    fn states(&mut self) {
        let count = Metric {
            name: "fsm_state_open",
            kind: "gauge",
            help: "Connections or jobs in a state. Ports that did not answer are missing.",
        };
        self.family(&count, |pool| {
            let states = pool.states.iter();
            states.map(|counted| (vec![("state", counted.state.name)], counted.count)).collect()
        });
        let oldest = Metric {
            name: "fsm_state_oldest_seconds",
            kind: "gauge",
            help: "The age of the oldest connection or job in a state, 0 if none is known.",
        };
        self.family(&oldest, |pool| {
            let states = pool.states.iter();
            let age = states.map(|counted| {
                let oldest = counted.oldest.unwrap_or_default().as_secs_f64();
                (vec![("state", counted.state.name)], oldest)
            });
            age.collect()
        });
        self.gauge(
            "fsm_ports_unanswered",
            "Ports that are in a handler and did not answer.",
            |pool| pool.unanswered().count(),
        );
    }

    /// The metrics of the process, which are of no pool.
    fn upgrades(&mut self, upgrade: Option<&UpgradeProgress>) {
        let upgradable = Metric {
            name: "fsm_upgradable",
            kind: "gauge",
            help: "1 if a new process can take over from this one.",
        };
        self.of_process(&upgradable, &[(String::new(), u64::from(upgrade.is_some()))]);
        let Some(progress) = upgrade else { return };
        let step = Metric {
            name: "fsm_upgrade_step",
            kind: "gauge",
            help: "1 for what the process does for an upgrade now.",
        };
        let steps = UpgradeStep::ALL
            .map(|of| (format!("{{step=\"{}\"}}", of.name()), u64::from(progress.step == of)));
        self.of_process(&step, &steps);
        let outcomes = Metric {
            name: "fsm_upgrades_total",
            kind: "counter",
            help: "Upgrades that this process has taken part in, by their outcome.",
        };
        self.of_process(
            &outcomes,
            &[
                ("{outcome=\"succeeded\"}".to_owned(), progress.succeeded),
                ("{outcome=\"failed\"}".to_owned(), progress.failed),
            ],
        );
        let moved = Metric {
            name: "fsm_upgrade_connections_moved_total",
            kind: "counter",
            help: "Connections that came from the process before or left for the next one.",
        };
        self.of_process(
            &moved,
            &[
                ("{direction=\"in\"}".to_owned(), progress.moved_in),
                ("{direction=\"out\"}".to_owned(), progress.moved_out),
            ],
        );
        let stayed = Metric {
            name: "fsm_upgrade_connections_stayed_total",
            kind: "counter",
            help: "Connections that did not move in an upgrade, by the reason.",
        };
        let stays = progress.stayed.iter();
        let stays = stays.map(|(why, count)| (format!("{{reason=\"{}\"}}", escaped(why)), *count));
        self.of_process(&stayed, &stays.collect::<Vec<_>>());
    }

    fn of_process(&mut self, Metric { name, kind, help }: &Metric, series: &[(String, u64)]) {
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in series {
            let _ = writeln!(self.text, "{name}{labels} {value}");
        }
    }

    fn transitions(&mut self) {
        let taken = Metric {
            name: "fsm_transitions_total",
            kind: "counter",
            help: "Transitions from one state to another or to itself, by the event that caused them.",
        };
        self.family(&taken, |pool| {
            let edges = pool.edges.iter().map(|EdgeCount { state, edge, count }| {
                let to = pool.spec.states[edge.target].name;
                (vec![("from", state.name), ("to", to), ("on", edge.on.name())], *count)
            });
            edges.collect()
        });
    }

    fn threads(&mut self) {
        let by_use =
            Metric { name: "fsm_threads", kind: "gauge", help: "Threads, by what they do." };
        self.family(&by_use, |pool| {
            let ThreadCounts { running, blocked, idle } = ThreadCounts::of(pool);
            [("running", running), ("blocked", blocked), ("idle", idle)]
                .map(|(state, count)| (vec![("state", state)], count))
                .to_vec()
        });
        self.gauge("fsm_threads_running_limit", "The most threads that run at a time.", |pool| {
            pool.ports.iter().map(|port| port.max_running).sum::<usize>()
        });
        let longest = "The time for which the longest handler has run at least.";
        self.gauge("fsm_handler_running_seconds", longest, |pool| {
            let running = threads(pool).filter_map(|thread| thread.running);
            running.map(|running| running.at_least).max().unwrap_or_default().as_secs_f64()
        });
    }

    fn gauge<V: Display>(
        &mut self,
        name: &'static str,
        help: &'static str,
        value: impl Fn(&PoolSnapshot) -> V,
    ) {
        self.family(&Metric { name, kind: "gauge", help }, |pool| vec![(Vec::new(), value(pool))]);
    }

    fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        value: impl Fn(&PoolSnapshot) -> u64,
    ) {
        self.family(&Metric { name, kind: "counter", help }, |pool| {
            vec![(Vec::new(), value(pool))]
        });
    }

    /// Prints a metric of all pools. `series` returns the further labels and the value of each series.
    fn family<'l, V: Display>(
        &mut self,
        metric: &Metric,
        series: impl Fn(&PoolSnapshot) -> Vec<(Vec<(&'l str, &'l str)>, V)>,
    ) {
        let Metric { name, kind, help } = metric;
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for pool in self.pools {
            for (labels, value) in series(pool) {
                let _ = write!(self.text, "{name}{{pool=\"{}\"", escaped(&pool.name));
                for (label, text) in labels {
                    let _ = write!(self.text, ",{label}=\"{}\"", escaped(text));
                }
                let _ = writeln!(self.text, "}} {value}");
            }
        }
    }
}

/// The threads of a pool, by what they do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ThreadCounts {
    pub(super) running: usize,
    pub(super) blocked: usize,
    pub(super) idle: usize,
}

impl ThreadCounts {
    pub(super) fn of(pool: &PoolSnapshot) -> Self {
        let mut counts = Self::default();
        for thread in threads(pool) {
            match thread.running.map(|running| running.block) {
                None => counts.idle += 1,
                Some(None) => counts.running += 1,
                Some(Some(Block::Declared | Block::Seen)) => counts.blocked += 1,
            }
        }
        counts
    }
}

fn threads(pool: &PoolSnapshot) -> impl Iterator<Item = &ThreadSnapshot> {
    pool.ports.iter().flat_map(|port| &port.threads)
}

/// The value of a label.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            letter => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v6_the_value_of_a_label_ends_no_line_and_no_label() {
        assert_eq!(escaped("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
    }
}
