use std::fs;
use std::io::{Read, Seek};
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;

use super::*;
use crate::api;

mod search;

/// A store in a temporary directory.
struct Fixture {
    root: TempDir,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let (store, recovery) = Store::open(root.path()).unwrap();
        assert!(recovery.is_empty());
        Self { root, store }
    }

    fn spool(&self, bytes: &[u8]) -> Spooled {
        let mut spool = Spool::create(self.store.directory()).unwrap();
        bytes.chunks(7).for_each(|chunk| spool.write(chunk).unwrap());
        spool.finish()
    }

    fn put(&mut self, name: &str, bytes: &[u8]) -> Filed {
        let spooled = self.spool(bytes);
        file(&mut self.store, name, spooled)
    }

    /// Copies the directory as a crash at this moment would leave it, and opens the copy.
    fn crash(&self) -> Crashed {
        let root = TempDir::new().unwrap();
        for directory in [PathBuf::new(), "docs".into(), "tmp".into()] {
            fs::create_dir_all(root.path().join(&directory)).unwrap();
            for entry in fs::read_dir(self.root.path().join(&directory)).unwrap() {
                let entry = entry.unwrap();
                if entry.metadata().unwrap().is_file() {
                    let to = root.path().join(&directory).join(entry.file_name());
                    fs::copy(entry.path(), to).unwrap();
                }
            }
        }
        let (store, recovery) = Store::open(root.path()).unwrap();
        // No other file is left, and another start finds nothing to remove.
        let files = directory::files(&root.path().join("docs")).unwrap().len();
        assert_eq!(files, store.list("", 1000).unwrap().documents.len());
        assert!(directory::files(&root.path().join("tmp")).unwrap().is_empty());
        drop(store);
        let (store, again) = Store::open(root.path()).unwrap();
        assert!(again.is_empty(), "{again}");
        Crashed { store, recovery, _root: root }
    }
}

struct Crashed {
    store: Store,
    recovery: Recovery,
    _root: TempDir,
}

fn file(store: &mut Store, document: &str, mut spooled: Spooled) -> Filed {
    let digested = spooled.digest().unwrap();
    let mut settled = store.settle(&mut spooled, digested).unwrap();
    settled.read_text().unwrap();
    let filed = store.index(&name(document), &mut settled, |_| true).unwrap().unwrap();
    filed.replaced.iter().for_each(|path| cleanup(path));
    filed
}

fn name(name: &str) -> Name {
    Name::new(name).unwrap()
}

fn read(store: &Store, document: &str) -> Option<String> {
    let (document, mut file) = store.open_file(&name(document)).unwrap()?;
    let mut text = String::new();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(document.len, u64::try_from(text.len()).unwrap());
    Some(text)
}

fn found(store: &Store, words: &str) -> Vec<String> {
    store.search(words, 100).unwrap().into_iter().map(|hit| hit.name).collect()
}

#[test]
fn a_document_is_filed_found_and_deleted() {
    let mut f = Fixture::new();
    let filed = f.put("a b.txt", b"hello");
    assert_eq!(filed.replaced, None);
    let document = f.store.find(&name("a b.txt")).unwrap().unwrap();
    assert_eq!(document, filed.document);
    assert_eq!((&*document.name, document.len), ("a b.txt", 5));
    let sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    assert_eq!(document.digest.to_string(), sha256);
    assert_eq!(read(&f.store, "a b.txt").as_deref(), Some("hello"));
    assert_eq!(f.store.find(&name("a")).unwrap(), None);

    assert_eq!(f.store.delete(&name("a b.txt"), |_| false).unwrap(), None);
    assert_eq!(f.store.delete(&name("a b.txt"), |_| true).unwrap(), Some(document));
    assert_eq!(f.store.delete(&name("a b.txt"), |_| true).unwrap(), None);
    assert_eq!(read(&f.store, "a b.txt"), None);
    assert!(found(&f.store, "hello").is_empty());
    assert!(f.crash().recovery.is_empty());
}

