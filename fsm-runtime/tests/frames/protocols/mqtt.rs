//! MQTT 3.1.1: any packet by its fixed header, PUBLISH alone, and an enum of packets.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Headers)]
#[derive(Debug, PartialEq)]
pub struct Header<'a> {
    head: u8,
    #[varint(max = 4)]
    len: u32,
    #[bytes(len <= 256KiB)]
    body: &'a [u8],
}

#[frame(Publishes)]
#[derive(Debug, PartialEq)]
pub struct Publish<'a> {
    head: u8,
    #[varint(max = 4)]
    len: u32,
    #[part(len <= 256KiB)]
    topic_len: u16,
    #[bytes(topic_len <= 65535)]
    topic: &'a str,
    #[when(head & 6 != 0)]
    id: Option<u16>,
    #[rest]
    payload: &'a [u8],
}

#[frame(Packets)]
#[derive(Debug, PartialEq)]
pub struct Packet<'a> {
    head: u8,
    #[varint(max = 4)]
    len: u32,
    #[part(len <= 256KiB)]
    #[tag(head)]
    body: Body<'a>,
}

#[frame(Bodies, tag = u8)]
#[derive(Debug, PartialEq)]
pub enum Body<'a> {
    #[is(0x10)]
    Connect {
        #[is(b"\0\x04MQTT\x04")]
        protocol: [u8; 7],
        flags: u8,
        keep_alive: u16,
        #[rest]
        payload: Times<'a, Texts>,
    },
    #[is(0x30 | 0x31 | 0x32 | 0x33 | 0x34 | 0x35 | 0x3A | 0x3B | 0x3C | 0x3D)]
    Publish {
        #[tag]
        head: u8,
        topic: Text<'a>,
        #[when(head & 6 != 0)]
        id: Option<u16>,
        #[rest]
        payload: &'a [u8],
    },
    #[is(0x62)]
    Release { id: u16 },
    #[is(0x82)]
    Subscribe {
        id: u16,
        #[rest]
        topics: Times<'a, Topics>,
    },
    #[is(0xE0)]
    Disconnect,
}

#[frame(Texts)]
#[derive(Debug, PartialEq)]
pub struct Text<'a> {
    len: u16,
    #[bytes(len <= 65535)]
    text: &'a str,
}

#[frame(Topics)]
#[derive(Debug, PartialEq)]
pub struct Topic<'a> {
    filter: Text<'a>,
    options: u8,
}

// mosquitto_pub 2.0.11: `mosquitto_pub -V mqttv311 -i fsm -t a/b -m hello -q 1`
const AT_LEAST_ONCE: &[u8] =
    b"\x10\x0F\0\x04MQTT\x04\x02\0<\0\x03fsm2\x0C\0\x03a/b\0\x01hello\xE0\0";
// mosquitto_pub 2.0.11: `mosquitto_pub -V mqttv311 -i fsm -t sensors/1/temp -m '21.5 C' -q 0 -r -u me -P pass`
const RETAINED: &[u8] = b"\x10\x19\0\x04MQTT\x04\xC2\0<\0\x03fsm\0\x02me\0\x04pass\
    1\x16\0\x0Esensors/1/temp21.5 C\xE0\0";
// mosquitto_pub 2.0.11: `mosquitto_pub -V mqttv311 -i fsm -t a/b -m hello -q 2`
const EXACTLY_ONCE: &[u8] =
    b"\x10\x0F\0\x04MQTT\x04\x02\0<\0\x03fsm4\x0C\0\x03a/b\0\x01hellob\x02\0\x01\xE0\0";
// mosquitto_sub 2.0.11: `mosquitto_sub -V mqttv311 -i fsm -t t -C 1`
const SUBSCRIBER: &[u8] = b"\x10\x0F\0\x04MQTT\x04\x02\0<\0\x03fsm\x82\x06\0\x01\0\x01t\0\xE0\0";

// mosquitto_pub 2.0.11: `head -c 300 /dev/zero | tr '\0' x | mosquitto_pub -V mqttv311 -i fsm -t big -s -q 0`,
// without the first and the last packet.
const LONG: &[u8] = b"0\xB1\x02\0\x03big\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\
    xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";

