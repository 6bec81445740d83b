//! Deadlines and clocks.

use super::*;

#[test]
fn x6_input_that_arrived_before_the_deadline_is_handled_before_its_edge() {
    let (entered, inside) = mpsc::channel();
    let (release, gate) = mpsc::channel::<()>();
    let mut gate = Some(gate);
    let pool = Pool::builder::<Hasty>("hasty").listen("127.0.0.1:0").handler(move |_| {
        let (entered, gate) = (entered.clone(), gate.take());
        HastyHandler {
            on_word: Box::new(move || {
                // Only the first connection holds the port up.
                if let Some(gate) = &gate {
                    entered.send(()).unwrap();
                    gate.recv().unwrap();
                }
            }),
        }
    });
    let (_running, address) = start(pool);
    let (busy, quick, silent) = (connect(address), connect(address), connect(address));
    (&quick).write_all(b"hi").unwrap();
    (&quick).read_exact(&mut [0; 2]).unwrap();
    // On Windows a socket is armed again by the polls after its turn: others cause a few.
    let others = connect(address);
    for _ in 0..8 {
        (&others).write_all(b"hi").unwrap();
        (&others).read_exact(&mut [0; 2]).unwrap();
    }
    (&busy).write_all(b"on").unwrap();
    inside.recv().unwrap();
    (&quick).write_all(b"ok").unwrap();
    // Hold the port up until all deadlines have passed.
    thread::sleep(Duration::from_millis(1_200));
    release.send(()).unwrap();
    let mut answer = [0; 2];
    (&quick).read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"ok");
    assert_eq!((&silent).read(&mut answer).unwrap(), 0);
}

/// Expects two bytes every second.
#[state_machine(start = Word, eof => Gone)]
enum Hasty {
    #[read(exact = 2, idle = 1s => Gone)]
    #[to(Word)]
    #[rest]
    Word,
    #[end]
    Gone,
}

struct HastyHandler {
    on_word: Box<dyn FnMut() + Send>,
}

impl hasty::Handler for HastyHandler {
    fn word(&mut self, bytes: &[u8; 2], cx: &mut Cx<'_>) -> hasty::AfterWord {
        (self.on_word)();
        cx.write(bytes);
        hasty::AfterWord::Word
    }
}

#[test]
fn pitfall_23_long_times_do_not_wrap_around() {
    let mut peer = Session::<Lengths, _>::new(Client { on_line: Box::new(|| ()) });
    for _ in 0..3 {
        peer.send(b"abc\n");
        assert_eq!(peer.receive(), b"3\n");
        peer.advance(Duration::from_secs(29));
    }
    peer.advance(Duration::from_secs(100 * 365 * 86_400));
    assert_eq!(peer.ended(), Some(Ended::Done));
}
