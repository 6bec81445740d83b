#![allow(clippy::restriction, missing_docs, unnameable_types, reason = "these are tests")]

use fsm_runtime::sim::Session;
use fsm_runtime::{Cx, Machine};

use super::*;

#[expect(clippy::zero_sized_map_values, reason = "a type of some length")]
type News<'a> = Cx<'a, HashMap<String, Fault>>;

struct Client;

impl steps::Handler for Client {
    fn line(&mut self, bytes: &[u8], _: &mut News<'_>) -> Result<steps::AfterLine, Fault> {
        Ok(match bytes {
            b"into" => steps::AfterLine::Into,
            b"none" => steps::AfterLine::None,
            b"type" => steps::AfterLine::Type,
            b"exactly" => steps::AfterLine::Exactly {
                bytes: 7,
                cx: 2,
                handler: "h".to_owned(),
                error: Some(Box::new(Shapes::Line)),
            },
            b"sleepy" => steps::AfterLine::Sleepy { pause: Duration::from_millis(20), r#type: 3 },
            b"waits" => steps::AfterLine::Waits,
            b"" => return Err(Fault),
            _ => steps::AfterLine::Line,
        })
    }

    fn exactly(
        &mut self,
        bytes: &mut u64,
        _: &mut u8,
        handler: &mut String,
        _: &mut Option<Box<Shapes>>,
        bytes_: &[u8],
        cx: &mut News<'_>,
    ) -> Result<steps::AfterExactly, Fault> {
        write!(cx, "{handler}{}", bytes_.len());
        *bytes += 1;
        Ok(match bytes_[0] {
            b'i' => steps::AfterExactly::Into,
            b'k' => steps::AfterExactly::Kept,
            b'm' => steps::AfterExactly::Moved { taken: 1 },
            _ => steps::AfterExactly::Exactly,
        })
    }

    fn kept(&mut self, _: &mut String, _: &mut News<'_>) -> Result<steps::AfterKept, Fault> {
        Ok(steps::AfterKept::Moved { taken: 2 })
    }

    fn moved(
        &mut self,
        handler: &mut String,
        taken: &mut u8,
        cx: &mut News<'_>,
    ) -> Result<steps::AfterMoved, Fault> {
        write!(cx, "{handler}{taken}");
        Ok(match taken {
            0 => steps::AfterMoved::Into,
            1 => steps::AfterMoved::None,
            2 => steps::AfterMoved::Closed,
            _ => steps::AfterMoved::Type,
        })
    }

    fn into(&mut self, frame: &[u8], _: &mut News<'_>) -> Result<steps::AfterInto, Fault> {
        Ok(if frame == b"x" { steps::AfterInto::Line } else { steps::AfterInto::Into })
    }

    fn none(&mut self, frame: &[u8], _: &mut News<'_>) -> Result<steps::AfterNone, Fault> {
        Ok(if frame == b"x" { steps::AfterNone::Line } else { steps::AfterNone::Slow })
    }

    fn r#type(&mut self, bytes: &[u8; 16], _: &mut News<'_>) -> Result<steps::AfterType, Fault> {
        let [_, ..] = bytes;
        Ok(steps::AfterType::Line)
    }

    fn dozing(&mut self, r#type: &mut u8, cx: &mut News<'_>) -> Result<steps::AfterDozing, Fault> {
        let count = *r#type;
        write!(cx, "{count}");
        *r#type -= 1;
        Ok(if *r#type == 0 { steps::AfterDozing::Line } else { steps::AfterDozing::Dozing })
    }

    fn slow(&mut self, cx: &mut News<'_>) -> Result<steps::AfterSlow, Fault> {
        cx.write(&[0; 1000]);
        Ok(if cx.queued() > 3000 { steps::AfterSlow::Closed } else { steps::AfterSlow::Slow })
    }

    fn waits(
        &mut self,
        message: HashMap<String, Fault>,
        _: &mut News<'_>,
    ) -> Result<steps::AfterWaits, Fault> {
        Ok(if message.is_empty() { steps::AfterWaits::Slow } else { steps::AfterWaits::Waits })
    }

    fn refused(
        &mut self,
        error: &mut Fault,
        cx: &mut News<'_>,
    ) -> Result<steps::AfterRefused, Fault> {
        write!(cx, "{error}");
        Ok(steps::AfterRefused::Closed)
    }
}

fn session() -> Session<Shapes, Client> {
    Session::new(Client)
}

/// Machines with the visibilities of their enums.
mod outer {
    /// A type with the name of one in the module.
    #[derive(Debug)]
    pub(super) struct Handler;

    pub(super) mod inner {
        use fsm_runtime::state_machine;

        #[state_machine(start = Go)]
        pub(super) enum Upper {
            #[run]
            #[to(Keep)]
            Go,
            #[run]
            #[to(Gone)]
            Keep { data: super::Handler, more: More },
            #[end]
            Gone,
        }

        pub(super) struct More;
    }

    pub(super) struct Client;

    impl inner::upper::Handler for Client {
        fn go(&mut self, _: &mut fsm_runtime::Cx<'_>) -> inner::upper::AfterGo {
            inner::upper::AfterGo::Keep { data: Handler, more: inner::More }
        }

        fn keep(
            &mut self,
            Handler: &mut Handler,
            _: &mut inner::More,
            _: &mut fsm_runtime::Cx<'_>,
        ) -> inner::upper::AfterKeep {
            inner::upper::AfterKeep::Gone
        }
    }

    pub(super) fn steps() -> usize {
        use fsm_runtime::{Machine, sim::Session};
        let peer = Session::<inner::Upper, _>::new(Client);
        assert_eq!(peer.state(), None);
        inner::Upper::SPEC.states.len()
    }
}

#[test]
fn every_shape_runs() {
    let mut peer = session();
    peer.send(b"hello\r\nexactly\r\nxyzi...");
    assert_eq!(peer.state(), Some("Into"));
    peer.send(b"xexactly\r\nzzzz");
    assert_eq!(peer.state(), Some("Exactly"));
    peer.send(b"zzmmm");
    assert_eq!(peer.state(), Some("None"));
    peer.send(b"xtype\r\n0123456789abcdefsleepy\r\n");
    assert_eq!(peer.state(), Some("Sleepy"));
    drop(peer.receive());
    peer.advance(Duration::from_millis(20));
    assert_eq!(peer.state(), Some("Dozing"));
    peer.advance(Duration::from_millis(500));
    peer.advance(Duration::from_millis(500));
    assert_eq!(peer.state(), Some("Dozing"));
    peer.advance(Duration::from_millis(500));
    assert_eq!(peer.state(), Some("Line"));
    assert_eq!(peer.receive(), b"321");
    peer.send(b"\r\n");
    assert_eq!(peer.receive(), b"fault");
    assert_eq!(peer.state(), None);
    assert_eq!(outer::steps(), 3);
}

#[test]
fn a_machine_may_be_local() {
    #[state_machine(start = Talk, eof => Gone)]
    enum Echo {
        /// Sends back all input.
        #[read(some, max = 16KiB, idle = 60s => Gone)]
        #[to(Talk)]
        #[rest]
        Talk,
        #[end]
        Gone,
    }

    struct Client;

    impl echo::Handler for Client {
        fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> echo::AfterTalk {
            cx.write(bytes);
            echo::AfterTalk::Talk
        }
    }

    let mut peer = Session::<Echo, _>::new(Client);
    peer.send(b"abc");
    assert_eq!(peer.receive(), b"abc");
    assert_eq!(Echo::SPEC.states[0].docs, "Sends back all input.");
}
