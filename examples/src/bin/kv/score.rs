//! Scores of sorted sets: their text, and ranges of scores and of members.

use crate::request::Error;

const NOT_A_FLOAT: &str = "ERR value is not a valid float";
const NOT_A_RANGE: &str = "ERR min or max is not a float";
const NOT_A_LEX_RANGE: &str = "ERR min or max not valid string range item";

/// Parses a score. As in Redis, a number that is too large or too small for a double is none.
pub(crate) fn parse(text: &[u8]) -> Result<f64, Error> {
    let number = number(text).filter(|number| {
        let is_hexadecimal = text.iter().any(|byte| matches!(byte, b'x' | b'X'));
        let exponent: &[u8] = if is_hexadecimal { b"pP" } else { b"eE" };
        let digits = text.iter().take_while(|byte| !exponent.contains(byte));
        let is_digit =
            |byte: &u8| byte.is_ascii_digit() || is_hexadecimal && byte.is_ascii_hexdigit();
        let is_zero = digits.clone().all(|byte| *byte == b'0' || !is_digit(byte));
        let has_digits = digits.clone().any(u8::is_ascii_digit);
        !(number.is_infinite() && has_digits || *number == 0.0 && !is_zero)
    });
    number.ok_or(NOT_A_FLOAT.into())
}

/// Parses a double as C does: in decimal, or in hexadecimal such as `0x1.8p3`.
pub(crate) fn number(text: &[u8]) -> Option<f64> {
    let number = match text {
        [b'-', b'0', b'x' | b'X', digits @ ..] => -hexadecimal(digits)?,
        [b'+', b'0', b'x' | b'X', digits @ ..] | [b'0', b'x' | b'X', digits @ ..] => {
            hexadecimal(digits)?
        }
        text => std::str::from_utf8(text).ok()?.parse().ok()?,
    };
    (!number.is_nan()).then_some(number)
}

/// Parses a double behind its `0x`. The exponent is one of 2.
fn hexadecimal(text: &[u8]) -> Option<f64> {
    let end = text.iter().position(|byte| matches!(byte, b'p' | b'P')).unwrap_or(text.len());
    let exponent = match &text[end..] {
        [] => 0,
        [_, sign @ (b'+' | b'-'), digits @ ..] => {
            scale(digits)? * if *sign == b'-' { -1 } else { 1 }
        }
        [_, digits @ ..] => scale(digits)?,
    };
    let (mut mantissa, mut exponent, mut has_digits, mut has_point) =
        (0_u64, exponent, false, false);
    for byte in &text[..end] {
        if *byte == b'.' && !has_point {
            has_point = true;
            continue;
        }
        let digit = u64::from(char::from(*byte).to_digit(16)?);
        has_digits = true;
        // What no longer fits is remembered by the last bit, so that the number is rounded as it should be.
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= if has_point { 4 } else { 0 };
        } else {
            mantissa |= u64::from(digit > 0);
            exponent += if has_point { 0 } else { 4 };
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "it rounds to the nearest double, as C does")]
    has_digits.then(|| scaled(mantissa as f64, exponent))
}

/// The digits of an exponent; one that is out of all bounds is as good as any that is large.
fn scale(digits: &[u8]) -> Option<i64> {
    let all = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let number = || std::str::from_utf8(digits).ok()?.parse::<i64>().ok();
    all.then(|| number().map_or(1 << 40, |number| number.min(1 << 40)))
}

/// Multiplies by a power of 2, in steps that a double can hold.
fn scaled(mut number: f64, mut exponent: i64) -> f64 {
    while exponent != 0 && number != 0.0 && number.is_finite() {
        let step = exponent.clamp(-512, 512);
        number *= 2_f64.powi(i32::try_from(step).unwrap_or(0));
        exponent -= step;
    }
    number
}

