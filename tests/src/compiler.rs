use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, thread};

use serde_json::Value;

use crate::example::cargo;

/// The compiler, with the runtime built as a library.
#[derive(Debug)]
pub struct Compiler {
    runtime: Library,
    output: PathBuf,
}

/// A library that compiled programs can use.
#[derive(Debug)]
pub struct Library {
    path: PathBuf,
}

/// An error, a warning or a note of the compiler.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// `error`, `warning` and so on.
    pub level: String,
    /// The text.
    pub text: String,
    /// `line:column` of the caret.
    pub place: String,
}

impl Message {
    /// Whether the macro reported it.
    pub fn is_ours(&self) -> bool {
        self.text.contains("[fsm::")
    }
}

impl Library {
    /// Builds the first of these packages of the workspace or project at `root`, with the features that it has
    /// beside the others.
    pub fn build(packages: &[&str], root: &Path) -> Self {
        let built = cargo()
            .args(["build", "--lib", "--message-format", "json", "--quiet"])
            .args(packages.iter().flat_map(|package| ["--package", package]))
            .current_dir(root)
            .output()
            .expect("cargo should run");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        let text = String::from_utf8_lossy(&built.stdout);
        let artifacts = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let name = packages[0].replace('-', "_");
        let path = artifacts
            .filter(|artifact| artifact["target"]["name"] == *name)
            .find_map(|artifact| {
                artifact["filenames"].as_array()?.first()?.as_str().map(PathBuf::from)
            })
            .expect("cargo should print the path of the library");
        Self { path }
    }

    /// Adds the library to a command of `rustc`, as the crate `name`.
    pub fn extern_crate(&self, name: &str, rustc: &mut Command) {
        let dependencies = self.path.parent().expect("a file has a parent").join("deps");
        rustc
            .arg("--extern")
            .arg(format!("{name}={}", self.path.display()))
            .arg("-L")
            .arg(format!("dependency={}", dependencies.display()));
    }
}

impl Compiler {
    /// Builds the runtime with the features that the examples and this package need, which are the same: this package
    /// itself would be built once more without its tests, and tokio with it. The compiler writes to a subdirectory of
    /// `output`.
    pub fn new(output: &Path) -> Self {
        let packages = ["fsm-runtime", "fsm-examples"];
        let runtime = Library::build(&packages, Path::new(env!("CARGO_MANIFEST_DIR")));
        let output = output.join("ui");
        fs::create_dir_all(&output).expect("the target directory can be written");
        Self { runtime, output }
    }

    /// The version, such as `rustc 1.95.0 (..)`.
    pub fn version() -> String {
        let version = Command::new("rustc").arg("--version").output().expect("rustc should run");
        String::from_utf8_lossy(&version.stdout).into_owned()
    }

    /// Checks a program and returns the messages. If its name ends in `renamed`, its crate of the
    /// runtime is `my_fsm`.
    pub fn messages(&self, program: &Path, edition: &str) -> Vec<Message> {
        self.compile(program, edition, "metadata").1
    }

    /// Builds a program as [`Compiler::messages`] checks it, and returns its path with the messages.
    pub fn build(&self, program: &Path, edition: &str) -> (PathBuf, Vec<Message>) {
        self.compile(program, edition, "link")
    }

    fn compile(&self, program: &Path, edition: &str, emit: &str) -> (PathBuf, Vec<Message>) {
        let stem = program.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let runtime = if stem.ends_with("renamed") { "my_fsm" } else { "fsm_runtime" };
        let name = format!("case_{edition}_{stem}");
        let mut rustc = Command::new("rustc");
        rustc
            .args(["--edition", edition, "--crate-type", "bin", "--emit", emit])
            .args(["--error-format", "json", "--cap-lints", "warn", "--out-dir"])
            .arg(&self.output)
            .args(["--crate-name", &name])
            .arg(program);
        self.runtime.extern_crate(runtime, &mut rustc);
        let ran = rustc.output().expect("rustc should run");
        let text = String::from_utf8_lossy(&ran.stderr);
        let messages = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let built = self.output.join(name).with_extension(env::consts::EXE_EXTENSION);
        (built, messages.filter_map(|message| Message::read(&message)).collect())
    }

    /// Writes a generated program.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.output.join(name.replace('/', "_")).with_extension("rs");
        fs::write(&path, text).expect("the target directory can be written");
        path
    }

    /// Runs `check` on all `items`, on a few threads, and returns what it reports.
    pub fn each<T: Sync>(
        &self,
        items: &[T],
        check: impl Fn(&T) -> Option<String> + Sync,
    ) -> Vec<String> {
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Vec::new());
        let threads = thread::available_parallelism().map_or(2, usize::from);
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                        if let Some(text) = check(item) {
                            found
                                .lock()
                                .expect("no thread panics while it holds the lock")
                                .push(text);
                        }
                    }
                });
            }
        });
        found.into_inner().expect("no thread panics while it holds the lock")
    }
}

impl Message {
    fn read(message: &Value) -> Option<Self> {
        let (level, text) = (message["level"].as_str()?, message["message"].as_str()?);
        if text.starts_with("aborting due to") {
            return None;
        }
        let spans = message["spans"].as_array()?;
        let place = spans
            .iter()
            .find(|span| span["is_primary"] == true)
            .map(|span| format!("{}:{}", span["line_start"], span["column_start"]));
        let text = text.strip_prefix("evaluation panicked: ").unwrap_or(text);
        Some(Self {
            level: level.to_owned(),
            text: text.to_owned(),
            place: place.unwrap_or_default(),
        })
    }
}
