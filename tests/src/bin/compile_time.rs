//! Measures the macro at compile time, beside the derive of `thiserror` in the same run.
//!
//! Start it with `cargo run --release -p fsm-tests --bin compile_time`, with the number of rounds
//! as an optional argument. It prints the shortest times of alternating rounds, of which only the
//! ratios are meaningful.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use std::{env, fs};

use fsm_tests::Library;

const SIZES: [usize; 3] = [5, 50, 500];

fn main() {
    let rounds = env::args().nth(1).map_or(5, |rounds| rounds.parse().expect("a number of rounds"));
    let scratch = env::temp_dir().join(format!("compile_time_{}", std::process::id()));
    fs::create_dir_all(&scratch).expect("the temporary directory can be written");
    cold(&scratch, rounds.min(3));
    expansion(&scratch, rounds);
    fs::remove_dir_all(&scratch).expect("the temporary directory can be removed");
}

/// Measures a build of the macro's crate and its dependencies from scratch.
fn cold(scratch: &Path, rounds: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let peer = thiserror_project(scratch);
    let builds = [("fsm-macros", root), ("thiserror", &peer)];
    let mut shortest = [Duration::MAX; 2];
    for _ in 0..rounds {
        for (shortest, (package, root)) in shortest.iter_mut().zip(builds) {
            let target = scratch.join("cold");
            let start = Instant::now();
            let built = Command::new("cargo")
                .args(["build", "--quiet", "--package", package, "--target-dir"])
                .arg(&target)
                .current_dir(root)
                .status()
                .expect("cargo should run");
            *shortest = start.elapsed().min(*shortest);
            assert!(built.success());
            fs::remove_dir_all(target).expect("the target directory can be removed");
        }
    }
    println!("| build from scratch | seconds | ratio |\n|---|---|---|");
    for ((package, _), time) in builds.iter().zip(shortest) {
        let ratio = time.as_secs_f64() / shortest[1].as_secs_f64();
        println!("| `{package}` | {:.2} | {ratio:.2} |", time.as_secs_f64());
    }
}

/// Writes a project that depends on `thiserror`.
fn thiserror_project(scratch: &Path) -> PathBuf {
    let peer = scratch.join("peer");
    fs::create_dir_all(peer.join("src")).expect("the temporary directory can be written");
    let manifest = "[package]\nname = \"peer\"\nedition = \"2024\"\n[dependencies]\nthiserror = \"2\"\n[workspace]\n";
    fs::write(peer.join("Cargo.toml"), manifest).expect("a file can be written");
    fs::write(peer.join("src/lib.rs"), "").expect("a file can be written");
    peer
}

/// Measures `rustc` on an enum with several numbers of variants, plain and with each macro.
fn expansion(scratch: &Path, rounds: usize) {
    let ours = Library::build(&["fsm-runtime"], Path::new(env!("CARGO_MANIFEST_DIR")));
    let peer = Library::build(&["thiserror"], &scratch.join("peer"));
    println!("\n| states | plain | `thiserror` | `state_machine` | bytes generated a state |");
    println!("|---|---|---|---|---|");
    for states in SIZES {
        let programs = [plain(states), thiserror(states), machine(states)].map(|text| {
            let path = scratch.join("program.rs");
            (path, text)
        });
        let mut shortest = [Duration::MAX; 3];
        for _ in 0..rounds {
            for (shortest, (path, text)) in shortest.iter_mut().zip(&programs) {
                fs::write(path, text).expect("a file can be written");
                let mut rustc = rustc(path, scratch);
                ours.extern_crate("fsm_runtime", &mut rustc);
                peer.extern_crate("thiserror", &mut rustc);
                let start = Instant::now();
                let compiled = rustc.status().expect("rustc should run");
                *shortest = start.elapsed().min(*shortest);
                assert!(compiled.success());
            }
        }
        let (path, text) = &programs[2];
        fs::write(path, text).expect("a file can be written");
        let mut rustc = rustc(path, scratch);
        ours.extern_crate("fsm_runtime", &mut rustc);
        rustc.arg("-Zunpretty=expanded").env("RUSTC_BOOTSTRAP", "1");
        let expanded = rustc.output().expect("rustc should run").stdout.len();
        let [plain, peer, ours] = shortest.map(|time| time.as_secs_f64() * 1e3);
        let each = (expanded - text.len()) / states;
        println!(
            "| {states} | {plain:.0} ms | {peer:.0} ms ({:.2}) | {ours:.0} ms ({:.2}) | {each} |",
            peer / plain,
            ours / plain,
        );
    }
}

fn rustc(program: &Path, output: &Path) -> Command {
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--edition", "2024", "--crate-type", "lib", "--emit", "metadata", "-A", "warnings"])
        .arg("--out-dir")
        .arg(output)
        .arg(program);
    rustc
}

fn plain(states: usize) -> String {
    let mut text = "pub enum Big {\n".to_owned();
    for state in 0..states {
        let _ = writeln!(text, "    /// Waits for the next.\n    State{state} {{ left: u64 }},");
    }
    text + "    Closed,\n}\n"
}

fn thiserror(states: usize) -> String {
    let mut text = "#[derive(Debug, thiserror::Error)]\npub enum Big {\n".to_owned();
    for state in 0..states {
        let _ = writeln!(
            text,
            "    #[error(\"state {state}, {{left}} left\")]\n    State{state} {{ left: u64 }},"
        );
    }
    text + "    #[error(\"closed\")]\n    Closed,\n}\n"
}

/// A machine whose states read with a deadline and carry data. No handler implements its trait, as
/// in a library.
fn machine(states: usize) -> String {
    let mut text = "use fsm_runtime::prelude::*;\n\
        #[state_machine(start = Start, eof => Closed, limit => Closed)]\n\
        pub enum Big {\n    #[run]\n    #[to(State0)]\n    Start,\n"
        .to_owned();
    for state in 0..states {
        let next = (state + 1) % states;
        let _ = writeln!(
            text,
            "    /// Waits for the next.\n    \
                 #[read(until = b\"\\n\", max = 1KiB, idle = 30s => Closed)]\n    \
                 #[to(State{state} | State{next} | Closed)]\n    \
                 State{state} {{ left: u64 }},"
        );
    }
    text + "    #[end]\n    Closed,\n}\n"
}
