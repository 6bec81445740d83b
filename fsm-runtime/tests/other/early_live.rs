//! States that wait for both sockets, on real ones.

use super::early::{Proxy, Upload};
use super::sockets::{bytes, connect};
use super::*;
use fsm_runtime::Running;

/// Passes what comes on either side to the other one, by handlers.
#[state_machine(start = Hello, settings = Route, eof => Gone)]
enum Cross {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(within = 5s => Gone, refused => Gone)]
    #[to(Open)]
    Dial,
    #[read(some, max = 16KiB, idle = 60s => Gone)]
    #[read(other, some, max = 16KiB, idle = 60s => Gone)]
    #[to(Open)]
    Open,
    #[end]
    Gone,
}

struct Swap;

impl cross::Handler for Swap {
    fn hello(&mut self, cx: &mut ForwardCx<'_>) -> cross::AfterHello {
        cross::AfterHello::Dial { to: cx.settings().0.clone() }
    }

    fn dial(&mut self, _: Connected, _: &mut ForwardCx<'_>) -> cross::AfterDial {
        cross::AfterDial::Open
    }

    fn open(&mut self, bytes: &[u8], cx: &mut ForwardCx<'_>) -> cross::AfterOpen {
        cx.other().write(bytes);
        cross::AfterOpen::Open
    }

    fn open_other(&mut self, bytes: &[u8], cx: &mut ForwardCx<'_>) -> cross::AfterOpen {
        cx.write(bytes);
        cross::AfterOpen::Open
    }
}

/// Sends `sent` and reads as many bytes at the same time.
fn exchange(stream: &TcpStream, sent: &[u8]) -> Vec<u8> {
    thread::scope(|scope| {
        scope.spawn(|| (&*stream).write_all(sent).unwrap());
        let mut got = vec![0; sent.len()];
        (&*stream).read_exact(&mut got).unwrap();
        got
    })
}

#[test]
fn s2_floods_from_both_sides_pass_through_handlers() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let running = Pool::builder::<Cross>("cross")
        .listen("127.0.0.1:0")
        .settings(Route(target.parse().unwrap()))
        .handler(|_| Swap)
        .start()
        .unwrap();
    let client = connect(address(&running));
    let (server, _) = listener.accept().unwrap();
    let (out, back) = (bytes(5_000_000, 1), bytes(5_000_000, 2));
    thread::scope(|scope| {
        let (out, back) = (&out, &back);
        let other = scope.spawn(move || assert!(exchange(&server, back) == *out));
        assert!(exchange(&client, out) == *back);
        other.join().unwrap();
    });
    running.drain().unwrap();
}

fn address(running: &Running) -> SocketAddr {
    running.addresses()[0].to_string().parse().unwrap()
}

#[test]
fn s2_w6_an_early_answer_comes_through_although_the_target_breaks_off_behind_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap().to_string();
    let running = Pool::builder::<Upload>("upload")
        .listen("127.0.0.1:0")
        .settings(Route(target.parse().unwrap()))
        .handler(|_| Proxy)
        .start()
        .unwrap();
    for round in 0..5 {
        let client = connect(address(&running));
        (&client).write_all(&8_000_000_u32.to_be_bytes()).unwrap();
        let (server, _) = listener.accept().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                // It ends with an error if the connection is closed before all is sent.
                let _ = (&client).write_all(&vec![1; 8_000_000]);
            });
            (&server).read_exact(&mut [0; 10_000]).unwrap();
            // Unread input makes the close a reset.
            (&server).write_all(b"+\nfault\n").unwrap();
            drop(server);
            let mut said = String::new();
            let mut byte = [0];
            while let Ok(1) = (&client).read(&mut byte) {
                said.push(char::from(byte[0]));
            }
            assert!(said.starts_with('+') && said.contains("\nfault"), "{round}: {said}");
        });
    }
    running.drain().unwrap();
}
