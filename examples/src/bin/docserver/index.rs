//! The index pool: it files and deletes documents. Its threads may block on the disk.

use std::sync::{Arc, Weak};
use std::thread;
use std::time::Duration;

use fsm_runtime::prelude::*;
use fsm_runtime::{Json, Raised};

use crate::api::Event;
use crate::catalog::{Lookup, MISSING};
use crate::client::Get;
use crate::extract::{Extract, Source};
use crate::feed::Feed;
use crate::http::{Condition, Method, Name, Refusal, Status, Validators, Verdict};
use crate::store::{Digested, Document, Error, Filed, Settled, Spooled, Store, cleanup};

/// A job that files or deletes a document.
#[state_machine(start = Start, job = Job, reply = Outcome)]
pub(crate) enum Index {
    /// Chooses the first step, or drops the job of a client that has left.
    #[run]
    #[to(Digest | Delete | Finished)]
    Start { job: Job },

    /// Computes the document's digest.
    #[run(blocking)]
    #[to(Settle | Finished)]
    Digest { name: Name, condition: Condition, spooled: Spooled },

    /// Moves the document's file into place, durably.
    #[run(blocking)]
    #[to(Extract | Finished)]
    Settle {
        #[carry]
        name: Name,
        #[carry]
        condition: Condition,
        #[carry]
        spooled: Spooled,
        digested: Digested,
    },

    /// Waits for the document's text. The search finds one without by its name.
    #[call(Extract, within = 2min => Enter, gone => Enter)]
    #[to(Enter)]
    Extract {
        #[carry]
        name: Name,
        #[carry]
        condition: Condition,
        settled: Settled,
    },

    /// Enters the document into the index, in place of the one with the same name.
    #[run(blocking)]
    #[to(Clean | Finished)]
    Enter {
        #[carry]
        name: Name,
        #[carry]
        condition: Condition,
        #[carry]
        settled: Settled,
    },

    /// Removes the file of the document that was replaced.
    #[run(blocking)]
    #[to(Finished)]
    Clean { filed: Filed },

    /// Deletes a document.
    #[run(blocking)]
    #[to(Finished)]
    Delete { name: Name, condition: Condition },

    #[end]
    Finished,
}

/// A job of the pool.
pub(crate) struct Job {
    pub(crate) task: Task,
    /// Dead once the client has left.
    pub(crate) client: Weak<()>,
}

/// The work of a job.
pub(crate) enum Task {
    File {
        name: Name,
        condition: Condition,
        spooled: Spooled,
    },
    Delete {
        name: Name,
        condition: Condition,
    },
    /// With `--single-pool`: a lookup, which otherwise is a job of the catalog pool.
    Lookup {
        lookup: Lookup,
        get: Box<Get>,
    },
    /// The placeholder that replaces a task when it is taken out of a state.
    Nothing,
}

/// The reply to a job.
pub(crate) enum Outcome {
    Filed(Filed),
    Deleted,
    Refused(Refusal),
}

/// The state of a thread of the index pool.
pub(crate) struct Indexer {
    pub(crate) store: Store,
    pub(crate) feed: Arc<Feed>,
    /// A delay for each document, to show its effect on other clients.
    pub(crate) delay: Duration,
}

impl Indexer {
    /// Enters a document into the index; `None` if the condition forbids it.
    fn enter(
        &mut self,
        name: &Name,
        condition: &Condition,
        settled: &mut Settled,
    ) -> Result<Option<Filed>, Error> {
        thread::sleep(self.delay);
        self.store.index(name, settled, |now| allows(condition, Method::Put, now))
    }

    /// Publishes the event, and removes the file of the document that was replaced.
    fn clean(&self, filed: &Filed) {
        if let Some(replaced) = &filed.replaced {
            cleanup(replaced);
        }
        let replaced = filed.replaced.is_some();
        self.feed.publish(&Event::Filed { document: filed.document.clone().into(), replaced });
    }

    fn delete(&mut self, name: &Name, condition: &Condition) -> Outcome {
        let mut exists = false;
        let deleted = self.store.delete(name, |now| {
            exists = now.is_some();
            allows(condition, Method::Delete, now)
        });
        match deleted {
            Ok(Some(_)) => {
                self.feed.publish(&Event::Deleted { name: name.to_string() });
                Outcome::Deleted
            }
            Ok(None) if exists => Outcome::Refused(PRECONDITION),
            Ok(None) => Outcome::Refused(MISSING),
            Err(error) => failed(&error),
        }
    }

