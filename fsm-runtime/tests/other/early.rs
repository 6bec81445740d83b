//! An answer that comes while the body of its request still goes out: `relay(out)` beside `read(other)`.

use super::*;

/// Passes a length and so many bytes on, and hears answers all the time. `+` is one before the last, `-` is one that
/// refuses the body.
#[state_machine(start = Length, settings = Route, limit => Gone, error = Fault, size <= 16)]
pub(crate) enum Upload {
    #[read(exact = 4, idle = 60s => Gone, eof => Gone)]
    #[to(Dial)]
    Length,
    #[connect(within = 5s => Gone, refused => Gone)]
    #[to(Body)]
    Dial { left: u32 },
    #[relay(out, exact = left, max = 32KiB, idle = 30s => Stalled, eof => Short, gone => Broken, error => Failed)]
    #[read(other, until = b"\n", max = 16, eof => Ended)]
    #[to(Body | Answer | Rest | Again)]
    Body {
        #[carry]
        left: u32,
    },
    #[read(other, until = b"\n", max = 16, within = 30s => Gone, eof => Ended)]
    #[to(Gone)]
    Answer,
    /// Throws the rest of the body away.
    #[discard(exact = left, within = 30s => Gone, eof => Gone)]
    #[to(Length)]
    Rest { left: u64 },
    /// Another target is asked.
    #[connect(within = 5s => Gone, refused => Gone)]
    #[to(Gone)]
    Again,
    #[run]
    #[to(Gone)]
    Stalled,
    #[run]
    #[to(Gone)]
    Short,
    #[run]
    #[to(Gone)]
    Broken,
    #[run]
    #[to(Gone)]
    Ended,
    #[run]
    #[to(Gone)]
    Failed {
        #[error]
        why: Fault,
    },
    #[end]
    Gone,
}

#[derive(Debug)]
pub(crate) struct Fault;

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("fault")
    }
}

pub(crate) struct Proxy;

thread_local! {
    /// The number of answers that came before the last one.
    static HEARD: Cell<usize> = const { Cell::new(0) };
}

type UploadCx<'a> = Cx<'a, NoMessage, Route>;

impl Proxy {
    #[expect(clippy::unused_self, reason = "it belongs to the handler")]
    fn say(&self, what: &str, cx: &mut UploadCx<'_>) {
        let moved = cx.moved().out;
        writeln!(cx, "{what}{moved}");
    }
}

impl upload::Handler for Proxy {
    fn length(&mut self, length: &[u8; 4], cx: &mut UploadCx<'_>) -> upload::AfterLength {
        let to = cx.settings().0.clone();
        upload::AfterLength::Dial { to, left: u32::from_be_bytes(*length) }
    }

    fn dial(&mut self, _: &mut u32, _: Connected, _: &mut UploadCx<'_>) -> upload::AfterDial {
        upload::AfterDial::Body
    }

    fn body(
        &mut self,
        _: &mut u32,
        moved: Moved,
        cx: &mut UploadCx<'_>,
    ) -> Result<upload::AfterBody, Fault> {
        assert_eq!(moved.out, cx.moved().out);
        self.say("all", cx);
        Ok(upload::AfterBody::Answer)
    }

    fn body_other(
        &mut self,
        left: &mut u32,
        line: &[u8],
        cx: &mut UploadCx<'_>,
    ) -> Result<upload::AfterBody, Fault> {
        HEARD.set(HEARD.get() + 1);
        match line {
            b"+" => {
                self.say("+", cx);
                Ok(upload::AfterBody::Body)
            }
            b"again" => Ok(upload::AfterBody::Again { to: "10.0.0.2:7".parse().unwrap() }),
            b"-" => {
                self.say("-", cx);
                Ok(upload::AfterBody::Rest { left: u64::from(*left) - cx.moved().out })
            }
            _ => Err(Fault),
        }
    }

    fn answer(&mut self, line: &[u8], cx: &mut UploadCx<'_>) -> upload::AfterAnswer {
        cx.write(line);
        upload::AfterAnswer::Gone
    }

    fn again(&mut self, connected: Connected, cx: &mut UploadCx<'_>) -> upload::AfterAgain {
        assert!(!connected.reused);
        self.say("again", cx);
        upload::AfterAgain::Gone
    }

    fn stalled(&mut self, cx: &mut UploadCx<'_>) -> upload::AfterStalled {
        self.say("stalled", cx);
        upload::AfterStalled::Gone
    }

    fn short(&mut self, cx: &mut UploadCx<'_>) -> upload::AfterShort {
        self.say("short", cx);
        upload::AfterShort::Gone
    }

