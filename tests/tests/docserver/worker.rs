//! `docserver --worker`: processes that run Python read the text of documents.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use fsm_tests::{Docserver, TIMEOUT, TempDir, client, eventually, run};

/// The example that reads office documents.
const INDEX: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/python/index.py");

/// Writes documents of each kind into a directory, each with a word of its own.
const OFFICE: &str = r#"
import os, sys, zipfile
def archive(name, **members):
    with zipfile.ZipFile(os.path.join(sys.argv[1], name), "w", zipfile.ZIP_DEFLATED) as file:
        for member, text in members.items():
            file.writestr(member.replace("__", "/").replace("_xml", ".xml"), text)
W, A = 'xmlns:w="w"', 'xmlns:a="a"'
archive("letter.docx",
    word__document_xml=f'<w:document {W}><w:p><w:r><w:t>quick</w:t></w:r><w:r><w:t>silver</w:t></w:r></w:p><w:p><w:instrText>hidden</w:instrText></w:p></w:document>',
    word__header1_xml=f'<w:hdr {W}><w:p><w:t>letterhead</w:t></w:p></w:hdr>')
archive("table.xlsx", xl__workbook_xml="<workbook/>",
    xl__sharedStrings_xml="<sst><si><t>turnover</t></si></sst>",
    xl__worksheets__sheet1_xml='<s><row><c t="inlineStr"><is><t>cellwise</t></is></c><c><v>42</v></c></row></s>')
archive("talk.pptx", ppt__presentation_xml="<p/>",
    ppt__slides__slide1_xml=f'<p {A}><a:p><a:r><a:t>keynote</a:t></a:r></a:p></p>')
