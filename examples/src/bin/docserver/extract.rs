//! The pool that reads the text of documents for the search: a thread that knows plain text, or, with
//! `--worker`, processes that run Python.

use std::path::PathBuf;

use clap::Args;
use fsm_runtime::prelude::*;
use fsm_runtime::{Json, Raised};
use serde::{Deserialize, Serialize};

use crate::store::text;

/// Reads the text of a document whose file is in place.
pub(crate) struct Extract;

impl Service for Extract {
    type Job = Json<Source>;
    /// The text, of which the search covers the beginning.
    type Reply = Result<Json<String>, Raised>;
}

/// A document that has a text, or none.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// Whether all of it is UTF-8.
    pub(crate) is_text: bool,
}

/// The reader of the text of documents: a thread, or processes of Python.
#[derive(Args)]
pub(crate) struct Extractor {
    /// A file of Python whose function `extract` returns the text of a document, such as
    /// examples/python/index.py; without it the search finds what is in plain text, and all names
    #[cfg(unix)]
    #[arg(long, value_name = "FILE", conflicts_with = "single_pool")]
    worker: Option<PathBuf>,
    /// The interpreter of the worker processes: a path, or a name that is looked for in PATH
    #[cfg(unix)]
    #[arg(long, value_name = "PYTHON", default_value = "python3", requires = "worker")]
    python: PathBuf,
    /// The number of worker processes; one per processor by default
    #[cfg(unix)]
    #[arg(long, value_name = "N", requires = "worker", value_parser = fsm_examples::count::<{ Pool::MAX_THREADS }>)]
    worker_processes: Option<std::num::NonZeroUsize>,
}

impl Extractor {
    /// Makes the pool.
    pub(crate) fn pool(&self) -> Pool {
        #[cfg(unix)]
        if let Some(worker) = &self.worker {
            return self.python(worker);
        }
        Pool::workers::<Extract>("extract", 1, |Json(source)| Ok(Json(read(&source))))
    }

    #[cfg(unix)]
    fn python(&self, worker: &std::path::Path) -> Pool {
        use std::time::Duration;

        let pool = Pool::python::<Extract>("extract", format!("{}:extract", worker.display()))
            .interpreter(&self.python)
            .max_reply(16 << 20)
            // The machine of the index pool waits a little longer.
            .kill_after(Duration::from_secs(60))
            .recycle_above(512 << 20);
        match self.worker_processes {
            Some(processes) => pool.processes(processes.get()).build(),
            None => pool.build(),
        }
    }
}

/// The text of a document in UTF-8. The search finds others by their names, and one that cannot be read, too.
fn read(source: &Source) -> String {
    let text =
        || source.is_text.then(|| text::read(&std::fs::File::open(&source.path)?)).transpose();
    text()
        .unwrap_or_else(|error| {
            tracing::warn!(name = source.name, %error, "cannot read the text of a document");
            None
        })
        .unwrap_or_default()
}