#[test]
fn a_document_is_replaced() {
    let mut f = Fixture::new();
    let old = f.put("a", b"old words").document;
    let (_, mut file) = f.store.open_file(&name("a")).unwrap().unwrap();
    let filed = f.put("a", b"new words");
    assert_eq!(filed.replaced, Some(old.path.clone()));
    assert!(!old.path.exists());
    assert_eq!(read(&f.store, "a").as_deref(), Some("new words"));
    assert_eq!((found(&f.store, "old").len(), found(&f.store, "new").len()), (0, 1));

    // A reader of the old document still gets its bytes.
    f.store.delete(&name("a"), |_| true).unwrap();
    let mut text = String::new();
    file.rewind().unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "old words");
}

#[test]
fn the_same_bytes_may_have_many_names() {
    let mut f = Fixture::new();
    f.put("a", b"same");
    f.put("b", b"same");
    f.put("a", b"same");
    f.store.delete(&name("a"), |_| true).unwrap();
    assert_eq!(read(&f.store, "b").as_deref(), Some("same"));
}

#[test]
fn a_condition_that_fails_changes_nothing() {
    let mut f = Fixture::new();
    f.put("a", b"old");
    let mut spooled = f.spool(b"new");
    let digested = spooled.digest().unwrap();
    let mut settled = f.store.settle(&mut spooled, digested).unwrap();
    settled.read_text().unwrap();
    let filed = f.store.index(&name("a"), &mut settled, |old| old.is_none()).unwrap();
    assert!(filed.is_none());
    drop((settled, spooled));
    assert_eq!(read(&f.store, "a").as_deref(), Some("old"));
    assert!(f.crash().recovery.is_empty());
}

#[test]
fn after_a_crash_at_any_step_a_document_is_old_or_new() {
    for old in [None, Some("old words")] {
        let mut f = Fixture::new();
        if let Some(old) = old {
            f.put("a", old.as_bytes());
        }
        f.put("other", b"other words");
        let expect = |f: &Fixture, text: Option<&str>, spools, unnamed| {
            let crashed = f.crash();
            assert_eq!(read(&crashed.store, "a").as_deref(), text);
            assert_eq!(read(&crashed.store, "other").as_deref(), Some("other words"));
            assert_eq!(found(&crashed.store, "words").len(), 1 + usize::from(text.is_some()));
            let word = text.and_then(|text| text.split(' ').next());
            for term in ["old", "new"] {
                assert_eq!(found(&crashed.store, term).len(), usize::from(word == Some(term)));
            }
            assert_eq!(crashed.recovery, Recovery { spools, unnamed, broken: Vec::new() });
        };

        expect(&f, old, 0, 0);
        let mut spool = Spool::create(f.store.directory()).unwrap();
        expect(&f, old, 1, 0);
        spool.write(b"new ").unwrap();
        expect(&f, old, 1, 0);
        spool.write(b"words").unwrap();
        let mut spooled = spool.finish();
        expect(&f, old, 1, 0);
        let digested = spooled.digest().unwrap();
        expect(&f, old, 1, 0);
        let mut settled = f.store.settle(&mut spooled, digested).unwrap();
        settled.read_text().unwrap();
        expect(&f, old, 0, 1);
        // A crash in the middle of a transaction, which another connection holds open.
        let (root, directory) = (f.root, Arc::clone(f.store.directory()));
        let f2 = Fixture { root, store: Store::connect(&directory).unwrap() };
        let filed = f.store.index(&name("a"), &mut settled, |_| {
            expect(&f2, old, 0, 1);
            true
        });
        let filed = filed.unwrap().unwrap();
        f = Fixture { root: f2.root, store: f.store };
        expect(&f, Some("new words"), 0, usize::from(old.is_some()));
        filed.replaced.iter().for_each(|path| cleanup(path));
        expect(&f, Some("new words"), 0, 0);
        drop((settled, spooled));
        expect(&f, Some("new words"), 0, 0);
        f.store.delete(&name("a"), |_| true).unwrap();
        expect(&f, None, 0, 0);
    }
}

#[test]
fn a_deleted_file_that_is_left_is_removed() {
    let mut f = Fixture::new();
    let document = f.put("a", b"words").document;
    let copy = fs::read(&document.path).unwrap();
    f.store.delete(&name("a"), |_| true).unwrap();
    fs::write(&document.path, copy).unwrap(); // as if the process had died before
    let crashed = f.crash();
    assert_eq!((crashed.recovery.unnamed, read(&crashed.store, "a")), (1, None));
}

