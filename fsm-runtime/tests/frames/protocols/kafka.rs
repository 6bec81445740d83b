//! The header of requests of Kafka.

use fsm_runtime::prelude::*;

use super::{Recorded, are_read, are_written, is_refused};

#[frame(Requests)]
#[derive(Debug, PartialEq)]
pub struct Request<'a> {
    len: u32,
    #[part(len <= 1MiB)]
    key: u16,
    version: u16,
    correlation: i32,
    client_len: i16,
    #[when(client_len >= 0)]
    #[bytes(client_len <= 32767)]
    client: Option<&'a str>,
    #[rest]
    body: &'a [u8],
}

// kcat with librdkafka 2.0.2: `kcat -L -X client.id=fsm`
const KCAT: &[u8] = b"\0\0\0 \0\x12\0\x03\0\0\0\x01\0\x03fsm\0\x0Blibrdkafka\x062.0.2\0\
    \0\0\0\r\0\x12\0\0\0\0\0\x02\0\x03fsm\0\0\0\x11\0\x03\0\x01\0\0\0\x03\0\x03fsm\0\0\0\0";
// kcat with librdkafka 2.0.2: `kcat -L -X api.version.request=false -X broker.version.fallback=0.9.0 -t news`
const NEWS: &[u8] = b"\0\0\0\x1B\0\x03\0\0\0\0\0\x05\0\x07rdkafka\0\0\0\x01\0\x04news";
// kafka-python-ng 2.2.3, on Python 3.11.7: `KafkaConsumer('t', api_version=(0, 10)).poll(1000)`
const PYTHON: &[u8] = b"\0\0\0\"\0\x03\0\x01\0\0\0\x01\0\x11kafka-python2.2.3\0\0\0\x01\0\x01t";
// From the specification: none of these clients sends no name.
const NAMELESS: &[u8] = b"\0\0\0\x0A\0\x12\0\0\0\0\0\x01\xFF\xFF";

fn requests() -> Vec<Recorded<Requests>> {
    let request = |key, version, correlation, client: &'static str, body| Request {
        key,
        version,
        correlation,
        client_len: client.len().try_into().unwrap(),
        client: Some(client),
        body,
    };
    let nameless =
        Request { key: 18, version: 0, correlation: 1, client_len: -1, client: None, body: b"" };
    vec![
        (
            KCAT,
            vec![
                request(18, 3, 1, "fsm", b"\0\x0Blibrdkafka\x062.0.2\0"),
                request(18, 0, 2, "fsm", b""),
                request(3, 1, 3, "fsm", b"\0\0\0\0"),
            ],
        ),
        (NEWS, vec![request(3, 0, 5, "rdkafka", b"\0\0\0\x01\0\x04news")]),
        (PYTHON, vec![request(3, 1, 1, "kafka-python2.2.3", b"\0\0\0\x01\0\x01t")]),
        (NAMELESS, vec![nameless]),
    ]
}

#[test]
fn f3_requests_of_kcat_and_kafka_python_are_the_same_however_they_are_cut() {
    are_read::<Requests>(&requests());
}

#[test]
fn f1_requests_of_kcat_and_kafka_python_are_written_as_they_were_sent() {
    are_written::<Requests>(&requests());
}

#[test]
fn f1_a_client_that_is_not_as_its_length_says_is_not_written() {
    let client = Some("fsm");
    for client_len in [-1, 2, 4] {
        let request = Request { key: 3, version: 0, correlation: 1, client_len, client, body: b"" };
        let disagrees = RequestsError::Disagrees { field: "client" };
        assert_eq!(request.check(), Err(disagrees), "{client_len}");
    }
}

#[test]
fn f3_what_is_no_request_of_kafka_is_refused() {
    is_refused::<Requests>(
        b"\0\0\0\x0A\0\x12\0\0\0\0\0\x01\0\x01",
        RequestsError::Short { field: "client" },
    );
    is_refused::<Requests>(b"\0\0\0\x02\0\x12", RequestsError::Short { field: "client_len" });
    // A connection with TLS.
    is_refused::<Requests>(
        b"\x16\x03\x01\x02\0\x01\0\x01",
        RequestsError::TooLong { field: "key", len: 0x1603_0102, max: 1 << 20 },
    );
}
