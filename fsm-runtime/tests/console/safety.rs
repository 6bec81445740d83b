use std::io::{BufRead, BufReader};

use super::*;

#[test]
fn v6_a_foreign_host_is_refused() {
    let served = Served::new(console().allow_host("ops.example"));
    let status = |host: &str| {
        ask(&served.console(), &format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\n")).status
    };
    for host in ["localhost:9180", "127.0.0.1", "[::1]:1", "ops.example"] {
        assert_eq!(status(host), 200, "{host}");
    }
    for host in ["evil.example", "evil.example:9180", "127.0.0.1.evil.example"] {
        assert_eq!(status(host), 421, "{host}");
    }
}

#[test]
fn v6_odd_requests_are_refused() {
    let served = Served::new(console());
    let status = |head: &str| ask(&served.console(), head).status;
    let local = "Host: localhost\r\n";
    assert_eq!(status(&format!("GET /none HTTP/1.1\r\n{local}")), 404);
    assert_eq!(status(&format!("GET /connections/x HTTP/1.1\r\n{local}")), 400);
    assert_eq!(status(&format!("DELETE /metrics HTTP/1.1\r\n{local}")), 405);
    assert_eq!(status(&format!("POST /top HTTP/1.1\r\n{local}")), 405);
    assert_eq!(status("GET / HTTP/1.1\r\n"), 400);
    assert_eq!(status("what\r\n"), 400);
    assert_eq!(status(&format!("GET / HTTP/1.1\r\n{local}X: {}\r\n", "x".repeat(9_000))), 431);
    let head = ask(&served.console(), &format!("HEAD /spec HTTP/1.1\r\n{local}"));
    assert_eq!((head.status, &*head.body), (200, ""));
}

#[test]
fn v6_a_hostile_name_is_text_everywhere() {
    let name = "\"<script>alert(1)</script>\\\n\u{1b}[2J";
    let served = Served::named(name, 1, console());
    let _client = served.say("hello");
    assert_eq!(served.get("/pools").json()["pools"][0]["name"], name);
    assert_eq!(served.get("/connections").json()["connections"][0]["pool"], name);
    let page = served.get("/");
    assert!(!page.body.contains("alert(1)"));
    assert!(page.head.contains("script-src 'nonce-") && page.head.contains("nosniff"));
    let label = "fsm_open{pool=\"\\\"<script>alert(1)</script>\\\\\\n\u{1b}[2J\"} 1\n";
    assert!(served.get("/metrics").body.contains(label));
    let head = "GET /connections HTTP/1.1\r\nHost: localhost\r\nAccept: text/plain\r\n";
    let text = ask(&served.console(), head).body;
    assert!(text.lines().count() == 1 && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn v6_the_console_has_so_many_connections_and_others_wait() {
    let served = Served::new(console());
    let idle: Vec<TcpStream> =
        (0..40).map(|_| TcpStream::connect(served.console()).unwrap()).collect();
    let mut late = TcpStream::connect(served.console()).unwrap();
    late.write_all(b"GET /threads HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    late.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    assert!(late.read(&mut [0; 8]).is_err(), "it waits");
    // The pools do not notice.
    served.say("hello");
    drop(idle);
    late.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    assert_eq!(late.read(&mut [0; 8]).unwrap(), 8);
}

#[test]
fn v6_a_client_that_never_reads_changes_nothing() {
    let served = Served::new(console());
    let greedy: Vec<TcpStream> = (0..8)
        .map(|_| {
            let mut stream = TcpStream::connect(served.console()).unwrap();
            let request = "GET /spec HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2_000);
            stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
            let _ = stream.write_all(request.as_bytes());
            stream
        })
        .collect();
    for _ in 0..20 {
        served.say("hello");
    }
    let asked = Instant::now();
    assert_eq!(served.get("/metrics").status, 200);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    drop(greedy);
}

#[cfg(target_os = "linux")]
#[test]
fn v6_a_thousand_scrapes_leave_nothing_behind() {
    let served = Served::new(console());
    let _clients: Vec<_> = (0..20).map(|_| served.say("body")).collect();
    let resident = || {
        let text = std::fs::read_to_string("/proc/self/statm").unwrap();
        text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4_096
    };
    let mut stream = BufReader::new(TcpStream::connect(served.console()).unwrap());
    let mut scrape = |path: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert!(stream.read_line(&mut head).unwrap() > 0);
        }
        let len = head.split_once("Content-Length: ").unwrap().1.split('\r').next().unwrap();
        let mut body = vec![0; len.parse().unwrap()];
        stream.read_exact(&mut body).unwrap();
        body.len()
    };
    for _ in 0..200 {
        scrape("/metrics");
        scrape("/connections");
    }
    let before = resident();
    for _ in 0..1_000 {
        assert!(scrape("/metrics") > 1_000);
        scrape("/connections");
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes");
}