    fn broken(&mut self, cx: &mut UploadCx<'_>) -> upload::AfterBroken {
        self.say("broken", cx);
        upload::AfterBroken::Gone
    }

    fn ended(&mut self, cx: &mut UploadCx<'_>) -> upload::AfterEnded {
        self.say("ended", cx);
        upload::AfterEnded::Gone
    }

    fn failed(&mut self, why: &mut Fault, cx: &mut UploadCx<'_>) -> upload::AfterFailed {
        self.say(&why.to_string(), cx);
        upload::AfterFailed::Gone
    }
}

fn upload(length: u32) -> Session<Upload, Proxy> {
    let mut peer = Session::new(Proxy);
    peer.send(&length.to_be_bytes());
    peer.accept();
    peer
}

#[test]
fn s2_an_early_answer_is_heard_at_once_and_the_relay_goes_on() {
    let mut peer = upload(10);
    peer.send(b"1234");
    peer.other().send(b"+\n");
    assert_eq!(peer.receive(), b"+4\n");
    peer.send(b"567");
    peer.other().send(b"+");
    peer.other().send(b"\n+\n");
    assert_eq!(peer.receive(), b"+7\n+7\n");
    peer.send(b"890");
    assert_eq!(peer.receive(), b"all10\n");
    assert_eq!(peer.other().receive(), b"1234567890");
    peer.other().send(b"done\n");
    assert_eq!(peer.receive(), b"done");
}

#[test]
fn s2_a_refusal_gives_the_relay_up_where_it_stands() {
    let mut peer = upload(10);
    peer.send(b"1234");
    peer.other().send(b"-\n");
    assert_eq!(peer.receive(), b"-4\n");
    assert_eq!(peer.state(), Some("Rest"));
    peer.send(b"567890\0\0\0\x02ab");
    assert_eq!(peer.other().receive(), b"1234ab");
}

#[test]
fn s2_an_answer_is_heard_though_the_target_takes_nothing() {
    let mut peer = upload(1_000_000);
    peer.other().window(0);
    for _ in 0..10 {
        peer.send(&b"x".repeat(100_000));
    }
    peer.other().send(b"+\n");
    let most = 32 * 1024;
    assert_eq!(peer.receive(), format!("+{most}\n").as_bytes());
    peer.other().send(b"-\n");
    assert_eq!(peer.receive(), format!("-{most}\n").as_bytes());
    assert_eq!(peer.state(), Some("Length"));
}

#[test]
fn s2_w5_answers_wait_while_the_client_takes_none_and_the_body_goes_on() {
    let mut peer = upload(300_000);
    peer.window(0);
    peer.other().send(&b"+\n".repeat(100_000));
    for _ in 0..3 {
        peer.send(&b"x".repeat(100_000));
    }
    assert_eq!(peer.other().receive().len(), 300_000);
    // The mark is 64 KiB of output.
    assert!((20_000..22_000).contains(&HEARD.get()), "{}", HEARD.get());
    peer.window(usize::MAX);
    let said = String::from_utf8_lossy(&peer.receive()).into_owned();
    assert!((64 * 1024..65 * 1024).contains(&said.len()), "{}", said.len());
    assert!(said.ends_with("all300000\n+"), "{}", said.len());
}

#[test]
fn s2_w6_what_the_target_has_said_is_heard_before_it_is_gone() {
    let mut peer = upload(10);
    peer.send(b"1234");
    peer.other().send(b"+\n+\n");
    peer.other().reset();
    peer.send(b"567890");
    assert_eq!(peer.receive(), b"+4\n+4\nbroken4\n");

    let mut peer = upload(10);
    peer.other().send(b"+\n+");
    peer.other().end();
    assert_eq!(peer.receive(), b"+0\nended0\n");
}

#[test]
fn s2_each_edge_of_both_waits_knows_how_many_bytes_have_left() {
    let mut peer = upload(10);
    peer.send(b"123");
    peer.end();
    assert_eq!(peer.receive(), b"short3\n");

    let mut peer = upload(10);
    peer.send(b"123");
    // An answer is no byte of the body.
    peer.advance(Duration::from_secs(20));
    peer.other().send(b"+\n");
    peer.advance(Duration::from_secs(10));
    assert_eq!(peer.receive(), b"+3\nstalled3\n");

    let mut peer = upload(10);
    peer.send(b"123");
    peer.other().send(b"what?\n");
    assert_eq!(peer.receive(), b"fault3\n");

    let mut peer = upload(10);
    peer.send(b"123");
    peer.other().send(b"again\n");
    assert_eq!(peer.connecting(), Some("10.0.0.2:7".parse().unwrap()));
    peer.accept();
    assert_eq!(peer.receive(), b"again3\n");
}
