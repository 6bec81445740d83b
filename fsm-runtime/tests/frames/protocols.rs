//! Frames of ten protocols, declared, and tested with what real clients have sent to a listener on
//! 127.0.0.1. Each comment over recorded bytes names the client, its version and the command.

pub(crate) mod amqp;
pub(crate) mod beanstalkd;
pub(crate) mod dns;
pub(crate) mod kafka;
pub(crate) mod memcached;
pub(crate) mod mqtt;
pub(crate) mod netstrings;
pub(crate) mod postgresql;
pub(crate) mod proxy;
pub(crate) mod socks;

use std::fmt::Debug;

use fsm_runtime::prelude::*;

/// The bytes of one direction of a connection, and the frames that they are.
type Recorded<F> = (&'static [u8], Vec<<F as Frame>::Item<'static>>);

/// The results of a decoder for a stream: its frames, each with its length, up to an error.
type Read<'a, F> = (Vec<(<F as Frame>::Item<'a>, usize)>, Option<<F as Frame>::Error>);

/// Decodes `stream`, of which the decoder sees the beginnings that end at `cuts`, and then all.
///
/// The decoder announces more bytes than it has, and no more than the frame takes in the end. If `waits`,
/// the decoder is not called before as many bytes are there, as far as the stream has them.
fn read<'a, F: Frame>(stream: &'a [u8], cuts: &[usize], waits: bool) -> Read<'a, F> {
    let max = F::LAYOUT.unwrap().max;
    let (mut frames, mut start, mut announced) = (Vec::new(), 0, Vec::new());
    let mut decoder = F::default();
    for &arrived in cuts.iter().chain([&stream.len()]) {
        // Behind the last frame that is there the input is empty.
        while start <= arrived {
            let input = &stream[start..arrived];
            let is_short = announced.last().is_some_and(|total| input.len() < *total);
            if waits && is_short && arrived < stream.len() {
                break;
            }
            match decoder.decode(input) {
                Ok(Decoded::Frame(frame, used)) => {
                    assert!((1..=input.len().min(max)).contains(&used), "{used}");
                    assert!(announced.iter().all(|it| *it <= used), "{announced:?} of {used}");
                    frames.push((frame, used));
                    start += used;
                    (decoder, announced) = (F::default(), Vec::new());
                }
                Ok(Decoded::More(total)) => {
                    assert!(total > input.len() && total <= max, "{total} of {}", input.len());
                    announced.push(total);
                    break;
                }
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

/// Every cut of the stream into two pieces, and the stream byte by byte, give the same as the whole.
fn read_in_pieces<F>(stream: &[u8]) -> Read<'_, F>
where
    F: Frame<Error: PartialEq + Debug>,
    for<'a> F::Item<'a>: PartialEq + Debug,
{
    let whole = read::<F>(stream, &[], false);
    for cut in 0..=stream.len() {
        for waits in [false, true] {
            assert_eq!(read::<F>(stream, &[cut], waits), whole, "cut at {cut}");
        }
    }
    read_byte_by_byte::<F>(stream, &whole);
    whole
}

fn read_byte_by_byte<'a, F>(stream: &'a [u8], whole: &Read<'a, F>)
where
    F: Frame<Error: PartialEq + Debug>,
    F::Item<'a>: PartialEq + Debug,
{
    let bytes: Vec<usize> = (0..=stream.len()).collect();
    for waits in [false, true] {
        assert_eq!(read::<F>(stream, &bytes, waits), *whole, "byte by byte");
    }
}

/// The recorded bytes are these frames, however they arrive.
fn are_read<F>(recorded: &[Recorded<F>])
where
    F: Frame<Error: PartialEq + Debug>,
    for<'a> F::Item<'a>: PartialEq + Debug,
{
    for (stream, expected) in recorded {
        let (frames, error) = read_in_pieces::<F>(stream);
        assert_eq!(error, None, "{}", stream.escape_ascii());
        assert_eq!(frames.iter().map(|(_, used)| used).sum::<usize>(), stream.len());
        assert!(frames.iter().map(|(frame, _)| frame).eq(expected), "{frames:#?}");
    }
}

/// The frames, encoded, are the recorded bytes. The result for changed bytes does not depend on the cut
/// either, and is written as it was sent.
fn are_written<F>(recorded: &[Recorded<F>])
where
    F: Frame<Error: PartialEq + Debug>,
    for<'a> F::Item<'a>: Encode<Error = F::Error> + PartialEq + Debug,
{
    for (stream, frames) in recorded {
        let frames: Vec<_> = frames.iter().collect();
        assert_eq!(written(&frames), stream.escape_ascii().to_string());
        for changed in changed(stream) {
            let whole = read::<F>(&changed, &[], false);
            read_byte_by_byte::<F>(&changed, &whole);
            let frames: Vec<_> = whole.0.iter().map(|(frame, _)| frame).collect();
            let used: usize = whole.0.iter().map(|(_, used)| used).sum();
            assert_eq!(written(&frames), changed[..used].escape_ascii().to_string());
        }
    }
}

/// The frames as bytes, with their escapes.
fn written<T: Encode<Error: Debug> + Debug>(frames: &[&T]) -> String {
    let mut out = Vec::new();
    for frame in frames {
        let before = out.len();
        frame.encode(&mut out).unwrap();
        assert_eq!(out.len() - before, frame.encoded_len(), "{frame:?}");
    }
    out.escape_ascii().to_string()
}

/// The stream with one byte changed, removed, or there twice. Of a long stream this is its beginning.
fn changed(stream: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let stream = &stream[..stream.len().min(160)];
    (0..stream.len()).flat_map(move |at| {
        let byte = stream[at];
        let others = [byte ^ 1, byte.wrapping_add(1), byte ^ 0x80, 0, 0xFF, b' ', b'0'];
        let of = move |bytes: &[u8]| [&stream[..at], bytes, &stream[at + 1..]].concat();
        others.map(|other| of(&[other])).into_iter().chain([of(&[]), of(&[byte, byte])])
    })
}

/// The bytes are refused with this error, however they arrive.
fn is_refused<F>(stream: &[u8], expected: F::Error)
where
    F: Frame<Error: PartialEq + Debug>,
    for<'a> F::Item<'a>: PartialEq + Debug,
{
    let (frames, error) = read_in_pieces::<F>(stream);
    assert_eq!((frames.len(), error), (0, Some(expected)), "{}", stream.escape_ascii());
}
