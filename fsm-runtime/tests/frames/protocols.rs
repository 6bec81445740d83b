//! Frames of ten protocols, declared, and tested with what real clients have sent to a listener on
//! 127.0.0.1. Each comment over recorded bytes names the client, its version and the command.

mod amqp;
mod beanstalkd;
mod dns;
mod kafka;
mod memcached;
mod mqtt;
mod netstrings;
mod postgresql;
mod proxy;
mod socks;

use std::fmt::Debug;

use fsm_runtime::prelude::*;

/// The bytes of one direction of a connection, and the frames that they are.
type Recorded<F> = (&'static [u8], Vec<<F as Frame>::Item<'static>>);

/// What a decoder returned for a stream: its frames, each with its length, up to an error.
type Read<F> = (Vec<(<F as Frame>::Item<'static>, usize)>, Option<<F as Frame>::Error>);

/// Decodes `stream`, of which the decoder sees the beginnings that end at `cuts`, and then all.
///
/// What the decoder announces is more than it has, and no more than the frame takes in the end. If `waits`,
/// it is not called before as many bytes are there, which is how a machine calls it.
fn read<F: Frame>(stream: &'static [u8], cuts: &[usize], waits: bool) -> Read<F> {
    let max = F::LAYOUT.unwrap().max;
    let (mut frames, mut start, mut announced) = (Vec::new(), 0, Vec::new());
    let mut decoder = F::default();
    for &arrived in cuts.iter().chain([&stream.len()]) {
        // After the last frame there is an empty input, which a decoder waits behind, too.
        while start <= arrived {
            let input = &stream[start..arrived];
            if waits && announced.last().is_some_and(|total| input.len() < *total) {
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
    assert!(start == stream.len() || !announced.is_empty());
    (frames, None)
}

/// Every cut of the stream into two pieces, and the stream byte by byte, give the same as the whole.
fn read_in_pieces<F>(stream: &'static [u8]) -> Read<F>
where
    F: Frame<Error: PartialEq + Debug>,
    F::Item<'static>: PartialEq + Debug,
{
    let whole = read::<F>(stream, &[], false);
    let bytes: Vec<usize> = (0..=stream.len()).collect();
    for waits in [false, true] {
        for cut in 0..=stream.len() {
            assert_eq!(read::<F>(stream, &[cut], waits), whole, "cut at {cut}");
        }
        assert_eq!(read::<F>(stream, &bytes, waits), whole, "byte by byte");
    }
    whole
}

/// The recorded bytes are these frames, however they arrive.
fn are_read<F>(recorded: &[Recorded<F>])
where
    F: Frame<Error: PartialEq + Debug>,
    F::Item<'static>: PartialEq + Debug,
{
    for (stream, expected) in recorded {
        let (frames, error) = read_in_pieces::<F>(stream);
        assert_eq!(error, None, "{}", stream.escape_ascii());
        assert_eq!(frames.iter().map(|(_, used)| used).sum::<usize>(), stream.len());
        assert!(frames.iter().map(|(frame, _)| frame).eq(expected), "{frames:#?}");
    }
}

/// The frames, encoded, are the recorded bytes.
fn are_written<F>(recorded: &[Recorded<F>])
where
    F: Frame<Error: PartialEq + Debug>,
    F::Item<'static>: Encode<Error = F::Error> + Debug,
{
    for (stream, frames) in recorded {
        let mut out = Vec::new();
        for frame in frames {
            let before = out.len();
            frame.encode(&mut out).unwrap();
            assert_eq!(out.len() - before, frame.encoded_len(), "{frame:?}");
        }
        assert_eq!(out.escape_ascii().to_string(), stream.escape_ascii().to_string());
    }
}

/// The bytes are refused with this error, however they arrive.
fn is_refused<F>(stream: &'static [u8], expected: F::Error)
where
    F: Frame<Error: PartialEq + Debug>,
    F::Item<'static>: PartialEq + Debug,
{
    let (frames, error) = read_in_pieces::<F>(stream);
    assert_eq!((frames.len(), error), (0, Some(expected)), "{}", stream.escape_ascii());
}
