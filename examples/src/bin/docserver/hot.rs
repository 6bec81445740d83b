//! Small documents that are asked for often. The front pool answers with its copies of them, without a hop to the
//! catalog pool.
//!
//! A copy is the document until the document changes: each change, which only this server makes, ends the copy before
//! it can be seen. While another process shares the directory, in a live upgrade, no copy counts. What somebody else
//! does to the files of the store is noticed when the copy is too old.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use clap::Args;
use fsm_examples::time_up_to;
use fsm_runtime::Console;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, OptionsBuilder, Weighter};

use crate::http::{Name, Representation};
use crate::settings::size;
use crate::store::{Directory, Version};

/// The memory that a copy takes beside the bytes of its document: its fields, its name and its place, in bytes.
const OVERHEAD: u64 = 1024;
/// The least bytes of a shard, which has a lock of its own.
const SHARD: u64 = 1 << 20;
const MAX_SHARDS: u64 = 64;

// No doc comment, because clap would take it for the description of the program.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub(crate) struct HotOptions {
    /// The memory for copies of small documents that are asked for often, which are sent without a look at the disk;
    /// 0 for none. Documents of more than 64 KiB have no copies
    #[arg(long = "hot-bytes", value_name = "SIZE", default_value = "32MiB", value_parser = size)]
    bytes: u64,
    /// The maximum number of these copies; 0 for none
    #[arg(long = "hot-documents", value_name = "N", default_value = "10000")]
    documents: u64,
    /// The longest time for which a copy is sent before the index and the file are looked at again, so that files
    /// that somebody removes from the directory are missed
    #[arg(long = "hot-valid", value_name = "TIME", default_value = "60s", value_parser = valid)]
    valid: Duration,
}

impl Default for HotOptions {
    fn default() -> Self {
        Self { bytes: 32 << 20, documents: 10_000, valid: Duration::from_secs(60) }
    }
}

fn valid(text: &str) -> Result<Duration, String> {
    time_up_to(text, "1d")
}

/// The copies, and how often one was there.
pub(crate) struct HotDocuments {
    copies: Option<Cache<Name, Arc<HotDocument>, Weight>>,
    valid: Duration,
    directory: Arc<Directory>,
    hits: AtomicU64,
    misses: AtomicU64,
}

/// The copy of a document.
#[derive(Debug)]
pub(crate) struct HotDocument {
    pub(crate) representation: Representation,
    pub(crate) body: Bytes,
    version: Version,
    until: Instant,
}

/// Weighs a copy so that neither the bytes nor the number of all copies exceeds its bound.
#[derive(Clone, Copy, Debug)]
struct Weight {
    least: u64,
}

impl Weighter<Name, Arc<HotDocument>> for Weight {
    fn weight(&self, _: &Name, document: &Arc<HotDocument>) -> u64 {
        (document.body.len() as u64 + OVERHEAD).max(self.least)
    }
}

