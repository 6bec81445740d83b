//! curl downloads from `docserver` the bytes that it uploaded.

use std::io::{self, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{env, fs};

use fsm_tests::{
    Docserver, MemoryGrowth, Random, RunOutput, TIMEOUT, TempDir, client, one_at_a_time, run,
};

const MIB: u64 = 1024 * 1024;

/// Uploads each size with each framing of the body, with and without `Expect`.
#[test]
fn documents_of_all_sizes_come_back_as_they_were_sent() {
    let Some(curl) = Curl::find() else { return };
    let docs = Docserver::new(&[]);
    let scratch = TempDir::new("curl");
    let chunked: &[&str] = &["-H", "Transfer-Encoding: chunked"];
    let ways: [(&str, &[&str]); 4] = [
        ("length", &["-H", "Expect:"]),
        ("length-expect", &["-H", "Expect: 100-continue"]),
        ("chunked", &["-H", "Transfer-Encoding: chunked", "-H", "Expect:"]),
        ("chunked-expect", &["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"]),
    ];
    for size in [0, 1, 300 * 1024] {
        let bytes = Random::new(size as u64).next_bytes(size);
        let file = scratch.write("sent", &bytes);
        for (way, options) in ways {
            let (name, url) = (format!("{way}-{size}"), docs.url(&format!("/docs/{way}-{size}")));
            // A chunked body comes from a pipe, because curl would send the length of a file.
            let ran = if options.starts_with(chunked) {
                let put = format!("cat sent | {} -T - {}", curl.line(options), url);
                run(Command::new("sh").args(["-c", &put]).current_dir(scratch.path()), TIMEOUT)
            } else {
                let file = file.to_str().expect("a path in UTF-8");
                curl.run(&[options, &["-T", file, &url]].concat())
            };
            let (head, json) = (&ran.stderr, &ran.stdout);
            assert!(ran.status.success(), "{name}: {ran:?}");
            let asks = options.contains(&"Expect: 100-continue");
            // curl does not wait before an empty body, but it cannot tell that a pipe is empty.
            if size > 0 {
                assert_eq!(head.contains("< HTTP/1.1 100 Continue"), asks, "{name}: {head}");
            }
            assert!(head.contains("< HTTP/1.1 201 Created"), "{name}: {head}");
            assert_eq!(head.contains("> Transfer-Encoding: chunked"), options.starts_with(chunked));
            assert!(json.contains(&format!("\"len\":{size},")), "{name}: {json}");

            let got = scratch.path().join("got");
            let _ = fs::remove_file(&got);
            let ran = curl.run(&["-o", got.to_str().expect("a path in UTF-8"), &url]);
            assert!(ran.status.success(), "{name}: {ran:?}");
            // curl creates no file for an empty body.
            assert!(fs::read(&got).unwrap_or_default() == bytes, "{name} has changed");
        }
    }
    assert_eq!((docs.filed(), docs.temporary()), (12, 0));
    docs.stop();
}

/// curl sends several requests on one connection by itself.
#[test]
fn curl_keeps_its_connection() {
    let Some(curl) = Curl::find() else { return };
    let docs = Docserver::new(&[]);
    let scratch = TempDir::new("curl");
    let file = scratch.write("sent", "one document");
    let file = file.to_str().expect("a path in UTF-8");
    let (one, two) = (docs.url("/docs/one"), docs.url("/docs/two"));
    let ran = curl.run(&["-T", file, &one, "-T", file, &two]);
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(ran.stderr.matches("Re-using existing connection").count(), 1, "{ran:?}");
    let ran = curl.run(&[&one, &two, &docs.url("/docs/none"), &docs.url("/docs"), &one]);
    assert_eq!(ran.stderr.matches("Re-using existing connection").count(), 4, "{ran:?}");
    assert_eq!(ran.stdout.matches("one document").count(), 3, "{ran:?}");
    docs.stop();
}

/// A client that sends its whole document before it reads still gets the refusal, because the
/// server does not reset the connection.
#[test]
fn curl_reads_why_its_document_is_too_large() {
    let Some(curl) = Curl::find() else { return };
    let docs = Docserver::new(&["--max-size", "1MB"]);
    let scratch = TempDir::new("curl");
    let file = scratch.write("sent", vec![b'x'; 8_000_000]);
    let file = file.to_str().expect("a path in UTF-8");
    let url = docs.url("/docs/large");
    for options in [
        &["-H", "Expect:"][..],
        &["-H", "Expect: 100-continue"],
        &["-H", "Expect:", "-H", "Transfer-Encoding: chunked"],
        &["-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"],
    ] {
        let ran = curl.run(&[options, &["-T", file, &url]].concat());
        assert!(ran.stderr.contains("< HTTP/1.1 413 "), "{options:?}: {ran:?}");
        assert!(ran.stdout.contains("the document is too large"), "{options:?}: {ran:?}");
    }
    assert_eq!((docs.filed(), docs.temporary()), (0, 0));
    docs.stop();
}

/// The server spools and streams a document instead of holding it in memory: 64 MB, or the bytes in
/// `FSM_LARGE`.
#[test]
fn a_large_document_takes_no_memory() {
    let Some(curl) = Curl::find() else { return };
    let _exclusive = one_at_a_time();
    let size = env::var("FSM_LARGE").map_or(64_000_000, |size| {
        size.parse().unwrap_or_else(|_| panic!("`FSM_LARGE={size}` is no number of bytes"))
    });
    let docs = Docserver::new(&[]);
    let scratch = TempDir::new("curl");
    let path = scratch.path().join("sent");
    let mut file = fs::File::create(&path).expect("a temporary file can be made");
    io::copy(&mut Random::new(7).take(size), &mut file).expect("there should be room for it");
    drop(file);
    let path = path.to_str().expect("a path in UTF-8");
    let url = docs.url("/docs/large");

    // Warm up, so that memory which each thread needs once does not count.
    for _ in 0..8 {
        docs.put("small", &vec![b'x'; 200_000]);
        docs.get("/docs/small").expect(200);
    }
    let put = Command::new(&curl.0)
        .args(["--silent", "--show-error", "--fail", "-T", path, &url])
        .stdout(Stdio::null())
        .spawn();
    let mut put = put.expect("curl should start");
    let growth = MemoryGrowth::of(docs.server(), || {
        assert!(put.wait().expect("it can be waited for").success(), "curl did not upload it");
    });
    report("uploaded", size, growth);

    let get = Command::new(&curl.0)
        .args(["--silent", "--show-error", "--fail", &url])
        .stdout(Stdio::piped())
        .spawn();
    let mut get = get.expect("curl should start");
    let growth = MemoryGrowth::of(docs.server(), || {
        let got = get.stdout.take().expect("it is piped");
        same(BufReader::with_capacity(1 << 20, got), Random::new(7).take(size));
        assert!(get.wait().expect("it can be waited for").success(), "curl did not download it");
    });
    report("downloaded", size, growth);
    docs.stop();
}

fn report(what: &str, size: u64, MemoryGrowth { grown, took }: MemoryGrowth) {
    println!("{what} {size} bytes in {took:.2?}; memory grew by {} kB", grown / 1024);
    assert!(grown <= 8 * MIB, "memory grew by {grown} bytes");
}

/// Checks that two streams have the same bytes.
fn same(mut one: impl Read, mut other: impl Read) {
    let (mut left, mut right) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut at = 0;
    loop {
        let count = one.read(&mut left).expect("the server should send");
        if count == 0 {
            assert_eq!(other.read(&mut right).expect("it is endless"), 0, "cut off at {at}");
            return;
        }
        other.read_exact(&mut right[..count]).unwrap_or_else(|_| panic!("too long at {at}"));
        assert!(left[..count] == right[..count], "different behind {at}");
        at += count;
    }
}

/// The curl program, with options that print the heads it sends and receives.
struct Curl(PathBuf);

impl Curl {
    const OPTIONS: [&str; 4] = ["--silent", "--verbose", "--max-time", "20"];

    fn find() -> Option<Self> {
        client("curl").map(Self)
    }

    fn run(&self, options: &[&str]) -> RunOutput {
        run(Command::new(&self.0).args(Self::OPTIONS).args(options), TIMEOUT)
    }

    /// The command as a line for a shell.
    fn line(&self, options: &[&str]) -> String {
        let words = Self::OPTIONS.iter().chain(options).map(|word| format!(" '{word}'"));
        self.0.display().to_string() + &words.collect::<String>()
    }
}