fn headers() -> Vec<Recorded<Headers>> {
    let connect = || Header { head: 0x10, body: b"\0\x04MQTT\x04\x02\0<\0\x03fsm" };
    let end = || Header { head: 0xE0, body: b"" };
    let publish = |head| Header { head, body: b"\0\x03a/b\0\x01hello" };
    vec![
        (AT_LEAST_ONCE, vec![connect(), publish(0x32), end()]),
        (
            EXACTLY_ONCE,
            vec![connect(), publish(0x34), Header { head: 0x62, body: b"\0\x01" }, end()],
        ),
        (LONG, vec![Header { head: 0x30, body: &LONG[3..] }]),
    ]
}

fn publishes() -> Vec<Recorded<Publishes>> {
    let publish = |head, id| Publish { head, topic: "a/b", id: Some(id), payload: b"hello" };
    let retained = Publish { head: 0x31, topic: "sensors/1/temp", id: None, payload: b"21.5 C" };
    vec![
        (&AT_LEAST_ONCE[17..31], vec![publish(0x32, 1)]),
        (&RETAINED[27..51], vec![retained]),
        (&EXACTLY_ONCE[17..31], vec![publish(0x34, 1)]),
        (LONG, vec![Publish { head: 0x30, topic: "big", id: None, payload: &[b'x'; 300] }]),
    ]
}

fn packets() -> Vec<Recorded<Packets>> {
    fn connect(flags: u8, payload: &'static [u8]) -> Packet<'static> {
        let payload = Times::encoded(payload).unwrap();
        Packet { body: Body::Connect { flags, keep_alive: 60, payload } }
    }
    let publish = |head, id, topic, payload| Packet {
        body: Body::Publish { head, topic: Text { text: topic }, id, payload },
    };
    let end = || Packet { body: Body::Disconnect };
    let topics = Times::encoded(b"\0\x01t\0").unwrap();
    vec![
        (
            AT_LEAST_ONCE,
            vec![connect(2, b"\0\x03fsm"), publish(0x32, Some(1), "a/b", b"hello"), end()],
        ),
        (
            RETAINED,
            vec![
                connect(0xC2, b"\0\x03fsm\0\x02me\0\x04pass"),
                publish(0x31, None, "sensors/1/temp", b"21.5 C"),
                end(),
            ],
        ),
        (
            EXACTLY_ONCE,
            vec![
                connect(2, b"\0\x03fsm"),
                publish(0x34, Some(1), "a/b", b"hello"),
                Packet { body: Body::Release { id: 1 } },
                end(),
            ],
        ),
        (
            SUBSCRIBER,
            vec![
                connect(2, b"\0\x03fsm"),
                Packet { body: Body::Subscribe { id: 1, topics } },
                end(),
            ],
        ),
        (LONG, vec![publish(0x30, None, "big", &[b'x'; 300])]),
    ]
}

#[test]
fn f3_packets_of_mosquitto_are_the_same_however_they_are_cut() {
    are_read::<Headers>(&headers());
    are_read::<Publishes>(&publishes());
    are_read::<Packets>(&packets());
    let payload = packets().remove(1).1.remove(0);
    let Packet { body: Body::Connect { payload, .. } } = payload else { panic!() };
    assert!(payload.iter().map(|it| it.text).eq(["fsm", "me", "pass"]));
}

#[test]
fn f1_packets_of_mosquitto_are_written_as_they_were_sent() {
    are_written::<Headers>(&headers());
    are_written::<Publishes>(&publishes());
    are_written::<Packets>(&packets());
}

#[test]
fn f3_what_is_no_packet_of_mqtt_is_refused() {
    // The length has five bytes, or one too many.
    is_refused::<Headers>(b"\x30\xFF\xFF\xFF\xFF\x01", HeadersError::Number { field: "len" });
    is_refused::<Headers>(b"\x30\x80\0", HeadersError::Number { field: "len" });
    is_refused::<Headers>(
        b"\x30\xFF\xFF\xFF\x7F",
        HeadersError::TooLong { field: "body", len: 268_435_455, max: 256 * 1024 },
    );
    // The topic is longer than the packet.
    is_refused::<Publishes>(b"\x30\x04\0\x03a/", PublishesError::Short { field: "topic" });
    // QoS 3, and something behind the packet identifier.
    is_refused::<Packets>(b"\x36\x02\0\0", PacketsError::Body(BodiesError::Tag));
    is_refused::<Packets>(b"\x62\x03\0\x01\0", PacketsError::Surplus { field: "body" });
    is_refused::<Packets>(
        b"\x10\x0A\0\x06MQIsdp\x03\x02",
        PacketsError::Body(BodiesError::Protocol),
    );
}
