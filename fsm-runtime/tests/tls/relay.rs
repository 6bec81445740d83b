//! Streams without a length that are passed on, encrypted on both sides.

use std::sync::mpsc;

use super::*;

/// Passes on what the target sends, until its stream ends.
#[state_machine(start = Hello, settings = To, within = 20s => Gone)]
enum Passes {
    #[run]
    #[to(Dial)]
    Hello,
    #[connect(refused => Gone)]
    #[to(Back)]
    Dial,
    #[relay(back, max = 64KiB, idle = 20s => Gone, gone => Broken)]
    #[to(Gone)]
    Back,
    #[run]
    #[to(Gone)]
    Broken,
    #[end]
    Gone,
}

#[derive(Default)]
pub(super) struct To(pub(super) Option<Target>);

struct Side;

impl passes::Handler for Side {
    fn hello(&mut self, cx: &mut Cx<'_, NoMessage, To>) -> passes::AfterHello {
        passes::AfterHello::Dial { to: cx.settings().0.clone().unwrap() }
    }

    fn dial(&mut self, _: Connected, _: &mut Cx<'_, NoMessage, To>) -> passes::AfterDial {
        passes::AfterDial::Back
    }

    fn back(&mut self, _: Moved, _: &mut Cx<'_, NoMessage, To>) -> passes::AfterBack {
        passes::AfterBack::Gone
    }

    fn broken(&mut self, _: &mut Cx<'_, NoMessage, To>) -> passes::AfterBroken {
        passes::AfterBroken::Gone
    }
}

/// A server that sends `text` to each client, and says that this is all if it is told to.
fn sender(authority: &Authority, text: &'static [u8]) -> (SocketAddr, mpsc::Sender<bool>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let config = Arc::new(server_config(authority, "localhost"));
    let (says, hears) = mpsc::channel();
    thread::spawn(move || {
        for (stream, whole) in listener.incoming().zip(hears) {
            let session = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut peer = StreamOwned::new(session, stream.unwrap());
            peer.write_all(text).unwrap();
            if whole {
                peer.conn.send_close_notify();
            }
            peer.flush().unwrap();
        }
    });
    (address, says)
}

#[test]
fn e3_what_was_cut_off_at_one_side_does_not_pass_for_whole_at_the_other() {
    const TEXT: &[u8] = &[b'x'; 9_000];
    let authority = Authority::new();
    let (target, whole) = sender(&authority, TEXT);
    let running = Pool::builder::<Passes>("passes")
        .settings(To(Some(format!("tls:localhost:{}", target.port()).parse().unwrap())))
        .tls(server_config(&authority, "localhost"))
        .and_tls_client(client_config(&authority))
        .listen("127.0.0.1:0")
        .handler(|_peer| Side)
        .start()
        .unwrap();
    let address = running.addresses()[0].to_string().parse().unwrap();
    let config = Arc::new(client_config(&authority));
    for says in [true, false, true, false] {
        whole.send(says).unwrap();
        let mut peer = connect(address, Arc::clone(&config));
        let mut got = Vec::new();
        let end = peer.read_to_end(&mut got);
        if says {
            assert_eq!(end.unwrap(), TEXT.len());
            assert_eq!(got, TEXT);
        } else {
            assert!(end.is_err(), "{} bytes passed for whole", got.len());
        }
    }
}