/// The text of a double, as `%.17g` of C makes it.
pub(crate) fn format(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:.16e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| {
        let zeros: &[char] = if text.contains('.') { &['0'] } else { &[] };
        text.trim_end_matches(zeros).trim_end_matches('.').to_owned()
    };
    if (-4..17).contains(&exponent) {
        let decimals = usize::try_from(16 - exponent).unwrap_or(0);
        return trim(&format!("{number:.decimals$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", trim(digits), exponent.abs())
}

/// An end of a range of scores, such as `5` or `(5`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ScoreEnd {
    score: f64,
    is_exclusive: bool,
}

impl ScoreEnd {
    /// Parses the end of a range, which ends before a NUL as all text does in C.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, Error> {
        let text = text.split(|byte| *byte == 0).next().unwrap_or_default();
        let (is_exclusive, text) = match text {
            [b'(', text @ ..] => (true, text),
            text => (false, text),
        };
        let score = if text.is_empty() { Some(0.0) } else { number(text.trim_ascii_start()) };
        Ok(Self { score: score.ok_or(NOT_A_RANGE)?, is_exclusive })
    }

    /// Whether the score is below a range that begins here.
    pub(crate) fn is_above(self, score: f64) -> bool {
        score < self.score || self.is_exclusive && score <= self.score
    }

    /// Whether the score is not above a range that ends here.
    pub(crate) fn includes(self, score: f64) -> bool {
        score < self.score || !self.is_exclusive && score <= self.score
    }
}

/// An end of a range of members: `-`, `+`, `[member` or `(member`.
#[derive(Clone, Copy, Debug)]
pub(crate) enum LexEnd<'a> {
    Least,
    Most,
    Inclusive(&'a [u8]),
    Exclusive(&'a [u8]),
}

impl<'a> LexEnd<'a> {
    /// Parses the end of a range.
    pub(crate) fn parse(text: &'a [u8]) -> Result<Self, Error> {
        match text {
            b"-" => Ok(Self::Least),
            b"+" => Ok(Self::Most),
            [b'[', member @ ..] => Ok(Self::Inclusive(member)),
            [b'(', member @ ..] => Ok(Self::Exclusive(member)),
            _ => Err(NOT_A_LEX_RANGE.into()),
        }
    }

    /// Whether the member is below a range that begins here.
    pub(crate) fn is_above(self, member: &[u8]) -> bool {
        match self {
            Self::Least => false,
            Self::Most => true,
            Self::Inclusive(end) => member < end,
            Self::Exclusive(end) => member <= end,
        }
    }

    /// Whether the member is not above a range that ends here.
    pub(crate) fn includes(self, member: &[u8]) -> bool {
        match self {
            Self::Least => false,
            Self::Most => true,
            Self::Inclusive(end) => member <= end,
            Self::Exclusive(end) => member < end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_have_the_text_of_c() {
        for (number, text) in [
            (0.0, "0"),
            (-0.0, "-0"),
            (3.0, "3"),
            (0.1, "0.10000000000000001"),
            (1e16, "10000000000000000"),
            (1e17, "1e+17"),
            (-0.5_f64.powi(20), "-9.5367431640625e-07"),
            (0.0001, "0.0001"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(format(number), text);
        }
    }

    #[test]
    fn scores_may_be_hexadecimal() {
        for (text, expected) in [
            ("0x10", 16.0),
            ("0X1P-2", 0.25),
            ("-0x1.8p1", -3.0),
            ("+0x.8", 0.5),
            ("0x8.", 8.0),
            ("0xa", 10.0),
            ("0x0p99999999999999999999", 0.0),
            ("0x1p1023", 2_f64.powi(1023)),
            ("0x1p-1074", f64::from_bits(1)),
            ("0x10000000000000000000p-80", 0.0625),
            // Half way between two doubles it is the even one, and above it the next.
            ("0x1.fffffffffffff8p0", 2.0),
            ("0x20000000000001", 9_007_199_254_740_992.0),
            ("0x20000000000001.00000000000000001", 9_007_199_254_740_994.0),
        ] {
            assert_eq!(parse(text.as_bytes()).ok(), Some(expected), "{text}");
        }
        for text in [
            "0x",
            "0x.",
            "0xg",
            "0x1p",
            "0x1p+",
            "0x1px",
            "0x1.2.3",
            "0x1p1024",
            "0xap-2000",
            "0x 1",
            "00x1",
            "--0x1",
        ] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn scores_that_are_no_doubles_are_refused() {
        for text in ["1", "-1.5", "1e5", "inf", "+inf", "-Infinity", ".5", "5.", "0e9"] {
            assert!(parse(text.as_bytes()).is_ok(), "{text}");
        }
        for text in ["", "x", "nan", "1e999", "1e-999", " 1", "1 ", "1x"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
