//! Percent-encoding.

use std::borrow::Cow;

use super::Refusal;

/// Decodes `%41`; in queries, as in forms, a `+` is a space.
///
/// It refuses a `%` is not followed by two digits and a result that is not UTF-8, because another program
/// might decode them differently.
pub(crate) fn decode(text: &str, is_form: bool) -> Result<Cow<'_, str>, Refusal> {
    if !text.bytes().any(|byte| byte == b'%' || (is_form && byte == b'+')) {
        return Ok(Cow::Borrowed(text));
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        decoded.push(match byte {
            b'%' => {
                let value = match rest {
                    [high, low, ..] => hex(*high).zip(hex(*low)),
                    _ => None,
                };
                let (high, low) =
                    value.ok_or(Refusal::bad("a `%` is not followed by two digits"))?;
                rest = &rest[2..];
                high << 4 | low
            }
            b'+' if is_form => b' ',
            byte => byte,
        });
    }
    let decoded = String::from_utf8(decoded);
    decoded.map(Cow::Owned).map_err(|_| Refusal::bad("the target is not UTF-8"))
}

/// The value of a hexadecimal digit.
pub(crate) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_text_is_decoded_once() {
        assert_eq!(decode("a%20b+c%2b%C3%A4", false).unwrap(), "a b+c+ä");
        assert_eq!(decode("a%20b+c%2b%C3%A4", true).unwrap(), "a b c+ä");
        assert_eq!(decode("%2541", false).unwrap(), "%41");
        for text in
            ["%", "%4", "%zz", "a%4", "%+1", "%-1", "% 1", "%ff", "%c3", "%C3%28", "%ed%a0%80"]
        {
            assert!(decode(text, true).is_err(), "{text}");
        }
    }
}
