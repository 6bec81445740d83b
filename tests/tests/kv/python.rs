//! redis-py, the common Python client, runs every command of `kv`, in both protocols with `CI` and else in
//! the newer one: see `redis/test_commands.py`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use fsm_tests::{Server, all_in_ci, client, run, skip};

const REQUIREMENTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/redis/requirements.txt");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/redis/test_commands.py");

#[test]
fn redis_py_drives_every_command() {
    let Some(python) = client("python3") else { return };
    let Some(python) = with_redis_py(&python) else { return };
    let server = Server::kv(&[]);
    for protocol in all_in_ci(&["2", "3"][..], &["3"]) {
        let mut script = Command::new(&python);
        script.args([SCRIPT, &server.port(), protocol]);
        let ran = run(&mut script, Duration::from_secs(120));
        println!("RESP{protocol}: {}", ran.stderr.trim_end());
        assert!(ran.status.success(), "{}\n{}", ran.stdout, ran.stderr);
    }
    server.stop();
}

/// The path of a Python with the packages of `requirements.txt`, in a virtual environment in the
/// target directory.
fn with_redis_py(python: &Path) -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("redis-py");
    let (program, installed) = (dir.join("bin/python"), dir.join("requirements.txt"));
    let wanted = fs::read(REQUIREMENTS).expect("the requirements should be there");
    if fs::read(&installed).is_ok_and(|installed| installed == wanted) {
        return Some(program);
    }
    let path = dir.to_string_lossy();
    let steps = [
        (python, &["-m", "venv", "--clear", &path][..]),
        (&program, &["-m", "pip", "install", "--quiet", "--requirement", REQUIREMENTS][..]),
    ];
    for (program, arguments) in steps {
        let ran = run(Command::new(program).args(arguments), Duration::from_secs(180));
        if !ran.status.success() {
            let said = format!("{}{}", ran.stdout, ran.stderr);
            skip(&format!(
                "redis-py cannot be installed: `{} {}` says `{}`; this needs the network, and \
                 `apt-get install -y python3-venv`",
                program.display(),
                arguments.join(" "),
                said.trim_end().lines().last().unwrap_or_default(),
            ));
            return None;
        }
    }
    fs::write(installed, wanted).expect("the target directory can be written to");
    Some(program)
}
