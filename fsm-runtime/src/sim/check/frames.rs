use std::any::type_name;
use std::fmt::Display;

use super::random::Random;
use crate::{Decoded, Encode, Frame, Layout};

/// The number of frames that are grown.
const FRAMES: usize = 200;
/// The number of attempts to make one longer.
const ATTEMPTS: usize = 3000;
/// The bytes from which on a frame is cut at some places alone.
const SMALL: usize = 200;
/// The largest frame that is grown.
const LARGEST: usize = 80 * 1024;

/// Checks that a decoder and an encoder that were declared with `#[frame]` are inverse to each other, and
/// that the way in which bytes arrive makes no difference.
///
/// It grows frames byte by byte, of bytes that the decoder does not refuse. For each frame:
///
/// - it has at most [`LAYOUT`](Frame::LAYOUT)`.max` bytes, and the decoder never asks for more, nor for more
///   than the frame has;
/// - what is encoded again is the same frame, with as many bytes as
///   [`encoded_len`](Encode::encoded_len) says;
/// - it is the same frame whatever follows it;
/// - it is the same frame in two pieces, for every place between two bytes, and byte by byte;
/// - some of its bytes changed, removed or doubled, it is a frame, incomplete, or refused, and the same
///   however it is cut.
///
/// The same frames are grown each time; [`frames_from`] grows others.
///
/// ```
/// use fsm_runtime::{check, prelude::*};
///
/// #[frame(Blocks)]
/// struct Block<'a> {
///     kind: u8,
///     len: u16,
///     #[bytes(len <= 1KiB)]
///     body: &'a [u8],
/// }
///
/// # fn main() {
/// check::frames::<Blocks>();
/// # }
/// ```
///
/// # Panics
///
/// When one of these does not hold, with the bytes for which it does not; and when no frame can be grown.
#[track_caller]
pub fn frames<F>()
where
    F: Frame<Error: Display>,
    for<'a> F::Item<'a>: Encode<Error: Display>,
{
    frames_from::<F>(0, FRAMES);
}

/// As [`frames`], with `count` frames that depend on `seed`, so that a fuzzer or a long run can look at more.
///
/// ```
/// use fsm_runtime::{check, prelude::*};
///
/// #[frame(Pings)]
/// struct Ping {
///     #[is(b"ping")]
///     word: [u8; 4],
///     number: u32,
/// }
///
/// # fn main() {
/// for seed in 1..4 {
///     check::frames_from::<Pings>(seed, 50);
/// }
/// # }
/// ```
///
/// # Panics
///
/// As [`frames`] does.
#[track_caller]
pub fn frames_from<F>(seed: u64, count: usize)
where
    F: Frame<Error: Display>,
    for<'a> F::Item<'a>: Encode<Error: Display>,
{
    let name = type_name::<F>();
    let max = F::LAYOUT.map_or(usize::MAX, |layout| layout.max);
    let mut hints = Vec::new();
    collect(F::LAYOUT, &mut hints);
    let mut random = Random::new(seed);
    let tags = tags(F::LAYOUT);
    let mut found = 0;
    for number in 0..count {
        // Each case has its turn, and any bytes have theirs.
        let begin = tags.get(number % (tags.len() + 1)).map(Vec::as_slice).unwrap_or_default();
        let Some(frame) = grow::<F>(begin, &hints, &mut random, max) else { continue };
        found += 1;
        whole::<F>(&frame, &mut random);
        beginnings::<F>(&frame);
        cuts::<F>(&frame, max);
        for _ in 0..4 {
            cuts::<F>(&changed(&frame, &mut random), max);
        }
    }
    assert!(
        found > 0 || count == 0,
        "no frame of `{name}` was found; test it with frames of your own"
    );
}

/// A frame, made longer byte by byte with what the decoder does not refuse.
fn grow<F: Frame>(
    begin: &[u8],
    hints: &[&[u8]],
    random: &mut Random,
    max: usize,
) -> Option<Vec<u8>> {
    let (mut bytes, least) = (begin.to_vec(), begin.len());
    for attempt in 1..ATTEMPTS {
        let before = bytes.len();
        let (used, missing) = match F::default().decode(&bytes) {
            Ok(Decoded::Frame(_, used)) => (Some(used), 0),
            Ok(Decoded::More(total)) => {
                assert!((before + 1..=max).contains(&total), "{total} of {before}, at most {max}");
                (None, total - before)
            }
            // A refused frame leaves no bytes.
            Err(_) => (None, 0),
        };
        if let Some(used) = used {
            bytes.truncate(used);
            return Some(bytes);
        }
        if before + missing > LARGEST || (missing > 600 && random.below(8) > 0) || attempt % 40 == 0
        {
            let less = random.below((before - least).min(12) + 1);
            bytes.truncate(before - less);
            continue;
        }
        random.more(missing, hints, &mut bytes);
        if F::default().decode(&bytes).is_err() {
            bytes.truncate(before);
        }
    }
    None
}

