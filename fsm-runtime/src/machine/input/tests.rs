use super::*;

#[test]
fn l8_all_that_is_taken_is_lent_from_the_buffer() {
    let buffer = b"abcdefgh\nijkl".to_vec();
    let mut input = Input::<()>::new(&buffer);
    let taken: [&[u8]; 5] = [
        input.exact::<2>().unwrap(),
        input.exact_len(2, 64).unwrap(),
        input.until(b"\n", 64).unwrap(),
        input.upto(2, 64).unwrap(),
        input.some(64).unwrap(),
    ];
    let places = [0..2, 2..4, 4..8, 9..11, 11..13];
    for (taken, place) in taken.into_iter().zip(places) {
        assert_eq!(taken.as_ptr_range(), buffer[place].as_ptr_range());
    }
}

#[test]
fn l7_cuts_do_not_change_what_is_discarded() {
    let text = b"aXbXYc";
    for cut in 0..text.len() {
        let mut input = Input::<()>::new(&text[..cut]);
        let first = input.discard_until(b"XY");
        let rest = [input.unread(), &text[cut..]].concat();
        let mut input = Input::<()>::new(&rest);
        if first.is_err() {
            assert_eq!(input.discard_until(b"XY"), Ok(()));
        }
        assert_eq!(input.unread(), b"c");
        for len in 0..=text.len() {
            let mut input = Input::<()>::new(&text[..cut]);
            let first = input.discard_exact(len as u64);
            let unread = [input.unread(), &text[cut..]].concat();
            let progress = input.into_progress();
            let mut input = Input::resumed(&unread, progress, false);
            assert_eq!(first.is_ok(), len <= cut);
            if first.is_err() {
                assert_eq!(input.discard_exact(len as u64), Ok(()));
            }
            assert_eq!(input.unread(), &text[len..], "{cut} {len}");
            assert!(!input.into_progress().outlives_input());
        }
    }
}

#[test]
fn pitfall_24_a_length_over_the_limit_is_refused_before_its_bytes_come() {
    let mut input = Input::<()>::new(b"");
    assert_eq!(input.exact_len(64, 64), Err(Miss::More));
    assert_eq!(input.exact_len(65, 64), Err(Miss::Limit));
    assert_eq!(input.exact_len(u64::MAX, 64), Err(Miss::Limit));
}
