//! Connections to one target after another.

use super::*;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Passes lines to the target that they name, and goes on when the target has taken none of it, too.
#[state_machine(start = Line, eof => Gone, limit => Gone, refused => Gone, within = 60s => Gone)]
enum Switch {
    #[read(until = b"\n", max = 1MiB)]
    #[to(Dial | Line)]
    Line,
    #[connect]
    #[to(Line)]
    Dial,
    #[end]
    Gone,
}

struct Client;

impl switch::Handler for Client {
    fn line(&mut self, line: &[u8], cx: &mut Cx<'_>) -> switch::AfterLine {
        cx.other().write(line);
        match line[0] {
            b'.' => switch::AfterLine::Line,
            name => switch::AfterLine::Dial { to: format!("10.0.0.{name}:7").parse().unwrap() },
        }
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_>) -> switch::AfterDial {
        switch::AfterDial::Line
    }
}

#[test]
fn s3_what_a_target_has_not_taken_goes_to_no_other_one() {
    for unsent in [".unsent\n", ".unsent\n.twice\n"] {
        let mut peer = Session::<Switch, _>::new(Client);
        peer.send(b".early\na\n");
        peer.accept();
        assert_eq!(peer.other().receive(), b".earlya", "it is for the first target");
        peer.other().window(0);
        peer.send(unsent.as_bytes());
        peer.send(b".more\nb\n");
        assert_eq!(peer.connecting(), Some("10.0.0.98:7".parse().unwrap()));
        peer.accept();
        assert_eq!(peer.other().receive(), b"b", "{unsent:?}");
    }
}

#[test]
fn s3_what_is_for_a_kept_connection_that_has_died_goes_to_the_new_one() {
    let mut peer = Session::<Switch, _>::new(Client);
    peer.send(b"a\n");
    peer.accept();
    assert_eq!(peer.other().receive(), b"a");
    peer.other().reset();
    peer.send(b"a\n");
    assert_eq!(peer.connecting(), Some("10.0.0.97:7".parse().unwrap()));
    peer.accept();
    assert_eq!(peer.other().receive(), b"a");
}

/// A target that sends and closes before the machine learns that it is connected.
#[test]
fn s1_an_end_that_comes_with_the_connection_is_seen() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        for stream in listener.incoming() {
            stream.unwrap().write_all(b"banner").unwrap();
        }
    });
    let begun = AtomicUsize::new(0);
    let running = Pool::builder::<Forward>("forward")
        .listen("127.0.0.1:0")
        .shards(1)
        .threads(1)
        .settings(Route(target.parse().unwrap()))
        .handler(move |_| {
            // The first one holds the thread until the others have come, the third while the second connects.
            if begun.fetch_add(1, Ordering::SeqCst) != 1 {
                thread::sleep(Duration::from_millis(500));
            }
            Door
        })
        .start()
        .unwrap();
    let address: SocketAddr = running.addresses()[0].to_string().parse().unwrap();
    let mut clients = Vec::new();
    for _ in 0..3 {
        clients.push(TcpStream::connect(address).unwrap());
        thread::sleep(Duration::from_millis(100));
    }
    for mut client in clients {
        client.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut got = String::new();
        client.read_to_string(&mut got).unwrap();
        assert_eq!(got, "banner");
    }
    running.drain().unwrap();
}