/// The beginnings of the cases of a layout.
fn tags(layout: Option<&'static Layout>) -> Vec<Vec<u8>> {
    let Some(layout) = layout.filter(|layout| layout.tag.is_some()) else { return Vec::new() };
    let begin = |case: &'static crate::LayoutCase| {
        let space = layout.tag == Some("word") && !case.fields.is_empty();
        case.tags.iter().map(move |tag| [tag, &b" "[..space.into()]].concat())
    };
    layout.cases.iter().flat_map(begin).collect()
}

/// The literals, ends and tags of a layout and of those in it.
fn collect(layout: Option<&'static Layout>, hints: &mut Vec<&'static [u8]>) {
    let Some(layout) = layout else { return };
    for case in layout.cases {
        hints.extend(case.tags);
        for field in case.fields {
            hints.extend([field.literal, field.end].iter().filter(|bytes| !bytes.is_empty()));
            collect(field.inner, hints);
        }
    }
    if !layout.line_ends.is_empty() {
        hints.push(b" ");
        hints.extend(layout.line_ends);
    }
}

/// A whole frame is encoded as it is, and ends where it does whatever follows.
#[track_caller]
fn whole<F>(frame: &[u8], random: &mut Random)
where
    F: Frame<Error: Display>,
    for<'a> F::Item<'a>: Encode<Error: Display>,
{
    let encoded = encoded::<F>(frame);
    let again = self::encoded::<F>(&encoded);
    assert_eq!(shown(&encoded), shown(&again), "a frame is not the same when it is encoded again");
    let is_exact = F::LAYOUT.is_some_and(has_one_form);
    if is_exact {
        assert_eq!(shown(frame), shown(&encoded), "a frame is not encoded as it was decoded");
    }
    for _ in 0..4 {
        let mut followed = frame.to_vec();
        random.more(9, &[], &mut followed);
        let used = match F::default().decode(&followed) {
            Ok(Decoded::Frame(_, used)) => used,
            Ok(Decoded::More(total)) => panic!("{total} bytes, behind the frame {}", shown(frame)),
            Err(error) => panic!("{error}, behind the frame {}", shown(frame)),
        };
        assert_eq!(used, frame.len(), "what follows changes the frame {}", shown(frame));
    }
}

/// Behind each beginning of a frame the decoder asks for no more bytes than the frame has.
#[track_caller]
fn beginnings<F: Frame<Error: Display>>(frame: &[u8]) {
    let step = frame.len().div_ceil(SMALL).max(1);
    for at in (0..frame.len()).step_by(step) {
        if let Ok(Decoded::More(total)) = F::default().decode(&frame[..at]) {
            let len = frame.len();
            assert!(total <= len, "the decoder asks for {total} of {len} bytes: {}", shown(frame));
        }
    }
}

/// Whether each frame is encoded with the bytes that it was decoded from: digits in base 16, padded varints,
/// the first words and the ends of lines may have several forms.
fn has_one_form(layout: &Layout) -> bool {
    let has_one_form = |field: &crate::LayoutField| {
        let has_others = field.text.contains("hex") || field.text.contains("padded");
        !has_others && field.inner.is_none_or(has_one_form)
    };
    layout.tag != Some("word")
        && layout.line_ends.len() < 2
        && layout.cases.iter().all(|case| case.fields.iter().all(has_one_form))
}

#[track_caller]
fn encoded<F>(frame: &[u8]) -> Vec<u8>
where
    F: Frame<Error: Display>,
    for<'a> F::Item<'a>: Encode<Error: Display>,
{
    let item = match F::default().decode(frame) {
        Ok(Decoded::Frame(item, used)) if used == frame.len() => item,
        Ok(Decoded::Frame(_, used)) => {
            panic!("a frame ends after {used} bytes of {}", shown(frame))
        }
        Ok(Decoded::More(total)) => panic!("a frame needs {total} bytes: {}", shown(frame)),
        Err(error) => panic!("a frame is refused: {error}: {}", shown(frame)),
    };
    let mut out = Vec::new();
    if let Err(error) = item.encode(&mut out) {
        panic!("a frame that was decoded cannot be encoded: {error}: {}", shown(frame));
    }
    assert_eq!(out.len(), item.encoded_len(), "`encoded_len` is wrong for {}", shown(frame));
    out
}

