//! The folders of `src` have a direction: a module uses only modules of lower layers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// From the lowest layer to the highest; modules of one layer do not use each other.
const LAYERS: [&[&str]; 8] = [
    &["error", "peer", "workload", "cpus"],
    &["tool", "figure", "host"],
    &["process"],
    &["lab"],
    &["certificate"],
    &["measure", "load", "servers", "programs", "external", "report"],
    &["figures"],
    &["main"],
];

fn layer(module: &str) -> usize {
    let found = LAYERS.iter().position(|modules| modules.contains(&module));
    found.unwrap_or_else(|| panic!("module `{module}` has no layer"))
}

/// All Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The top-level modules that a file names in paths.
fn used(text: &str) -> Vec<&str> {
    let end = |path: &str| path.find(|c: char| !c.is_alphanumeric() && c != '_');
    let paths = text.split("crate::").skip(1);
    paths.map(|path| &path[..end(path).unwrap_or(path.len())]).collect()
}

#[test]
fn modules_use_only_lower_layers() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in files(&source) {
        let relative = file.strip_prefix(&source).unwrap();
        let first = Path::new(relative.iter().next().unwrap());
        let module = first.file_stem().unwrap().to_str().unwrap();
        for used in used(&fs::read_to_string(&file).unwrap()) {
            assert!(
                used == module || layer(used) < layer(module),
                "{} uses `{used}`",
                relative.display()
            );
        }
    }
}
