//! Which module of a crate uses which other ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::tokens::{self, Found, Mention};

/// The names on the way from the root to a module, none for the root itself.
pub(crate) type Module = Vec<String>;

/// The modules of a crate that are not for tests alone, and what they use of it.
pub(crate) struct Sources {
    pub(crate) references: Vec<Reference>,
}

/// One module mentions another one, or an item in it.
pub(crate) struct Reference {
    /// The file and its line.
    pub(crate) place: String,
    pub(crate) from: Module,
    pub(crate) to: Module,
}

impl Sources {
    /// Reads the crate in that folder of the workspace.
    pub(crate) fn read(name: &str) -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let source = workspace.join(name).join("src");
        let mut files = Vec::new();
        collect(&source, &mut files);
        files.sort();

        let mut modules = BTreeSet::new();
        let mut tests = Vec::new();
        let mut mentions = Vec::new();
        for file in files {
            let text = fs::read_to_string(&file).expect("a source can be read");
            let inside = file.strip_prefix(&source).expect("it is in the folder");
            let found = tokens::scan(&text, module(inside));
            let Found { modules: inline, tests: for_tests, mentions: in_file } = found;
            modules.extend(inline);
            tests.extend(for_tests);
            let shown = Path::new(name).join("src").join(inside);
            mentions.extend(in_file.into_iter().map(|mention| (shown.clone(), mention)));
        }
        let is_for_tests =
            |module: &Module| tests.iter().any(|tests: &Module| module.starts_with(tests));
        mentions.retain(|(_, mention)| !is_for_tests(&mention.from));

        let exports = exports(&mentions);
        let module_of = |path: &[String]| -> Module {
            let known = (0..=path.len()).rev().find(|end| modules.contains(&path[..*end]));
            path[..known.unwrap_or(0)].to_vec()
        };
        let resolved = |(file, mention): (PathBuf, Mention)| {
            let mut to = module_of(&mention.path);
            if let (true, Some(name)) = (to.is_empty(), mention.path.first()) {
                to = exports.get(name).map(|path| module_of(path)).unwrap_or_default();
            }
            let place = format!("{}:{}", file.display(), mention.line);
            Reference { place, from: mention.from, to }
        };
        Self { references: mentions.into_iter().map(resolved).collect() }
    }
}

/// All source files in the folder and below.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the crate has sources") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The module of a file: `a/b.rs` and `a/b/mod.rs` have `a::b`.
fn module(file: &Path) -> Module {
    let names = file.with_extension("");
    let names = names.iter().map(|name| name.to_str().expect("names are text").to_owned());
    let mut module: Module = names.collect();
    if module.last().is_some_and(|last| ["lib", "main", "mod"].contains(&last.as_str())) {
        module.pop();
    }
    module
}

/// The items that the root re-exports, by their names there.
fn exports(mentions: &[(PathBuf, Mention)]) -> BTreeMap<String, Vec<String>> {
    let of_root = mentions.iter().map(|(_, mention)| mention).filter(|it| it.from.is_empty());
    of_root.filter_map(|it| Some((it.name.clone()?, it.path.clone()))).collect()
}
