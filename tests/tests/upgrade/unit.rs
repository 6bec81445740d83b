//! The unit of the guide for systemd.

use std::fs;
use std::process::Command;

use fsm_tests::{TIMEOUT, TempDir, client, example, run};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/guide/upgrade.md");

#[test]
fn u12_the_unit_of_the_guide_is_valid() {
    let Some(analyze) = client("systemd-analyze") else { return };
    let guide = fs::read_to_string(GUIDE).expect("the guide is there");
    let (_, unit) = guide.split_once("```ini\n# kv.service\n").expect("the guide has the unit");
    let (unit, _) = unit.split_once("```").expect("the block has an end");
    // The program must be there.
    let kv = example("kv").display().to_string();
    assert!(unit.contains("ExecStart=/usr/bin/kv "), "{unit}");
    let unit = unit.replace("/usr/bin/kv ", &format!("{kv} "));
    let verify = |text: &str| {
        let folder = TempDir::new("unit");
        let file = folder.write("kv.service", text);
        run(Command::new(&analyze).arg("verify").arg(file), TIMEOUT)
    };
    let ran = verify(&unit);
    assert!(ran.status.success() && ran.stderr.is_empty(), "{ran:?}");
    let ran = verify(&unit.replace("NotifyAccess", "NoticeAccess"));
    assert!(!ran.stderr.is_empty(), "it finds a word that systemd does not know");
}
