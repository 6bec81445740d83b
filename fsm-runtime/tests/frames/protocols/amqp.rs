//! AMQP 0-9-1: what a client sends, from the header of the protocol on.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Inputs, tag = u8)]
#[derive(Debug, PartialEq)]
pub enum Input<'a> {
    #[is(b'A')]
    Header {
        #[is(b"MQP\0\0\x09\x01")]
        rest: [u8; 7],
    },
    #[is(1 | 2 | 3 | 8)]
    Frame {
        #[tag]
        kind: u8,
        channel: u16,
        len: u32,
        #[bytes(len <= 128KiB, then = b"\xCE")]
        payload: &'a [u8],
    },
}

/// A frame with a method, where no other may be.
#[frame(Methods)]
#[derive(Debug, PartialEq)]
pub struct Method<'a> {
    #[is(1)]
    kind: u8,
    channel: u16,
    len: u32,
    #[part(len <= 128KiB, then = b"\xCE")]
    class: u16,
    id: u16,
    #[rest]
    arguments: &'a [u8],
}

/// amqp-tools 0.11.0: `amqp-publish --url=amqp://guest:guest@127.0.0.1:39431/ -e ex -r key -C text/plain`
const TOOLS: &[u8] = b"AMQP\0\0\x09\x01\
    \x01\0\0\0\0\x01@\0\n\0\x0B\0\0\x01\x1C\x07productS\0\0\0\nrabbitmq-c\x07versionS\0\0\0\x060.11.0\
    \x08platformS\0\0\0\x05Linux\x09copyrightS\0\0\0ICopyright (c) 2007-2014 VMWare Inc, Tony Garnock-Jones, and \
    Alan Antonuk.\x0BinformationS\0\0\0(See https://github.com/alanxz/rabbitmq-c\x0CcapabilitiesF\0\0\0<\
    \x1Cauthentication_failure_closet\x01\x1Aexchange_exchange_bindingst\x01\x05PLAIN\0\0\0\x0C\0guest\0guest\
    \x05en_US\xCE\x01\0\0\0\0\0\x0C\0\n\0\x1F\x07\xFF\0\x02\0\0\0\0\xCE\x01\0\0\0\0\0\x07\0\n\0(\0\0\x01\xCE\
    \x01\0\x01\0\0\0\x05\0\x14\0\n\0\xCE\x01\0\x01\0\0\0\x0E\0<\0(\0\0\x02ex\x03key\0\xCE\
    \x02\0\x01\0\0\0\x1A\0<\0\0\0\0\0\0\0\0\0\x05\x90\0\ntext/plain\x01\xCE\x03\0\x01\0\0\0\x05hello\xCE\
    \x01\0\x01\0\0\0\x0E\0\x14\0(\0\xC8\x03200\0\0\0\0\xCE\x01\0\0\0\0\0\x0E\0\n\x002\0\xC8\x03200\0\0\0\0\xCE";

/// pika 1.4.4, on Python 3.11.7, after the start: `c.channel()`,
/// `ch.basic_publish('', 'q', b'hello', BasicProperties(content_type='text/plain'))` and `c.close()`
const PIKA: &[u8] = b"\x01\0\x01\0\0\0\x05\0\x14\0\n\0\xCE\x01\0\x01\0\0\0\n\0<\0(\0\0\0\x01q\0\xCE\
    \x02\0\x01\0\0\0\x19\0<\0\0\0\0\0\0\0\0\0\x05\x80\0\ntext/plain\xCE\x03\0\x01\0\0\0\x05hello\xCE\
    \x01\0\x01\0\0\0\x1A\0\x14\0(\0\xC8\x0FNormal shutdown\0\0\0\0\xCE\
    \x01\0\0\0\0\0\x1A\0\n\x002\0\xC8\x0FNormal shutdown\0\0\0\0\xCE";

fn inputs() -> Vec<Recorded<Inputs>> {
    let frame = |kind, channel, payload| Input::Frame { kind, channel, payload };
    let method = |channel, payload| frame(1, channel, payload);
    vec![
        (
            TOOLS,
            vec![
                Input::Header {},
                method(0, &TOOLS[15..335]),
                method(0, b"\0\n\0\x1F\x07\xFF\0\x02\0\0\0\0"),
                method(0, b"\0\n\0(\0\0\x01"),
                method(1, b"\0\x14\0\n\0"),
                method(1, b"\0<\0(\0\0\x02ex\x03key\0"),
                frame(2, 1, b"\0<\0\0\0\0\0\0\0\0\0\x05\x90\0\ntext/plain\x01"),
                frame(3, 1, b"hello"),
                method(1, b"\0\x14\0(\0\xC8\x03200\0\0\0\0"),
                method(0, b"\0\n\x002\0\xC8\x03200\0\0\0\0"),
            ],
        ),
        (
            PIKA,
            vec![
                method(1, b"\0\x14\0\n\0"),
                method(1, b"\0<\0(\0\0\0\x01q\0"),
                frame(2, 1, b"\0<\0\0\0\0\0\0\0\0\0\x05\x80\0\ntext/plain"),
                frame(3, 1, b"hello"),
                method(1, b"\0\x14\0(\0\xC8\x0FNormal shutdown\0\0\0\0"),
                method(0, b"\0\n\x002\0\xC8\x0FNormal shutdown\0\0\0\0"),
            ],
        ),
    ]
}

fn methods() -> Vec<Recorded<Methods>> {
    let open = Method { channel: 1, class: 20, id: 10, arguments: b"\0" };
    let publish = Method { channel: 1, class: 60, id: 40, arguments: b"\0\0\0\x01q\0" };
    vec![(&PIKA[..31], vec![open, publish])]
}

#[test]
fn f3_frames_of_amqp_tools_and_pika_are_the_same_however_they_are_cut() {
    are_read::<Inputs>(&inputs());
    are_read::<Methods>(&methods());
}

#[test]
fn f1_frames_of_amqp_tools_and_pika_are_written_as_they_were_sent() {
    are_written::<Inputs>(&inputs());
    are_written::<Methods>(&methods());
}

#[test]
fn f3_what_is_no_frame_of_amqp_is_refused() {
    // AMQP 1.0.
    is_refused::<Inputs>(b"AMQP\0\x01\0\0", InputsError::Rest);
    is_refused::<Inputs>(b"\x04\0\0\0\0\0\0\xCE", InputsError::Tag);
    is_refused::<Inputs>(b"\x08\0\0\0\0\0\0\xCD", InputsError::End { field: "payload" });
    is_refused::<Methods>(b"\x02\0\x01", MethodsError::Kind { found: 2 });
    is_refused::<Methods>(b"\x01\0\0\0\0\0\x04\0\n\0\n\0", MethodsError::End { field: "class" });
    is_refused::<Methods>(b"\x01\0\0\0\0\0\x03\0\n\0\xCE", MethodsError::Short { field: "id" });
}