/// The result of decoding `bytes` in pieces: the number of bytes of the frame, or why there is none. How soon
/// a frame is found to be longer than its own bound depends on the pieces.
#[track_caller]
fn decoded<F: Frame<Error: Display>>(bytes: &[u8], cuts: &[usize], max: usize) -> Outcome {
    let mut decoder = F::default();
    for &end in cuts.iter().chain([&bytes.len()]) {
        match decoder.decode(&bytes[..end]) {
            Ok(Decoded::Frame(_, used)) => return Ok(Some(used)),
            Ok(Decoded::More(total)) => assert!(
                (end + 1..=max).contains(&total),
                "the decoder asks for {total} bytes, has {end}, and {max} is the most: {}",
                shown(bytes)
            ),
            Err(error) => return Err(error.to_string()),
        }
    }
    Ok(None)
}

#[track_caller]
fn cuts<F: Frame<Error: Display>>(bytes: &[u8], max: usize) {
    let whole = decoded::<F>(bytes, &[], max);
    let step = bytes.len().div_ceil(SMALL).max(1);
    for at in (0..bytes.len()).step_by(step) {
        let cut = decoded::<F>(bytes, &[at], max);
        let same = is_same::<F>(&whole, &cut);
        assert!(
            same,
            "a cut after {at} bytes makes a difference: {whole:?}, and then {cut:?}: {}",
            shown(bytes)
        );
    }
    let each: Vec<usize> = (0..bytes.len()).step_by(step).collect();
    let cut = decoded::<F>(bytes, &each, max);
    let same = is_same::<F>(&whole, &cut);
    assert!(same, "many cuts make a difference: {whole:?}, and then {cut:?}: {}", shown(bytes));
}

type Outcome = Result<Option<usize>, String>;

fn is_same<F: Frame>(whole: &Outcome, cut: &Outcome) -> bool {
    let is_too_long = |outcome: &Outcome| match (outcome, F::LAYOUT) {
        (Err(error), Some(layout)) => is_too_long(layout, error),
        _ => false,
    };
    whole == cut || (whole.is_err() && is_too_long(cut))
}

/// Whether the error is that a frame, or one in it, is longer than its own bound.
fn is_too_long(layout: &Layout, error: &str) -> bool {
    let mut inner = layout.cases.iter().flat_map(|case| case.fields).filter_map(|it| it.inner);
    error.contains(&format!("the length of `{}` ", layout.name))
        || inner.any(|inner| is_too_long(inner, error))
}

/// The bytes with something changed, removed or doubled.
fn changed(frame: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = frame.to_vec();
    for _ in 0..=random.below(2) {
        let at = random.below(bytes.len().max(1));
        match random.below(4) {
            _ if bytes.is_empty() => random.more(3, &[], &mut bytes),
            0 => bytes[at] = random.byte(),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, bytes[at]),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

fn shown(bytes: &[u8]) -> String {
    let (shown, rest) = bytes.split_at(bytes.len().min(300));
    let rest = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
    format!("b\"{}\"{rest}", shown.escape_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A byte and as many `x`; it forgets the byte when it is encoded.
    #[derive(Default)]
    struct Forgetful;

    struct Item(usize);

    impl Frame for Forgetful {
        type Item<'a> = Item;
        type Error = &'static str;

        fn decode(&mut self, input: &[u8]) -> Result<Decoded<Item>, &'static str> {
            let Some(&len) = input.first() else { return Ok(Decoded::More(1)) };
            let end = 1 + usize::from(len % 4);
            match input.get(1..end) {
                Some(bytes) if bytes.iter().all(|byte| *byte == b'x') => {
                    Ok(Decoded::Frame(Item(end - 1), end))
                }
                Some(_) => Err("no x"),
                None => Ok(Decoded::More(end)),
            }
        }
    }

    impl Encode for Item {
        type Error = &'static str;

        fn encoded_len(&self) -> usize {
            1 + self.0
        }

        fn check(&self) -> Result<(), &'static str> {
            Ok(())
        }

        fn put(&self, out: &mut impl crate::Output) {
            out.put(&b"\x01\x02\x03\x04"[self.0..=self.0]);
            out.put(&b"xxxx"[..self.0]);
        }
    }

    #[test]
    #[should_panic(expected = "a frame needs")]
    fn f1_an_encoder_that_forgets_is_found() {
        frames::<Forgetful>();
    }
}