archive("essay.odt", content_xml='<o xmlns:text="t"><text:h>Heading</text:h><text:p>open<text:s/>standard</text:p></o>')
entities = "".join(f'<!ENTITY e{n} "{("&e%d;" % (n - 1)) * 10 if n else "hilarity"}">' for n in range(12))
archive("laughs.odt", content_xml=f'<!DOCTYPE o [{entities}]><o>&e11;</o>')
with zipfile.ZipFile(os.path.join(sys.argv[1], "bomb.odt"), "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
    with file.open("content.xml", "w") as member:
        member.write(b"<o>")
        for _ in range(40):
            member.write(b"<!--" + b"x" * (1 << 20) + b"-->")
        member.write(b"<t>exploded</t></o>")
with zipfile.ZipFile(os.path.join(sys.argv[1], "packed.odt"), "w", zipfile.ZIP_BZIP2) as file:
    file.writestr("content.xml", "<o>bzipped</o>")
archive("other.zip", readme="unread")
open(os.path.join(sys.argv[1], "broken.docx"), "wb").write(b"PK\x03\x04 and no archive")
open(os.path.join(sys.argv[1], "page.html"), "w").write(
    "<!doctype html><title>Homepage</title><script>secretcode</script><p>visible &eacute;clair")
open(os.path.join(sys.argv[1], "latin.html"), "wb").write(
    b'<html><meta charset="latin-1"><p>caf\xe9s')
open(os.path.join(sys.argv[1], "plain.txt"), "w").write("plainly said")
"#;

/// A worker that does what the name of the document says.
const ODD: &str = r#"
import os, time
def extract(document):
    name = document["name"]
    if "crash" in name:
        os.abort()
    if "raise" in name:
        raise ValueError("unreadable")
    if "pid" in name:
        return "process%d" % os.getpid()
    return "workerword"
"#;

/// The names of the documents that the search finds.
fn found(docs: &Docserver, word: &str) -> Vec<String> {
    let json = docs.get(&format!("/search?q={word}")).expect(200).json();
    let hits = json["hits"].as_array().expect("hits");
    hits.iter().map(|hit| hit["name"].as_str().expect("a name").to_owned()).collect()
}

fn put_all(docs: &Docserver, directory: &Path) {
    for entry in fs::read_dir(directory).expect("the directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_str().expect("text");
        docs.put(name, &fs::read(&path).expect("the document")).expect(201);
    }
}

#[test]
fn words_in_office_documents_and_pages_are_found() {
    let Some(python) = client("python3") else { return };
    let office = TempDir::new("office");
    let made = run(Command::new(python).args(["-c", OFFICE]).arg(office.path()), TIMEOUT);
    assert!(made.status.success(), "{made:?}");
    let docs = Docserver::in_memory(&["--worker", INDEX, "--worker-processes", "2"]);
    put_all(&docs, office.path());
    for (word, name) in [
        ("quicksilver", "letter.docx"),
        ("letterhead", "letter.docx"),
        ("turnover", "table.xlsx"),
        ("cellwise", "table.xlsx"),
        ("keynote", "talk.pptx"),
        ("heading", "essay.odt"),
        ("standard", "essay.odt"),
        ("homepage", "page.html"),
        ("visible", "page.html"),
        ("%C3%A9clair", "page.html"),
        ("caf%C3%A9s", "latin.html"),
        ("plainly", "plain.txt"),
        // A document whose text cannot be read is found by its name.
        ("broken", "broken.docx"),
        ("laughs", "laughs.odt"),
        ("bomb", "bomb.odt"),
        ("packed", "packed.odt"),
    ] {
        assert_eq!(found(&docs, word), [name], "{word}");
    }
    for word in ["hidden", "secretcode", "hilarity", "exploded", "bzipped", "unread", "script"] {
        assert!(found(&docs, word).is_empty(), "{word}");
    }
    docs.stop();
}

/// Documents that would take minutes, or more memory than there is.
const COSTLY: &str = r#"
import importlib.util, os, sys
spec = importlib.util.spec_from_file_location("index", sys.argv[1])
index = importlib.util.module_from_spec(spec)
spec.loader.exec_module(index)
index.MOST_SECONDS = 0.2
def written(name, body):
    path = os.path.join(sys.argv[2], name)
    open(path, "wb").write(body)
    return {"name": name, "path": path}
def refused(kind, document):
    try:
        index.extract(document)
    except kind:
        return
    raise AssertionError(document["name"])
refused(TimeoutError, written("tags.html", b"<p>" * 1300000))
# The next document has its own time.
assert index.extract(written("page.html", b"<p>word</p>")) == "word"
assert index.extract(written("puny.html", b"<meta charset=punycode>-" + b"zzzb" * 100000))
# The directory of this archive would be 3 GiB; the file has that size and takes no room.
if sys.platform == "linux":
    end = b"PK\5\6" + b"\0" * 6 + b"\1\0" + (3 << 30).to_bytes(4, "little") + b"\0" * 6
    with open(os.path.join(sys.argv[2], "listed.docx"), "wb") as file:
        file.truncate(4 + (3 << 30))
        file.write(b"PK\3\4")
        file.seek(0, os.SEEK_END)
        file.write(end)
        listed = {"name": "listed.docx", "path": file.name}
    refused(MemoryError, listed)
"#;

#[test]
fn p3_a_document_that_costs_much_has_bounds_of_time_and_memory() {
    let Some(python) = client("python3") else { return };
    let scratch = TempDir::new("costly");
    let mut costly = Command::new(python);
    let ran = run(costly.args(["-c", COSTLY, INDEX]).arg(scratch.path()), TIMEOUT);
    assert!(ran.status.success(), "{ran:?}");
}

#[test]
fn without_a_worker_the_tags_of_a_page_are_text() {
    let docs = Docserver::in_memory(&[]);
    docs.put("page.html", b"<p>visible<script>").expect(201);
    assert_eq!(found(&docs, "script"), ["page.html"]);
    docs.stop();
}

#[test]
fn p3_a_worker_that_fails_costs_the_text_of_one_document() {
    if client("python3").is_none() {
        return;
    }
    let scratch = TempDir::new("worker");
    let worker = scratch.path().join("odd.py");
    fs::write(&worker, ODD).expect("the worker");
    let worker = worker.to_str().expect("text");
    let docs = Docserver::in_memory(&["--worker", worker, "--worker-processes", "1"]);
    for (name, has_text) in [("a", true), ("raise", false), ("b", true), ("crash", false)] {
        let began = Instant::now();
        docs.put(name, b"bytes").expect(201);
        assert!(began.elapsed() < Duration::from_secs(20), "{name}");
        assert_eq!(found(&docs, "workerword").contains(&name.to_owned()), has_text, "{name}");
        assert_eq!(found(&docs, name), [name]);
    }
    // After a crash the next document has its text, and its process ends with the server.
    docs.put("pid", b"bytes").expect(201);
    let snippet = docs.get("/search?q=pid").expect(200).body;
    let snippet = String::from_utf8_lossy(&snippet).into_owned();
    let process = snippet.split("process").nth(1).expect("a number");
    let process: String = process.chars().take_while(char::is_ascii_digit).collect();
    let lives = || Path::new(&format!("/proc/{process}")).exists();
    assert!(!cfg!(target_os = "linux") || lives(), "{snippet}");
    docs.stop();
    eventually("the worker ends", || !lives());
}

#[test]
fn p5_a_worker_that_cannot_be_loaded_is_told_at_the_start() {
    let Some(_) = client("python3") else { return };
    let scratch = TempDir::new("worker");
    let worker = scratch.path().join("none.py");
    fs::write(&worker, "import nowhere").expect("the worker");
    let mut command = Docserver::command(scratch.path());
    command.arg("--worker").arg(&worker);
    let ran = run(&mut command, TIMEOUT);
    assert!(!ran.status.success(), "{ran:?}");
    assert!(ran.stderr.contains("No module named 'nowhere'"), "{}", ran.stderr);
}
