//! Each pass uses earlier passes only, so that the modules have no cycle.

use std::fs;
use std::path::{Path, PathBuf};

/// The modules of the crate, from the one that uses no other.
const LAYERS: [&str; 13] = [
    "quoting", "spelling", "code", "errors", "ast", "parse", "graph", "check", "model", "lower",
    "expand", "fallback", "frame",
];

/// Modules that only tests have; they may use all.
const OF_TESTS: [&str; 3] = ["fuzz", "layers", "snapshot"];

#[test]
fn no_module_uses_a_later_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 40, "{files:?}");
    for file in files {
        let path = file.strip_prefix(&root).unwrap().with_extension("");
        let names: Vec<&str> = path.iter().map(|name| name.to_str().unwrap()).collect();
        if names == ["lib"] || names.iter().any(|name| OF_TESTS.contains(name)) {
            continue;
        }
        let own = layer(names[0]);
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code = code.split("#[cfg(test)]\npub(crate) mod tests").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for used in line.split("crate::").skip(1) {
                let name = used.split(|letter: char| !letter.is_alphanumeric()).next().unwrap();
                assert!(layer(name) <= own, "{} uses {name}: {line}", path.display());
            }
        }
    }
}

fn layer(name: &str) -> usize {
    let found = LAYERS.iter().position(|layer| *layer == name);
    found.unwrap_or_else(|| panic!("`{name}` is in no layer"))
}

fn sources(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("snapshots") {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
