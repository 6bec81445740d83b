//! A proxy of requests with bodies: `read(other)`, `relay(out)` and `relay(back)`.

use super::*;

/// A request is its length and so many bytes; an answer, too. Both are passed on as they are.
#[state_machine(start = Head, eof => Gone, refused => Bad, gone => Bad, idle = 60s => Gone)]
enum Proxy {
    #[read(exact = 1)]
    #[to(Dial)]
    #[rest]
    Head,
    #[connect(within = 5s => Bad)]
    #[to(Request)]
    Dial { body: u8 },
    #[relay(out, exact = body, max = 16KiB)]
    #[to(Answer)]
    Request {
        #[carry]
        body: u8,
    },
    #[read(other, exact = 1, eof => Bad)]
    #[to(Response | Rest)]
    Answer,
    #[relay(back, exact = left, max = 16KiB)]
    #[to(Head)]
    Response { left: u8 },
    /// All until the target ends its stream.
    #[relay(back, max = 16KiB)]
    #[to(Gone)]
    Rest,
    #[run]
    #[to(Gone)]
    Bad,
    #[end]
    Gone,
}

#[derive(Default)]
struct Client {
    reused: usize,
}

impl proxy::Handler for Client {
    fn head(&mut self, length: &[u8; 1], cx: &mut Cx<'_>) -> proxy::AfterHead {
        cx.other().write(length);
        proxy::AfterHead::Dial { to: "10.0.0.1:7".parse().unwrap(), body: length[0] }
    }

    fn dial(&mut self, _: &mut u8, connected: Connected, _: &mut Cx<'_>) -> proxy::AfterDial {
        self.reused += usize::from(connected.reused);
        proxy::AfterDial::Request
    }

    fn request(&mut self, body: &mut u8, moved: Moved, _: &mut Cx<'_>) -> proxy::AfterRequest {
        assert_eq!((moved.out, moved.back), (u64::from(*body), 0));
        proxy::AfterRequest::Answer
    }

    fn answer(&mut self, length: &[u8; 1], cx: &mut Cx<'_>) -> proxy::AfterAnswer {
        cx.write(length);
        match length[0] {
            255 => proxy::AfterAnswer::Rest,
            left => proxy::AfterAnswer::Response { left },
        }
    }

    fn response(&mut self, left: &mut u8, moved: Moved, _: &mut Cx<'_>) -> proxy::AfterResponse {
        assert_eq!((moved.out, moved.back), (0, u64::from(*left)));
        proxy::AfterResponse::Head
    }

    fn rest(&mut self, moved: Moved, cx: &mut Cx<'_>) -> proxy::AfterRest {
        write!(cx, "|{}", moved.back);
        proxy::AfterRest::Gone
    }

    fn bad(&mut self, cx: &mut Cx<'_>) -> proxy::AfterBad {
        cx.write(b"bad");
        proxy::AfterBad::Gone
    }
}

fn client() -> Session<Proxy, Client> {
    Session::new(Client::default())
}

#[test]
fn s2_a_body_goes_out_and_another_one_comes_back_and_the_connection_is_kept() {
    let mut peer = client();
    peer.send(b"\x05hel");
    peer.accept();
    assert_eq!(peer.other().receive(), b"\x05hel");
    // The next request comes at once; it waits for the answer to this one.
    peer.send(b"lo\x02hi");
    assert_eq!(peer.other().receive(), b"lo");
    peer.other().send(b"\x03a");
    assert_eq!(peer.receive(), b"\x03a");
    assert_eq!(peer.state(), Some("Response"));
    peer.other().send(b"bc");
    // The same connection is used again: nobody is asked to connect.
    assert_eq!(peer.connecting(), None);
    assert_eq!(peer.receive(), b"bc");
    assert_eq!(peer.other().receive(), b"\x02hi");
    peer.other().send(b"\x00");
    assert_eq!(peer.receive(), b"\x00");
    assert_eq!(peer.state(), Some("Head"));
    // At rest a drain closes it.
    peer.drain();
    assert_eq!(peer.ended(), Some(Ended::Drained));
    assert!(peer.other().is_ended());
}

#[test]
fn s2_a_connection_that_has_ended_or_has_something_unread_is_not_kept() {
    for (after, what) in [(true, "ended"), (false, "unread")] {
        let mut peer = client();
        peer.send(b"\x00");
        peer.accept();
        peer.other().send(b"\x00");
        if after {
            peer.other().end();
        } else {
            peer.other().send(b"unasked");
        }
        peer.receive();
        peer.send(b"\x00");
        assert!(peer.connecting().is_some(), "{what}: it connects anew");
        peer.accept();
        assert_eq!(peer.other().receive(), b"\x00", "{what}");
        peer.other().send(b"\x01x");
        assert_eq!(peer.receive(), b"\x01x", "{what}: nothing of the old one comes through");
    }
}

#[test]
fn s2_an_end_before_the_body_is_whole_takes_the_edge() {
    let mut peer = client();
    peer.send(b"\x05he");
    peer.accept();
    peer.end();
    assert_eq!(peer.state(), None);
    assert!(peer.other().is_reset() || peer.other().is_ended());

    let mut peer = client();
    peer.send(b"\x00");
    peer.accept();
    peer.other().send(b"\x05he");
    peer.other().end();
    assert_eq!(peer.receive(), b"\x05he");
    assert_eq!(peer.ended(), Some(Ended::Done));

    let mut peer = client();
    peer.send(b"\x00");
    peer.accept();
    peer.other().end();
    assert_eq!(peer.receive(), b"bad");
}

#[test]
fn s2_without_a_number_the_end_of_the_stream_ends_it() {
    let mut peer = client();
    peer.send(b"\x00");
    peer.accept();
    peer.other().send(b"\xffall ");
    peer.other().send(b"the rest");
    peer.other().end();
    assert_eq!(peer.receive(), b"\xffall the rest|12");
    assert_eq!(peer.ended(), Some(Ended::Done));
}

#[test]
fn s2_a_refusal_and_a_reset_are_told_to_the_client() {
    let mut peer = client();
    peer.send(b"\x05hello");
    peer.refuse(std::io::ErrorKind::ConnectionRefused);
    assert_eq!(peer.receive(), b"bad");

    let mut peer = client();
    peer.send(b"\x05hel");
    peer.accept();
    peer.other().reset();
    peer.send(b"lo");
    assert_eq!(peer.receive(), b"bad");
}

#[test]
fn s2_idle_ends_a_body_that_stops_although_an_answer_is_there_already() {
    let mut peer = client();
    peer.send(b"\x05hel");
    peer.accept();
    peer.other().send(b"\x00");
    peer.advance(Duration::from_secs(59));
    assert_eq!(peer.state(), Some("Request"));
    peer.advance(Duration::from_secs(1));
    assert_eq!(peer.state(), None);
}
