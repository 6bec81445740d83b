//! The benchmarks.

use crate::error::Error;
use crate::figure::Figure;
use crate::lab::Lab;

mod blocked;
mod compile;
mod console;
mod dispatch;
mod echo;
mod frames;
mod jobs;
mod overload;
mod python;
mod rearm;
mod resp;
mod room;
mod threads;
mod tls;
mod transfer;
mod tunnel;

/// Figures that are measured together.
pub(crate) struct Entry {
    /// The name on the command line: a figure's name, or the common prefix of several.
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) measure: fn(&Lab) -> Result<Vec<Figure>, Error>,
}

pub(crate) const ALL: &[Entry] = &[
    Entry {
        name: "echo-instructions",
        description: "user instructions per 64-byte echo",
        measure: echo::instructions,
    },
    Entry {
        name: "echo-system-calls",
        description: "system calls per echo, 1 and 16 requests in flight",
        measure: echo::system_calls,
    },
    Entry {
        name: "echo-epoll",
        description: "`epoll_ctl` calls per connection and per echo",
        measure: echo::epoll_ctl,
    },
    Entry {
        name: "echo-allocations",
        description: "allocations per echo and per connection",
        measure: echo::allocations,
    },
    Entry {
        name: "echo-idle-bytes",
        description: "memory per idle connection",
        measure: echo::idle_bytes,
    },
    Entry {
        name: "echo-cpu",
        description: "CPU time per echo, 1 and 16 requests in flight",
        measure: echo::cpu,
    },
    Entry {
        name: "echo-churn-cpu",
        description: "CPU time per connection with one echo",
        measure: echo::churn_cpu,
    },
    Entry {
        name: "echo-crowd",
        description: "CPU time per echo with 15,000 connections open",
        measure: echo::crowd,
    },
    Entry {
        name: "dispatch",
        description: "one machine in five implementations, without sockets",
        measure: dispatch::dispatch,
    },
    Entry {
        name: "frames",
        description: "frames that are declared and by hand, without sockets",
        measure: frames::frames,
    },
    Entry {
        name: "rearm",
        description: "the cost of a deadline per state change",
        measure: rearm::rearm,
    },
    Entry {
        name: "job",
        description: "jobs to another pool and their replies",
        measure: jobs::jobs,
    },
    Entry {
        name: "python",
        description: "jobs that processes of Python do",
        measure: python::python,
    },
    Entry {
        name: "compile",
        description: "`rustc` time with the macro and without",
        measure: compile::compile,
    },
    Entry {
        name: "console-change",
        description: "user instructions of a transition that is counted",
        measure: console::change,
    },
    Entry {
        name: "console-cpu",
        description: "CPU time per echo with a console and without",
        measure: console::cpu,
    },
    Entry {
        name: "console-crowd",
        description: "answers of a console, and echoes beside them, with 15,000 idle connections",
        measure: console::crowd,
    },
    Entry {
        name: "console-scrapes",
        description: "memory that a thousand scrapes leave behind",
        measure: console::scrapes,
    },
    Entry {
        name: "threads",
        description: "throughput of one port with one thread and with two",
        measure: threads::threads,
    },
    Entry {
        name: "overload",
        description: "goodput and latency beyond capacity",
        measure: overload::overload,
    },
    Entry {
        name: "blocked",
        description: "latency of other connections while handlers block",
        measure: blocked::blocked,
    },
    Entry {
        name: "resp-instructions",
        description: "user instructions per RESP GET, single and pipelined",
        measure: resp::instructions,
    },
    Entry {
        name: "resp-cpu-get",
        description: "CPU time per RESP GET, single and pipelined",
        measure: resp::get_cpu,
    },
    Entry {
        name: "resp-cpu-set",
        description: "CPU time per RESP SET, pipelined, beside Redis",
        measure: resp::set_cpu,
    },
    Entry {
        name: "room-instructions",
        description: "user instructions per line and member of a chat room",
        measure: room::instructions,
    },
    Entry {
        name: "room-system-calls",
        description: "system calls per line and member of a chat room",
        measure: room::system_calls,
    },
    Entry {
        name: "room-allocations",
        description: "allocations per line and member of a chat room",
        measure: room::allocations,
    },
    Entry {
        name: "room-latency",
        description: "time until a line has reached the idle members of a chat room",
        measure: room::latency,
    },
    Entry {
        name: "room-idle-bytes",
        description: "memory per silent member of a chat room",
        measure: room::idle_bytes,
    },
    Entry {
        name: "upload",
        description: "CPU time and system calls of uploads",
        measure: transfer::uploads,
    },
    Entry {
        name: "download",
        description: "CPU time and system calls of downloads",
        measure: transfer::downloads,
    },
    Entry {
        name: "tls-idle-bytes",
        description: "memory per idle TLS connection",
        measure: tls::idle_bytes,
    },
    Entry {
        name: "tls-instructions",
        description: "user instructions per echo of 1 KiB over TLS",
        measure: tls::instructions,
    },
    Entry {
        name: "tls-handshake",
        description: "user instructions and CPU time per TLS handshake",
        measure: tls::handshakes,
    },
    Entry {
        name: "tls-beside-p99",
        description: "latency of a plain pool beside 500 TLS handshakes",
        measure: tls::beside,
    },
    Entry {
        name: "tunnel-cpu",
        description: "CPU time per MiB through a TCP forwarder, beside HAProxy",
        measure: tunnel::cpu,
    },
    Entry {
        name: "tunnel-instructions",
        description: "user instructions per MiB through a TCP forwarder",
        measure: tunnel::instructions,
    },
    Entry {
        name: "tunnel-idle-bytes",
        description: "memory per idle tunnel of a TCP forwarder",
        measure: tunnel::idle_bytes,
    },
];

/// The entries that any of the words selects.
///
/// A word is `all`, an entry's name, a prefix of whole words of it, or the name of one of its
/// figures.
pub(crate) fn named(words: &[String]) -> Result<Vec<&'static Entry>, Error> {
    for word in words {
        if !ALL.iter().any(|entry| entry.is_selected_by(word)) {
            return Err(Error::failed(format!("no figure is called `{word}`; see `list`")));
        }
    }
    let selected = |entry: &&Entry| words.iter().any(|word| entry.is_selected_by(word));
    Ok(ALL.iter().filter(selected).collect())
}

impl Entry {
    fn is_selected_by(&self, word: &str) -> bool {
        word == "all" || begins_with(self.name, word) || begins_with(word, self.name)
    }
}

/// Whether `name` begins with the whole words of `prefix`.
fn begins_with(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<&'static str> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        named(&words).unwrap().iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn all_selects_each_entry_once() {
        assert_eq!(names(&["all", "echo"]).len(), ALL.len());
    }

    #[test]
    fn a_word_selects_entries_by_prefix_and_by_figure() {
        assert!(names(&["echo"]).contains(&"echo-instructions"));
        assert_eq!(names(&["echo-instructions"]), ["echo-instructions"]);
        assert_eq!(names(&["echo-cpu-p16"]), ["echo-cpu"]);
        assert!(named(&["ech".to_owned()]).is_err());
    }
}
