//! redis-py, the common Python client, runs every command of `kv`, in both protocols with `CI` and else in
//! the newer one: see `redis/test_commands.py`.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fsm_tests::{Server, all_in_ci, redis_py, run};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/redis/test_commands.py");

#[test]
fn redis_py_drives_every_command() {
    let Some(python) = redis_py(Path::new(env!("CARGO_TARGET_TMPDIR"))) else { return };
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
