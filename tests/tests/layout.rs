//! The folders of the runtime use each other in one direction only, and no modules of the other crates do so
//! in a circle. Programs that tests start are built of the libraries of the tests.
//!
//! Code that is built for tests alone is exempt, and so is the crate's root, which lists them.

#[path = "layout/cycle.rs"]
mod cycle;
#[path = "layout/features.rs"]
mod features;
#[path = "layout/sources.rs"]
mod sources;
#[path = "layout/tokens.rs"]
mod tokens;

use self::sources::Sources;

/// The folders and root modules of `fsm-runtime`. Each may use those of the lines above it and, of its
/// own line, none but itself; only the vocabulary, in the first line, is one whole.
const FOLDERS: [&[&str]; 11] = [
    &[
        "key", "log", "moves", "panics", "frame", "proxy", "spec", "address", "peer", "error",
        "snapshot", "stats", "clock", "sync", "target", "wake", "other",
    ],
    &["net"],
    &["call"],
    &["outgoing"],
    &["scheduler"],
    &["lifecycle"],
    &["machine"],
    &["driver", "connection", "job"],
    &["embed"],
    &["server", "sim"],
    &["prelude"],
];

#[test]
fn a_folder_of_the_runtime_uses_only_those_before_it() {
    let sources = Sources::read("fsm-runtime");
    let line = |folder: &str| {
        FOLDERS.iter().position(|line| line.contains(&folder)).unwrap_or_else(|| {
            panic!("`{folder}` of fsm-runtime has no place in `FOLDERS`; give it one")
        })
    };
    let mut wrong = Vec::new();
    for reference in &sources.references {
        let (Some(from), Some(to)) = (reference.from.first(), reference.to.first()) else {
            continue;
        };
        let (at, of) = (line(from), line(to));
        if from == to || at == 0 && of == 0 || of < at {
            continue;
        }
        let order = if of == at { "stands beside it" } else { "comes after it" };
        wrong.push(format!(
            "{}: `{from}` uses `{to}`, which {order}; move what both need to a folder before them, or \
             have `{from}` declare a trait that `{to}` implements",
            reference.place
        ));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    // It has read what it judges.
    assert!(sources.references.len() > 300, "{}", sources.references.len());
}

#[test]
fn no_modules_use_each_other_in_a_circle() {
    let crates = ["fsm-macros", "fsm-diagram", "benches", "examples", "tests"];
    let cycles = crates.map(|name| cycle::among_siblings(name, &Sources::read(name).references));
    let cycles = cycles.concat();
    assert!(cycles.is_empty(), "\n{}", cycles.join("\n"));
}

/// `cargo test` unifies the features that all packages and tests want, but a build of the examples has only theirs.
/// With other features, the runtime and much else would be compiled twice.
#[test]
fn programs_that_tests_start_share_their_libraries_with_the_tests() {
    let tests = features::of(&[]);
    let programs = features::of(&["--package", "fsm-examples", "--edges", "normal,build"]);
    let other: Vec<_> = programs.difference(&tests).collect();
    assert!(
        other.is_empty(),
        "built with fewer features than for the tests; let fsm-examples ask for the same: {other:#?}"
    );
    assert!(programs.len() > 50, "{programs:#?}");
}

#[test]
fn m5_without_pools_nothing_of_sockets_and_polls_is_built() {
    let arguments =
        ["--package", "fsm-runtime", "--no-default-features", "--edges", "normal,build"];
    let built = features::of(&arguments);
    let names: Vec<_> = built.iter().filter_map(|line| line.split(' ').next()).collect();
    for absent in ["mio", "nix", "quinn-udp", "rustix", "sd-listen-fds", "signal-hook", "socket2"] {
        assert!(!names.contains(&absent), "{absent} is among {names:?}");
    }
    assert!(names.contains(&"fsm-macros") && names.contains(&"slab"), "{names:?}");
}
