//! Input that handlers borrow, and handlers that use up none.

use bytes::Bytes;

use super::*;

#[test]
fn l4_handlers_that_loop_in_a_state_are_stopped() {
    let mut peer = Session::<Rounds, _>::new(RoundsHandler);
    peer.send(b"x");
    assert_eq!(peer.ended(), Some(Ended::BusyLoop));
}

#[test]
#[should_panic(expected = "loops in state")]
fn l4_a_check_of_splits_ends_too() {
    check::splits::<Rounds, _>(|| RoundsHandler, b"ab");
}

/// Stays in its state and uses up no input.
#[state_machine(start = Round, eof => Gone)]
enum Rounds {
    #[read(upto = 0_u64 + u64::from(false), max = 16, within = 10s => Gone)]
    #[to(Round)]
    Round,
    #[end]
    Gone,
}

struct RoundsHandler;

impl rounds::Handler for RoundsHandler {
    fn round(&mut self, bytes: &[u8], _cx: &mut Cx<'_>) -> rounds::AfterRound {
        assert!(bytes.is_empty());
        rounds::AfterRound::Round
    }
}

/// Decodes a word whose first byte is its length.
#[derive(Default)]
struct Short;

impl Frame for Short {
    type Item<'a> = &'a [u8];
    type Error = std::convert::Infallible;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Self::Error> {
        let Some(&len) = input.first() else { return Ok(Decoded::More(1)) };
        let end = 1 + usize::from(len);
        Ok(input.get(1..end).map_or(Decoded::More(end), |word| Decoded::Frame(word, end)))
    }
}

/// Reads in each way that lends bytes of the input to the handler.
#[state_machine(start = Four, eof => Gone, limit => Gone, refused => Gone, within = 10s => Gone)]
enum Lent {
    #[read(exact = 4)]
    #[to(Counted)]
    Four,
    #[read(exact = usize::from(3_u8), max = 16)]
    #[to(Line)]
    Counted,
    #[read(until = b"\r\n", max = 16)]
    #[to(Word)]
    Line,
    #[read(frame = Short, max = 16)]
    #[to(Four)]
    Word,
    #[end]
    Gone,
}

/// Records the addresses of the bytes of each call.
struct Ranges(Arc<Mutex<Vec<std::ops::Range<usize>>>>);

impl Ranges {
    fn note(&self, bytes: &[u8]) {
        let from = bytes.as_ptr().addr();
        self.0.lock().unwrap().push(from..from + bytes.len());
    }
}

impl lent::Handler for Ranges {
    fn four(&mut self, bytes: &[u8; 4], _: &mut Cx<'_>) -> lent::AfterFour {
        self.note(bytes);
        lent::AfterFour::Counted
    }

    fn counted(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> lent::AfterCounted {
        self.note(bytes);
        lent::AfterCounted::Line
    }

    fn line(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> lent::AfterLine {
        self.note(bytes);
        lent::AfterLine::Word
    }

    fn word(&mut self, bytes: &[u8], _: &mut Cx<'_>) -> lent::AfterWord {
        self.note(bytes);
        lent::AfterWord::Four
    }
}

#[test]
fn l8_handlers_are_lent_bytes_of_one_input_buffer() {
    let places = Arc::<Mutex<Vec<_>>>::default();
    let mut peer = Session::<Lent, _>::new(Ranges(Arc::clone(&places)));
    peer.send(b"fourabcline\r\n\x04wordFOURABC");
    let places = places.lock().unwrap();
    // Each slice has the same distance from the first one as its bytes had in the input, which a
    // copy would not have.
    let start = places[0].start;
    let offsets: Vec<_> =
        places.iter().map(|place| (place.start - start, place.end - start)).collect();
    assert_eq!(offsets, [(0, 4), (4, 7), (7, 11), (14, 18), (18, 22), (22, 25)]);
}

/// Takes large messages, of which the first byte is the number of a hundred kilobytes.
#[state_machine(start = Size, eof => Gone, limit => Gone)]
enum Large {
    #[read(exact = 1, idle = 10s => Gone)]
    #[to(Body)]
    Size,
    #[read(exact = usize::from(*size) * 100_000, max = 1MiB, idle = 10s => Gone)]
    #[to(Size)]
    Body { size: u8 },
    #[end]
    Gone,
}

/// Keeps what it gets, with the places of the bytes that it was lent.
#[derive(Default)]
struct Keeper {
    kept: Arc<Mutex<Vec<(Bytes, usize)>>>,
}

impl large::Handler for Keeper {
    fn size(&mut self, size: &[u8; 1], _: &mut Cx<'_>) -> large::AfterSize {
        large::AfterSize::Body { size: size[0] }
    }

    fn body(&mut self, _: &mut u8, body: &[u8], cx: &mut Cx<'_>) -> large::AfterBody {
        let (second, tenth) = (body.len().min(1), body.len().min(10));
        for part in [body, &body[second..], &body[..tenth], &[]] {
            self.kept.lock().unwrap().push((cx.own(part), part.as_ptr().addr()));
        }
        large::AfterBody::Size
    }
}

#[test]
fn l8_a_large_message_is_given_away_without_a_copy() {
    let keeper = Keeper::default();
    let kept = Arc::clone(&keeper.kept);
    let mut peer = Session::<Large, _>::new(keeper);
    let body: Vec<u8> = (0..=250).cycle().take(900_000).collect();
    for size in [9, 0, 7] {
        peer.send(&[&[size][..], &body[..usize::from(size) * 100_000]].concat());
    }
    let kept = kept.lock().unwrap();
    let (large, small): (Vec<_>, Vec<_>) = kept.iter().partition(|(bytes, _)| bytes.len() > 10);
    assert_eq!((large.len(), small.len()), (4, 8));
    for (bytes, place) in &large {
        assert_eq!(bytes.as_ptr().addr(), *place);
    }
    for (bytes, place) in small.iter().filter(|(bytes, _)| !bytes.is_empty()) {
        assert_ne!(bytes.as_ptr().addr(), *place);
    }
    assert_eq!(large[0].0, body);
    assert_eq!(large[1].0, body[1..]);
    assert_eq!(large[2].0, body[..700_000]);
}

#[test]
fn l7_cuts_of_large_messages_make_no_difference() {
    let mut input = vec![1];
    input.extend((0..=250).cycle().take(100_000));
    input.extend([0, 1]);
    check::splits::<Large, _>(Keeper::default, &input);
}
