//! The index pool: it files documents, step by step, and deletes them. Its threads block, as is
//! their job.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use fsm_runtime::prelude::*;

use crate::api::Event;
use crate::catalog::{Ask, MISSING};
use crate::client::Get;
use crate::feed::Feed;
use crate::http::{Condition, Method, Name, Refusal, Status, Validators, Verdict};
use crate::store::{Digested, Document, Error, Filed, Settled, Spooled, Store, cleanup};

/// A document on its way into the store.
#[state_machine(start = Start, job = Task, reply = Done)]
pub(crate) enum Index {
    /// Looks at what is to be done.
    #[run]
    #[to(Digest | Delete | Finished)]
    Start { task: Task },

    /// Computes its digest.
    #[run(blocking)]
    #[to(Settle | Finished)]
    Digest { name: Name, condition: Condition, spooled: Spooled },

    /// Moves its file into place, durably.
    #[run(blocking)]
    #[to(Enter | Finished)]
    Settle {
        #[carry]
        name: Name,
        #[carry]
        condition: Condition,
        #[carry]
        spooled: Spooled,
        digested: Digested,
    },

    /// Enters it into the index, in place of the one that has its name.
    #[run(blocking)]
    #[to(Clean | Finished)]
    Enter {
        #[carry]
        name: Name,
        #[carry]
        condition: Condition,
        settled: Settled,
    },

    /// Removes the file of the one that had its name.
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

/// What is to be done.
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
    /// What the catalog is for, where one pool does everything.
    Ask {
        ask: Ask,
        get: Box<Get>,
    },
    /// It has been taken out.
    Nothing,
}

/// What came of it.
pub(crate) enum Done {
    Filed(Filed),
    Deleted,
    Refused(Refusal),
}

/// What a thread of the index pool has.
pub(crate) struct Indexer {
    pub(crate) store: Store,
    pub(crate) feed: Arc<Feed>,
    /// Makes every document slow, to see what that does to others.
    pub(crate) delay: Duration,
}

impl Indexer {
    /// Enters a document into the index; `None` if it must not be there.
    fn enter(
        &mut self,
        name: &Name,
        condition: &Condition,
        settled: &mut Settled,
    ) -> Result<Option<Filed>, Error> {
        thread::sleep(self.delay);
        self.store.index(name, settled, |now| allows(condition, Method::Put, now))
    }

    /// Tells everybody of a document, and removes the file that it replaces.
    fn clean(&self, filed: &Filed) {
        if let Some(replaced) = &filed.replaced {
            cleanup(replaced);
        }
        let replaced = filed.replaced.is_some();
        self.feed.tell(&Event::Filed { document: filed.document.clone().into(), replaced });
    }

    fn delete(&mut self, name: &Name, condition: &Condition) -> Done {
        let mut exists = false;
        let deleted = self.store.delete(name, |now| {
            exists = now.is_some();
            allows(condition, Method::Delete, now)
        });
        match deleted {
            Ok(Some(_)) => {
                self.feed.tell(&Event::Deleted { name: name.to_string() });
                Done::Deleted
            }
            Ok(None) if exists => Done::Refused(PRECONDITION),
            Ok(None) => Done::Refused(MISSING),
            Err(error) => failed(&error),
        }
    }

    /// All steps at once, for a pool that does everything.
    pub(crate) fn all(&mut self, task: Task) -> Done {
        match task {
            Task::File { name, condition, mut spooled } => {
                let filed = spooled
                    .digest()
                    .and_then(|digested| self.store.settle(&mut spooled, digested))
                    .and_then(|mut settled| self.enter(&name, &condition, &mut settled));
                match filed {
                    Ok(Some(filed)) => {
                        self.clean(&filed);
                        Done::Filed(filed)
                    }
                    Ok(None) => Done::Refused(PRECONDITION),
                    Err(error) => failed(&error),
                }
            }
            Task::Delete { name, condition } => self.delete(&name, &condition),
            Task::Ask { .. } | Task::Nothing => Done::Refused(LOST),
        }
    }
}

const PRECONDITION: Refusal =
    Refusal::new(Status::PreconditionFailed, "the document is not what it should be");
const LOST: Refusal = Refusal::new(Status::InternalServerError, "the request was lost");

fn allows(condition: &Condition, method: Method, now: Option<&Document>) -> bool {
    let etag = now.map(|now| now.digest.to_string());
    let validators = now.zip(etag.as_deref());
    let validators = validators.map(|(now, etag)| Validators { etag, modified: now.modified });
    condition.verdict(method, validators) == Verdict::Proceed
}

fn failed(error: &Error) -> Done {
    tracing::error!(%error, "cannot file a document");
    Done::Refused(error.refusal())
}

impl index::Handler for Indexer {
    fn start(&mut self, task: &mut Task, _cx: &mut JobCx<'_>) -> index::AfterStart {
        match std::mem::replace(task, Task::Nothing) {
            Task::File { name, condition, spooled } => {
                index::AfterStart::Digest { name, condition, spooled }
            }
            Task::Delete { name, condition } => index::AfterStart::Delete { name, condition },
            Task::Ask { .. } | Task::Nothing => {
                index::AfterStart::Finished { reply: Done::Refused(LOST) }
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
        _name: &mut Name,
        _condition: &mut Condition,
        spooled: &mut Spooled,
        digested: &mut Digested,
        _cx: &mut JobCx<'_>,
    ) -> index::AfterSettle {
        match self.store.settle(spooled, *digested) {
            Ok(settled) => index::AfterSettle::Enter { settled },
            Err(error) => index::AfterSettle::Finished { reply: failed(&error) },
        }
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
            Ok(None) => Done::Refused(PRECONDITION),
            Err(error) => failed(&error),
        };
        index::AfterEnter::Finished { reply }
    }

    fn clean(&mut self, filed: &mut Filed, _cx: &mut JobCx<'_>) -> index::AfterClean {
        Indexer::clean(self, filed);
        index::AfterClean::Finished { reply: Done::Filed(filed.clone()) }
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
