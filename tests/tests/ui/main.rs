//! What the macro accepts, and what it says about the rest.
//!
//! - `ui/pass/*.rs` compile and run, in each edition; `ui/renamed/*.rs` know the runtime as `my_fsm`.
//! - `ui/fail/<family>/<cause>.rs` have one mistake each, and `ui/recover/*.rs` are half typed. Beside
//!   each is what a user reads. A case begins with what is wrong, then says what it plants: the
//!   numbers of our findings and of rustc's errors, where `syntax` is one of rustc without a number.
//!   A comment `//~ line` replaces the line before it to mend the case, `//~+ line` adds one, and
//!   `//~-` takes one away; `recover` needs none.
//!
//! `ERRORS.md` is made of these. `BLESS=1` accepts what it is now.

mod cases;
mod errors_md;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use fsm_tests::{Compiler, Message, skip, some_without_ci};

use self::cases::Case;

/// The compiler whose messages the `.stderr` files hold, beside ours.
const COMPILER: &str = "rustc 1.95.";

fn compiler() -> Compiler {
    Compiler::new(Path::new(env!("CARGO_TARGET_TMPDIR")))
}

/// With `CI` or `TRYBUILD`, because trybuild builds the dependencies once more and compiles one case after
/// another. The other tests look at our words in each case all the same.
#[test]
fn users_read_what_was_seen() {
    let wanted = ["CI", "TRYBUILD"].iter().any(|name| std::env::var_os(name).is_some());
    if !wanted {
        return skip("set `TRYBUILD=wip` or `CI` to compare all that rustc prints");
    }
    if !Compiler::version().starts_with(COMPILER) {
        return;
    }
    let tests = trybuild::TestCases::new();
    for case in Case::all() {
        let path = case.path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&case.path);
        tests.compile_fail(path);
    }
}

/// The lines of our own crates that rustc quotes are there, so that code that has moved is noticed before trybuild
/// runs.
#[test]
fn quotes_of_our_crates_are_in_their_files() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = 0;
    for case in Case::all() {
        for (file, code) in case.quotes() {
            let text = std::fs::read_to_string(workspace.join(file));
            let text = text.unwrap_or_else(|error| panic!("{}: {file}: {error}", case.name));
            assert!(text.contains(code), "{}: `{file}` has no `{code}`", case.name);
            found += 1;
        }
    }
    assert!(found > 0, "no case quotes our crates");
}

/// A verdict names declared targets alone, and a target that no verdict names is dead code.
#[test]
fn l1_only_declared_edges_compile() {
    let compiler = compiler();
    // Where the compiler finds fault with `Length`: it is not declared, or declared and not used.
    for (name, place) in
        [("fail/handlers/undeclared_edge", "20:30"), ("fail/handlers/never_taken", "11:10")]
    {
        let case = Case::all().find(|case| case.name == name).expect("the case is in `ui`");
        let messages = compiler.messages(&case.path, "2024");
        let finds = |message: &Message| message.place == place && message.text.contains("`Length`");
        assert!(messages.iter().any(finds), "{name}: {messages:#?}");
        let mended = compiler.write(name, &case.mended().expect("the case has a remedy"));
        let messages = compiler.messages(&mended, "2024");
        assert!(!messages.iter().any(|message| message.level == "error"), "{messages:#?}");
        assert!(!messages.iter().any(finds), "{name}: {messages:#?}");
    }
}

/// On a compiler with other words, ours are the same, and at the same place.
#[test]
fn our_messages_do_not_depend_on_the_compiler() {
    let compiler = compiler();
    let cases: Vec<Case> = Case::all().collect();
    let wrong = compiler.each(&cases, |case| {
        let expected = case.ours();
        let found = compiler.messages(&case.path, "2024");
        let found: BTreeSet<_> = found.into_iter().filter(Message::is_ours).collect();
        (found != expected).then(|| format!("{}: {found:#?}", case.name))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_case_has_the_errors_that_it_plants_and_no_more() {
    for case in Case::all() {
        let mut found = case.errors();
        found.sort();
        let mut planted = case.plants.clone();
        planted.sort();
        assert_eq!(found, planted, "{}", case.name);
    }
}

/// Without `CI` those of every third case.
#[test]
fn each_remedy_compiles() {
    let compiler = compiler();
    let cases: Vec<Case> = Case::all().filter(|case| !case.is_half_typed()).collect();
    let cases = some_without_ci(cases, 3);
    let wrong = compiler.each(&cases, |case| {
        let Some(mended) = case.mended() else {
            return Some(format!("{}: nothing mends it", case.name));
        };
        let path = compiler.write(&case.name, &mended);
        let mut messages = compiler.messages(&path, "2024");
        messages.retain(|message| message.level == "error");
        (!messages.is_empty()).then(|| format!("{}: {messages:#?}", case.name))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// They compile without a warning, and run. Without `CI` every fourth is compiled in edition 2021, too.
#[test]
fn l10_what_passes_passes_in_each_edition() {
    let compiler = compiler();
    let mut programs = cases::programs("ui/pass");
    programs.extend(cases::programs("ui/renamed"));
    let in_both = some_without_ci(programs.iter().collect(), 4);
    let wrong = compiler.each(&programs, |path| {
        let name = path.display();
        let faults = |edition: &str, mut messages: Vec<Message>| {
            messages.retain(|message| message.level != "failure-note");
            (!messages.is_empty()).then(|| format!("{name}, edition {edition}: {messages:#?}"))
        };
        let in_2021 = || faults("2021", compiler.messages(path, "2021"));
        in_both.contains(&path).then(in_2021).flatten().or_else(|| {
            let (program, messages) = compiler.build(path, "2024");
            faults("2024", messages).or_else(|| {
                let ran = Command::new(program).output().expect("a program that compiled runs");
                (!ran.status.success())
                    .then(|| format!("{name}: {}", String::from_utf8_lossy(&ran.stderr)))
            })
        })
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(programs.len() >= 25);
}

/// They need an `extern crate`, as any dependency does there.
#[test]
fn l10_a_machine_compiles_in_the_oldest_editions() {
    let compiler = compiler();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ui/pass/echo.rs");
    let echo = std::fs::read_to_string(path).expect("a program can be read");
    let program = echo.replacen("use fsm_runtime", "extern crate fsm_runtime;\nuse fsm_runtime", 1);
    let path = compiler.write("oldest_editions", &program);
    for edition in ["2015", "2018"] {
        assert_eq!(compiler.messages(&path, edition), [], "edition {edition}");
    }
}

#[test]
fn every_finding_has_a_case() {
    let planted: BTreeSet<String> = Case::all().flat_map(|case| case.plants).collect();
    for number in errors_md::numbers() {
        assert!(planted.contains(&number), "no case plants {number}");
    }
    let count = |family: &str| Case::all().filter(|case| case.name.starts_with(family)).count();
    assert!(count("fail/") >= 90 && count("recover/") >= 10);
}

#[test]
fn errors_md_is_true() {
    let cases: Vec<Case> = Case::all().filter(|case| !case.is_half_typed()).collect();
    errors_md::check(&cases);
}
