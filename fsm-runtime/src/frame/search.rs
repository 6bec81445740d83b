/// The number of false finds of the last byte after which the search is for the whole delimiter.
const TRIES: usize = 8;

/// The first place from `from` on where `delimiter` begins.
#[inline]
pub(crate) fn find(input: &[u8], from: usize, delimiter: &[u8]) -> Option<usize> {
    match delimiter {
        [byte] => memchr::memchr(*byte, &input[from..]).map(|at| from + at),
        _ => find_long(input, from, delimiter),
    }
}

/// The preparation of [`memmem`](memchr::memmem) takes more instructions than the search through a line. So a
/// delimiter is first found by its last byte, which in the usual input is there once.
fn find_long(input: &[u8], from: usize, delimiter: &[u8]) -> Option<usize> {
    let Some((last, before)) = delimiter.split_last() else { return Some(from) };
    let mut at = from + before.len();
    for _ in 0..TRIES {
        let end = at + memchr::memchr(*last, input.get(at..)?)?;
        if input[..end].ends_with(before) {
            return Some(end - before.len());
        }
        at = end + 1;
    }
    let from = at - before.len();
    memchr::memmem::find(&input[from..], delimiter).map(|at| from + at)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All strings of the letters `a` and `b` up to that length.
    fn strings(longest: usize) -> impl Iterator<Item = Vec<u8>> {
        (0..=longest).flat_map(|len| {
            (0..1_u32 << len)
                .map(move |bits| (0..len).map(|i| b'a' + (bits >> i & 1) as u8).collect())
        })
    }

    #[test]
    fn the_first_place_is_found_in_all_small_inputs() {
        for delimiter in strings(4).skip(1) {
            for input in strings(11) {
                for from in 0..=input.len() {
                    let whole = input[from..].windows(delimiter.len());
                    let first = whole.into_iter().position(|window| window == delimiter);
                    assert_eq!(
                        find(&input, from, &delimiter),
                        first.map(|at| from + at),
                        "{} from {from} in {}",
                        delimiter.escape_ascii(),
                        input.escape_ascii()
                    );
                }
            }
        }
    }

    #[test]
    fn a_delimiter_is_found_behind_many_of_its_last_byte() {
        let input = [&b"\n".repeat(100)[..], b"\r\n"].concat();
        assert_eq!(find(&input, 0, b"\r\n"), Some(100));
        assert_eq!(find(&input[..101], 0, b"\r\n"), None);
        assert_eq!(find(&input, 101, b"\r\n"), None);
    }
}
