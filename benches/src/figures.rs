//! What there is to measure.

use crate::{Error, Figure, Lab};

mod blocked;
mod calls;
mod compile;
mod dispatch;
mod echo;
mod load;
mod rearm;
mod resp;
mod transfer;

/// Some figures that are measured together.
pub(crate) struct Entry {
    /// The name on the command line: that of its figure, or what the names of its figures begin with.
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) measure: fn(&Lab) -> Result<Vec<Figure>, Error>,
}

pub(crate) const ALL: &[Entry] = &[
    Entry {
        name: "echo-instructions",
        what: "user instructions of a 64-byte echo",
        measure: echo::instructions,
    },
    Entry {
        name: "echo-system-calls",
        what: "system calls of an echo, one and 16 at a time",
        measure: echo::system_calls,
    },
    Entry {
        name: "echo-epoll",
        what: "`epoll_ctl` of a connection and of an echo",
        measure: echo::epoll_control,
    },
    Entry {
        name: "echo-allocations",
        what: "allocations of an echo and of a connection",
        measure: echo::allocations,
    },
    Entry { name: "echo-idle-bytes", what: "memory of an idle connection", measure: echo::idle },
    Entry {
        name: "echo-cpu",
        what: "processor time of an echo, one and 16 at a time",
        measure: echo::cpu,
    },
    Entry {
        name: "echo-churn-cpu",
        what: "processor time of a connection with one echo",
        measure: echo::churn,
    },
    Entry {
        name: "echo-crowd",
        what: "processor time of an echo among 15,000 connections",
        measure: echo::crowd,
    },
    Entry {
        name: "dispatch",
        what: "the same machine in each way to write it, without a socket",
        measure: dispatch::dispatch,
    },
    Entry { name: "rearm", what: "the cost of a deadline in each state", measure: rearm::rearm },
    Entry { name: "job", what: "jobs to another pool and back", measure: calls::calls },
    Entry {
        name: "compile",
        what: "the time that the macro costs rustc",
        measure: compile::compile,
    },
    Entry {
        name: "threads",
        what: "one port with one thread and with two",
        measure: load::threads,
    },
    Entry {
        name: "overload",
        what: "a server that is asked for more than it can do",
        measure: load::overload,
    },
    Entry {
        name: "blocked",
        what: "what handlers that block cost the others",
        measure: blocked::blocked,
    },
    Entry {
        name: "resp-instructions",
        what: "user instructions of a RESP GET, alone and pipelined",
        measure: resp::instructions,
    },
    Entry {
        name: "resp-cpu-get",
        what: "processor time of a RESP GET, alone and pipelined",
        measure: resp::get_cpu,
    },
    Entry {
        name: "resp-cpu-set",
        what: "processor time of a RESP SET, pipelined, beside Redis",
        measure: resp::set_cpu,
    },
    Entry {
        name: "upload",
        what: "processor time and system calls of uploads",
        measure: transfer::uploads,
    },
    Entry {
        name: "download",
        what: "processor time and system calls of downloads",
        measure: transfer::downloads,
    },
];

/// The entries that the words mean: `all`, a name or its first words, or the name of one of its figures.
pub(crate) fn named(words: &[String]) -> Result<Vec<&'static Entry>, Error> {
    let means = |word: &str, entry: &Entry| {
        let begins = |whole: &str, part: &str| {
            whole.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        };
        word == "all" || begins(entry.name, word) || begins(word, entry.name)
    };
    for word in words {
        if !ALL.iter().any(|entry| means(word, entry)) {
            return Err(Error::failed(format!("there is no figure `{word}`; `list` shows all")));
        }
    }
    Ok(ALL.iter().filter(|entry| words.iter().any(|word| means(word, entry))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(words: &[&str]) -> Vec<&'static str> {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        named(&words).unwrap().iter().map(|entry| entry.name).collect()
    }

    #[test]
    fn all_means_each_once() {
        assert_eq!(names(&["all", "echo"]).len(), ALL.len());
    }

    #[test]
    fn a_word_means_the_names_that_begin_with_it() {
        assert!(names(&["echo"]).contains(&"echo-instructions"));
        assert_eq!(names(&["echo-instructions"]), ["echo-instructions"]);
        assert_eq!(names(&["echo-cpu-p16"]), ["echo-cpu"]);
        assert!(named(&["ech".to_owned()]).is_err());
    }
}