impl HotDocuments {
    pub(crate) fn new(options: &HotOptions, directory: &Arc<Directory>) -> Self {
        let documents = NonZeroU64::new(options.documents).filter(|_| options.bytes > 0);
        Self {
            copies: documents.and_then(|documents| copies(options.bytes, documents)),
            valid: options.valid,
            directory: Arc::clone(directory),
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The copy of the document of this name.
    pub(crate) fn find(&self, name: &Name, now: Instant) -> Option<Arc<HotDocument>> {
        let found = self.copies.as_ref()?.get(name).filter(|found| {
            now < found.until && self.directory.changes().is_current(found.version)
        });
        let counter = if found.is_some() { &self.hits } else { &self.misses };
        counter.fetch_add(1, Ordering::Relaxed);
        found
    }

    /// The version of the document, to be taken before the lookup of a document that may be kept.
    pub(crate) fn version(&self, name: &Name) -> Option<Version> {
        self.copies.as_ref().and_then(|_| self.directory.changes().version(name))
    }

    /// Keeps a copy of the document, if there is room for it.
    pub(crate) fn keep(
        &self,
        name: Name,
        version: Version,
        now: Instant,
        representation: Representation,
        body: Bytes,
    ) {
        if let Some(copies) = &self.copies {
            let until = now + self.valid;
            copies.insert(name, Arc::new(HotDocument { representation, body, version, until }));
        }
    }

    /// Adds the counters to the metrics of the console.
    pub(crate) fn counted(self: Arc<Self>, console: Console) -> Console {
        let hot = Arc::clone(&self);
        let hits = "Requests for a document that were answered with a copy of it.";
        let misses = "Requests for a document that had no copy, and were looked up.";
        console
            .counter("docserver_hot_hits_total", hits, move || self.hits.load(Ordering::Relaxed))
            .counter("docserver_hot_misses_total", misses, move || {
                hot.misses.load(Ordering::Relaxed)
            })
    }
}

fn copies(bytes: u64, documents: NonZeroU64) -> Option<Cache<Name, Arc<HotDocument>, Weight>> {
    let shards = (bytes / SHARD).clamp(1, MAX_SHARDS);
    let least = bytes.div_ceil(documents.get());
    let expected = documents.get().min(bytes / OVERHEAD).max(1);
    let options = OptionsBuilder::new()
        .shards(usize::try_from(shards).unwrap_or(1))
        .estimated_items_capacity(usize::try_from(expected).unwrap_or(usize::MAX))
        .weight_capacity(bytes)
        .build();
    // Nothing is missing.
    let options = options.ok()?;
    let (hasher, lifecycle) = (DefaultHashBuilder::default(), DefaultLifecycle::default());
    Some(Cache::with_options(options, Weight { least }, hasher, lifecycle))
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use tempfile::TempDir;

    use super::*;
    use crate::store::Store;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        hot: HotOptions,
    }

    struct Fixture {
        hot: HotDocuments,
        _root: TempDir,
    }

    impl Fixture {
        fn new(bytes: u64, documents: u64) -> Self {
            let root = TempDir::new().unwrap();
            let (store, _) = Store::open(root.path()).unwrap();
            let options = HotOptions { bytes, documents, ..HotOptions::default() };
            Self { hot: HotDocuments::new(&options, store.directory()), _root: root }
        }

        /// Asks for a document of this length; returns whether there was a copy of it.
        fn ask(&self, name: &str, len: usize) -> bool {
            let (name, now) = (Name::new(name).unwrap(), Instant::now());
            if self.hot.find(&name, now).is_some() {
                return true;
            }
            if let Some(version) = self.hot.version(&name) {
                let modified = std::time::SystemTime::now();
                let representation =
                    Representation::new(name.as_str(), "tag".to_owned(), modified, len as u64);
                self.hot.keep(name, version, now, representation, Bytes::from(vec![0; len]));
            }
            false
        }

        /// The number of copies, and their weight.
        fn size(&self) -> (u64, u64) {
            self.hot.copies.as_ref().map_or((0, 0), |all| (all.len() as u64, all.weight()))
        }
    }

    #[test]
    fn the_defaults_of_the_command_line_are_those_of_the_tests() {
        assert_eq!(Line::parse_from(["docserver"]).hot, HotOptions::default());
    }

    #[test]
    fn copies_stay_within_both_bounds() {
        for (bytes, documents) in [(1 << 20, 1_000_000), (1 << 20, 10), (4 << 20, 100), (5_000, 3)]
        {
            let hot = Fixture::new(bytes, documents);
            for n in 0..5_000 {
                hot.ask(&format!("document {n}"), n % 3_000);
                let (count, weight) = hot.size();
                assert!(count <= documents && weight <= bytes, "{count} of {weight} bytes");
            }
            assert!(hot.size().0 > 0);
        }
    }

    #[test]
    fn no_room_is_no_copy() {
        for (bytes, documents) in [(0, 10), (1 << 20, 0), (0, 0)] {
            let hot = Fixture::new(bytes, documents);
            assert!(!hot.ask("a", 10) && !hot.ask("a", 10));
            assert_eq!(hot.size(), (0, 0));
        }
        let small = Fixture::new(4 << 10, 10);
        assert!(!small.ask("large", 60_000) && !small.ask("large", 60_000));
    }

    #[test]
    fn documents_that_are_asked_for_once_do_not_end_the_copies_of_others() {
        let hot = Fixture::new(1 << 20, 1_000);
        for n in 0..100_000 {
            hot.ask(&format!("once {n}"), 1_000);
            if n % 10 == 0 {
                let name = format!("often {}", n / 10 % 20);
                let was_there = hot.ask(&name, 1_000);
                assert!(was_there || n < 10_000, "{name} after {n}");
            }
        }
    }

    #[test]
    fn a_copy_ends_with_its_time() {
        let hot = Fixture::new(1 << 20, 10);
        hot.ask("a", 10);
        let (name, now) = (Name::new("a").unwrap(), Instant::now());
        assert!(hot.hot.find(&name, now + Duration::from_secs(59)).is_some());
        assert!(hot.hot.find(&name, now + Duration::from_secs(61)).is_none());
    }
}