#[test]
fn an_abandoned_upload_leaves_nothing() {
    let mut f = Fixture::new();
    let tmp = f.root.path().join("tmp");
    let docs = f.root.path().join("docs");
    drop(Spool::create(f.store.directory()).unwrap());
    drop(f.spool(b"x"));
    let mut spooled = f.spool(b"x");
    let digested = spooled.digest().unwrap();
    let settled = f.store.settle(&mut spooled, digested).unwrap();
    drop(spooled);
    assert_eq!(directory::files(&docs).unwrap().len(), 1);
    drop(settled);
    assert!(directory::files(&docs).unwrap().is_empty());
    assert!(directory::files(&tmp).unwrap().is_empty());
    assert!(f.store.delete(&name("x"), |_| true).unwrap().is_none());
}

#[test]
fn changed_files_are_reported() {
    let mut f = Fixture::new();
    let missing = f.put("missing", b"words").document;
    let short = f.put("short", b"words").document;
    f.put("whole", b"words");
    fs::remove_file(missing.path).unwrap();
    assert!(f.store.open_file(&name("missing")).is_err());
    fs::write(short.path, b"word").unwrap();
    let crashed = f.crash();
    assert_eq!(crashed.recovery.broken, ["missing", "short"]);
    assert_eq!(found(&crashed.store, "words"), ["whole"]);
}

#[test]
fn a_directory_is_used_by_one_process() {
    let f = Fixture::new();
    assert!(matches!(Store::open(f.root.path()), Err(Error::InUse(_))));
    let another = Store::connect(f.store.directory()).unwrap();
    drop(f.store);
    assert!(matches!(Store::open(f.root.path()), Err(Error::InUse(_))));
    drop(another);
    assert!(Store::open(f.root.path()).is_ok());
}

#[test]
fn foreign_files_are_left_alone() {
    let root = TempDir::new().unwrap();
    fs::create_dir(root.path().join("docs")).unwrap();
    let thesis = root.path().join("docs/thesis.tex");
    fs::write(&thesis, "years of work").unwrap();
    for _ in 0..2 {
        assert!(matches!(Store::open(root.path()), Err(Error::Foreign(_))));
        assert_eq!(fs::read_to_string(&thesis).unwrap(), "years of work");
    }
}

#[test]
fn the_list_comes_in_pages() {
    let mut f = Fixture::new();
    for document in ["b", "ä", "a", "Z", "a b", "100%"] {
        f.put(document, document.as_bytes());
    }
    let mut pages = Vec::new();
    let mut after = String::new();
    loop {
        let page = api::List::from(f.store.list(&after, 2).unwrap());
        pages.push(page.docs.iter().map(|document| document.name.clone()).collect::<Vec<_>>());
        match page.next {
            Some(next) => after = next,
            None => break,
        }
    }
    assert_eq!(pages, [["100%", "Z"], ["a", "a b"], ["b", "ä"]]);
    assert!(f.store.list("ä", 2).unwrap().documents.is_empty());
}

/// Threads that file, read and delete the same names never see an incomplete document.
#[test]
fn threads_share_a_store() {
    let f = Fixture::new();
    let directory = f.store.directory();
    thread::scope(|scope| {
        for thread in 0..3 {
            scope.spawn(move || {
                let mut store = Store::connect(directory).unwrap();
                for round in 0..20 {
                    let mut spool = Spool::create(directory).unwrap();
                    spool.write(format!("{thread} {round} words").as_bytes()).unwrap();
                    file(&mut store, &format!("doc{}", round % 2), spool.finish());
                    if round % 5 == thread {
                        store.delete(&name("doc0"), |_| true).unwrap();
                    }
                }
            });
        }
        scope.spawn(move || {
            let store = Store::connect(directory).unwrap();
            for _ in 0..300 {
                for document in ["doc0", "doc1"] {
                    assert!(read(&store, document).is_none_or(|text| text.ends_with(" words")));
                }
                assert!(found(&store, "words").len() <= 2);
            }
        });
    });
    let crashed = f.crash();
    assert!(crashed.recovery.is_empty(), "{}", crashed.recovery);
}