    /// Runs all steps of a task at once, for `--single-pool`.
    pub(crate) fn run_all(&mut self, task: Task) -> Outcome {
        match task {
            Task::File { name, condition, mut spooled } => {
                let filed = spooled
                    .digest()
                    .and_then(|digested| self.store.settle(&mut spooled, digested))
                    .and_then(|mut settled| {
                        settled.read_text()?;
                        self.enter(&name, &condition, &mut settled)
                    });
                match filed {
                    Ok(Some(filed)) => {
                        self.clean(&filed);
                        Outcome::Filed(filed)
                    }
                    Ok(None) => Outcome::Refused(PRECONDITION),
                    Err(error) => failed(&error),
                }
            }
            Task::Delete { name, condition } => self.delete(&name, &condition),
            Task::Lookup { .. } | Task::Nothing => Outcome::Refused(LOST),
        }
    }
}

pub(crate) const PRECONDITION: Refusal =
    Refusal::new(Status::PreconditionFailed, "the condition of the request does not hold");
pub(crate) const LOST: Refusal = Refusal::new(Status::InternalServerError, "the request was lost");

fn allows(condition: &Condition, method: Method, now: Option<&Document>) -> bool {
    let etag = now.map(|now| now.digest.to_string());
    let validators = now.zip(etag.as_deref());
    let validators = validators.map(|(now, etag)| Validators { etag, modified: now.modified });
    condition.verdict(method, validators) == Verdict::Proceed
}

fn failed(error: &Error) -> Outcome {
    tracing::error!(%error, "cannot file a document");
    Outcome::Refused(error.refusal())
}

impl index::Handler for Indexer {
    fn start(&mut self, job: &mut Job, _cx: &mut JobCx<'_>) -> index::AfterStart {
        let is_withdrawn = job.client.strong_count() == 0;
        match std::mem::replace(&mut job.task, Task::Nothing) {
            _ if is_withdrawn => index::AfterStart::Finished { reply: Outcome::Refused(LOST) },
            Task::File { name, condition, spooled } => {
                index::AfterStart::Digest { name, condition, spooled }
            }
            Task::Delete { name, condition } => index::AfterStart::Delete { name, condition },
            Task::Lookup { .. } | Task::Nothing => {
                index::AfterStart::Finished { reply: Outcome::Refused(LOST) }
            }
        }
    }

    fn digest(
        &mut self,
        _name: &mut Name,
        _condition: &mut Condition,
        spooled: &mut Spooled,
        _cx: &mut JobCx<'_>,
    ) -> index::AfterDigest {
        match spooled.digest() {
            Ok(digested) => index::AfterDigest::Settle { digested },
            Err(error) => index::AfterDigest::Finished { reply: failed(&error) },
        }
    }

    fn settle(
        &mut self,
        name: &mut Name,
        _condition: &mut Condition,
        spooled: &mut Spooled,
        digested: &mut Digested,
        _cx: &mut JobCx<'_>,
    ) -> index::AfterSettle {
        match self.store.settle(spooled, *digested) {
            Ok(settled) => {
                let (name, path) = (name.to_string(), settled.path().to_owned());
                let job = Json(Source { name, path, is_text: settled.is_text() });
                index::AfterSettle::Extract { settled, job }
            }
            Err(error) => index::AfterSettle::Finished { reply: failed(&error) },
        }
    }

    fn extract(
        &mut self,
        name: &mut Name,
        _condition: &mut Condition,
        settled: &mut Settled,
        text: Result<Json<String>, Raised>,
        _cx: &mut JobCx<'_>,
    ) -> index::AfterExtract {
        match text {
            Ok(Json(text)) => settled.set_text(text),
            Err(error) => {
                let name = name.as_str();
                tracing::warn!(name, %error, "cannot read the text of a document");
            }
        }
        index::AfterExtract::Enter
    }

    fn enter(
        &mut self,
        name: &mut Name,
        condition: &mut Condition,
        settled: &mut Settled,
        _cx: &mut JobCx<'_>,
    ) -> index::AfterEnter {
        let reply = match Indexer::enter(self, name, condition, settled) {
            Ok(Some(filed)) => return index::AfterEnter::Clean { filed },
            Ok(None) => Outcome::Refused(PRECONDITION),
            Err(error) => failed(&error),
        };
        index::AfterEnter::Finished { reply }
    }

    fn clean(&mut self, filed: &mut Filed, _cx: &mut JobCx<'_>) -> index::AfterClean {
        Indexer::clean(self, filed);
        index::AfterClean::Finished { reply: Outcome::Filed(filed.clone()) }
    }

    fn delete(
        &mut self,
        name: &mut Name,
        condition: &mut Condition,
        _cx: &mut JobCx<'_>,
    ) -> index::AfterDelete {
        index::AfterDelete::Finished { reply: Indexer::delete(self, name, condition) }
    }
}
