//! A load on `docserver`: many clients file documents while others read small ones.

#![expect(clippy::cast_precision_loss, reason = "counts and sizes are shown rounded")]

use std::time::Duration;

use crate::DocumentSeries;

mod clients;
mod report;
mod slice;
mod target;

pub use report::{JobCounts, Latencies, Report};

use target::Target;

/// The bytes of a small document.
const SMALL_SIZE: usize = 1_000;

/// A load.
#[derive(Clone, Debug)]
pub struct FilingLoad {
    /// The time for which each setting is under load.
    pub time: Duration,
    /// The time after which the next setting takes over: settings alternate on the machine.
    pub slice: Duration,
    /// The number of clients that file one document after another.
    pub clients: usize,
    /// The bytes of a document.
    pub size: usize,
    /// The percentage of documents that are texts, whose words the server indexes.
    pub texts: u64,
    /// The number of PUTs a second that all clients begin together; `None` for as many as the
    /// server takes.
    pub rate: Option<f64>,
    /// The number of clients that read small documents.
    pub readers: usize,
    /// The number of GETs a second of all readers together.
    pub gets: f64,
    /// The maximum number of documents that wait to be filed.
    pub queue: usize,
    /// The additional time of a slow index for each document.
    pub delay: Duration,
}

/// The options of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its name in reports.
    pub name: &'static str,
    /// Whether the index is slowed down.
    pub is_slow: bool,
    /// Whether one pool does the work of all.
    pub is_single: bool,
}

impl Setting {
    /// A fast and a slow index, with several pools and with one.
    pub const ALL: [Self; 4] = [
        Self { name: "pools, fast", is_slow: false, is_single: false },
        Self { name: "pools, slow", is_slow: true, is_single: false },
        Self { name: "one pool, fast", is_slow: false, is_single: true },
        Self { name: "one pool, slow", is_slow: true, is_single: true },
    ];
}

impl FilingLoad {
    /// The number of small documents. They are filed before the load begins, and not counted.
    pub const SMALL: u64 = 20;

    /// Runs the load on a server in each setting, alternately, and checks their documents.
    pub fn run(&self, settings: &[Setting]) -> Vec<Report> {
        let documents = Documents::new(self.size);
        let targets: Vec<_> = settings.iter().map(|&setting| Target::new(self, setting)).collect();
        let mut left = self.time;
        while !left.is_zero() {
            let slice = left.min(self.slice);
            for target in &targets {
                target.run(self, &documents, slice);
            }
            left -= slice;
        }
        targets.into_iter().map(Target::finish).collect()
    }
}

/// The documents that clients file and read.
struct Documents {
    text: DocumentSeries,
    binary: DocumentSeries,
    small: DocumentSeries,
}

impl Documents {
    fn new(size: usize) -> Self {
        Self {
            text: DocumentSeries::new(size, true),
            binary: DocumentSeries::new(size, false),
            small: small(),
        }
    }
}

fn small() -> DocumentSeries {
    DocumentSeries::new(SMALL_SIZE, false)
}
