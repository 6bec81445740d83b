use super::*;

/// Reads frames of text.
fn frames(served: &Served, count: usize) -> Vec<String> {
    let mut stream = TcpStream::connect(served.console()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream.write_all(b"GET /top HTTP/1.1\r\nHost: localhost:9180\r\n\r\n").unwrap();
    let mut text = Vec::new();
    let ends = |text: &[u8]| String::from_utf8_lossy(text).matches("\x1b[J").count();
    while ends(&text) < count {
        let mut bytes = [0; 4_096];
        let read = stream.read(&mut bytes).unwrap();
        assert!(read > 0, "it goes on for ever");
        text.extend_from_slice(&bytes[..read]);
    }
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("text/plain"), "{head}");
    body.split_terminator("\x1b[J").map(str::to_owned).collect()
}

#[test]
fn v6_frames_of_text_fit_a_terminal_and_say_where_connections_are() {
    let served = Served::named("a pool with a very long name\u{1b}[2J", 1, console());
    let _clients: Vec<_> = (0..40).map(|_| served.say("body")).collect();
    let frames = frames(&served, 2);
    for frame in &frames {
        let screen = frame.strip_prefix("\x1b[H").expect("the cursor goes home");
        let lines: Vec<&str> = screen.split("\r\n").collect();
        assert_eq!(lines.len(), 24, "{frame}");
        for line in lines {
            let line = line.strip_suffix("\x1b[K").expect("the rest of the line is cleared");
            assert!(line.chars().count() <= 80 && !line.contains('\x1b'), "{line}");
        }
        assert!(
            frame.contains("40 open") && frame.contains("waits for read(exact = 4)"),
            "{frame}"
        );
    }
}

#[test]
fn v8_frames_say_how_often_a_state_is_left_and_where_to() {
    let served = Served::new(console());
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let mut stream = served.say("hello");
    let busy = std::thread::spawn(move || {
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            stream.write_all(b"hello\n").unwrap();
            stream.read_exact(&mut [0; 3]).unwrap();
        }
    });
    let frames = frames(&served, 2);
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    busy.join().unwrap();
    let of_line = |frame: &str| {
        let line = frame.lines().find(|line| line.starts_with("lines ") && line.contains("  Line"));
        line.unwrap().to_owned()
    };
    let (first, second) = (of_line(&frames[0]), of_line(&frames[1]));
    assert!(!first.contains("most to"), "no rate is known yet: {first}");
    assert!(second.contains("Line, most to Line (verdict)"), "{second}");
}
