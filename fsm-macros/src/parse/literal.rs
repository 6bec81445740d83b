use proc_macro2::{Group, Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Lit;

use crate::ast::Size;
use crate::code::Code;
use crate::spelling::choice;

/// The finding about a literal.
type Refusal = (Code, String);

struct Unit {
    name: &'static str,
    /// The unit in milliseconds or in bytes.
    scale: u64,
}

const TIMES: [Unit; 5] = [
    Unit::new("ms", 1),
    Unit::new("s", 1_000),
    Unit::new("min", 60_000),
    Unit::new("h", 3_600_000),
    Unit::new("d", 86_400_000),
];
const SIZES: [Unit; 4] = [
    Unit::new("B", 1),
    Unit::new("KiB", 1 << 10),
    Unit::new("MiB", 1 << 20),
    Unit::new("GiB", 1 << 30),
];
/// A hundred years.
const LONGEST: u64 = 100 * 365 * 86_400_000;

/// Whether `tokens` are one number, with or without a unit.
pub(crate) fn is_number(tokens: &TokenStream) -> bool {
    number(tokens).is_some()
}

/// Whether `tokens` are one literal, a number or not.
pub(crate) fn is_literal(tokens: &TokenStream) -> bool {
    syn::parse2::<Lit>(tokens.clone()).is_ok()
}

/// Whether `tokens` are meant as a literal time: a literal, or the call that makes a `Duration` of one.
pub(crate) fn is_time(tokens: &TokenStream) -> bool {
    is_literal(tokens) || constructed(tokens).is_some()
}

/// The finding about a number and a word after it that is meant as its unit.
pub(crate) fn apart(number: &TokenTree, word: &TokenTree) -> Option<Refusal> {
    let (number, unit) = (number.to_string(), word.to_string());
    if !number.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let joined: TokenStream = format!("{number}{unit}").parse().ok()?;
    self::number(&joined)?;
    let known = |units: &[Unit]| Unit::scale(units, &unit).is_some();
    match (time_meant(&unit), size_meant(&unit)) {
        _ if known(&TIMES) || known(&SIZES) => {
            let text = format!("a number and its unit are one word; write `{joined}`");
            Some((Code::Unit, text))
        }
        (Some(_), None) => millis(&joined).err(),
        (None, Some(_)) => size(&joined).err(),
        _ => None,
    }
}

/// A time such as `30s`, in milliseconds.
pub(crate) fn millis(tokens: &TokenStream) -> Result<u64, Refusal> {
    let Some((digits, unit)) = number(tokens) else {
        let remedy = match quoted(tokens).or_else(|| constructed(tokens)) {
            Some(time) if millis(&time).is_ok() => format!("; write `{time}`"),
            _ => ", such as `30s` or `5min`".to_owned(),
        };
        return Err((Code::NotATime, format!("a time is a number with a unit{remedy}")));
    };
    let Some(scale) = Unit::scale(&TIMES, &unit) else {
        let known = Unit::list(&TIMES);
        let text = match time_meant(&unit) {
            _ if unit.is_empty() => {
                format!("`{digits}` lacks a unit; write `{digits}s` or another of {known}")
            }
            Some(meant) => format!("unknown unit `{unit}`; write `{digits}{meant}`"),
            None => format!("unknown unit `{unit}`; the units of time are {known}"),
        };
        return Err((Code::Unit, text));
    };
    match scaled(&digits, scale) {
        _ if digits.starts_with('-') => Err(nothing("time", &digits[1..], &unit)),
        Some(0) => Err(nothing("time", "1", &unit)),
        Some(millis) if millis <= LONGEST => Ok(millis),
        None if digits.contains(['.', 'e', 'E']) => {
            let text = format!("`{digits}{unit}` is not a whole number of milliseconds");
            Err((Code::NotWhole, text))
        }
        _ => Err((Code::TooLarge, "a time is at most 36500d".to_owned())),
    }
}

/// A size such as `64KiB`, or an expression for one.
pub(crate) fn size(tokens: &TokenStream) -> Result<Size, Refusal> {
    let text = tokens.to_string();
    let Some((digits, unit)) = number(tokens) else {
        if let Some(joined) = multiplied(tokens) {
            let text = format!("a number and its unit are one word; write `{joined}`");
            return Err((Code::Unit, text));
        }
        if !is_literal(tokens) {
            return Ok(Size { value: in_bytes(tokens)?, text, of: None });
        }
        let remedy = match quoted(tokens) {
            Some(number) if is_number(&number) && size(&number).is_ok() => {
                format!("; write `{number}`")
            }
            _ => ", such as `512` or `64KiB`".to_owned(),
        };
        return Err((Code::NotASize, format!("a size is a number of bytes{remedy}")));
    };
    let mut value = Literal::u64_unsuffixed(bytes(&digits, &unit)?);
    if let Some(token) = tokens.clone().into_iter().next() {
        value.set_span(token.span());
    }
    Ok(Size { value: value.into_token_stream(), text, of: None })
}

/// An expression in which sizes such as `1KiB` are numbers.
pub(crate) fn in_bytes(tokens: &TokenStream) -> Result<TokenStream, Refusal> {
    let token = |token: TokenTree| match token {
        TokenTree::Literal(literal) => {
            let tokens = literal.to_token_stream();
            match number(&tokens) {
                Some((_, unit)) if size_meant(&unit).is_some() => Ok(size(&tokens)?.value),
                _ => Ok(tokens),
            }
        }
        TokenTree::Group(group) => {
            let mut inner = Group::new(group.delimiter(), in_bytes(&group.stream())?);
            inner.set_span(group.span());
            Ok(inner.into_token_stream())
        }
        other => Ok(other.into()),
    };
    tokens.clone().into_iter().map(token).collect()
}

fn bytes(digits: &str, unit: &str) -> Result<u64, Refusal> {
    let scale = match Unit::scale(&SIZES, unit) {
        Some(scale) => scale,
        None if unit.is_empty() || unit == "usize" => 1,
        None => {
            let text = match size_meant(unit) {
                Some((meant, thousands)) => match in_full(digits, thousands) {
                    Some(number) => format!("write `{digits}{meant}` or `{number}`"),
                    None => format!("write `{digits}{meant}`"),
                },
                None => format!("the units of size are {}", Unit::list(&SIZES)),
            };
            return Err((Code::Unit, format!("unknown unit `{unit}`; {text}")));
        }
    };
    if digits.contains(['.', 'e', 'E']) {
        return Err((Code::NotWhole, "a size is a whole number of bytes".to_owned()));
    }
    let bytes = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
    match bytes {
        _ if digits.starts_with('-') => Err(nothing("size", &digits[1..], unit)),
        Some(0) => Err(nothing("size", "1", unit)),
        Some(bytes) if i64::try_from(bytes).is_ok() => Ok(bytes),
        _ => Err((Code::TooLarge, format!("`{digits}{unit}` is too large"))),
    }
}

/// The finding about a number that is not above 0; `digits` would be.
fn nothing(what: &str, digits: &str, unit: &str) -> Refusal {
    let text = format!("a {what} must be more than nothing; write `{digits}{unit}` or more");
    (Code::Zero, text)
}

/// `64` thousands as `64_000`.
fn in_full(digits: &str, thousands: usize) -> Option<String> {
    let whole = !digits.contains(['.', 'e', 'E', '_']) && thousands > 0;
    whole.then(|| digits.to_owned() + &"_000".repeat(thousands))
}

/// `64 * KiB` as `64KiB`.
fn multiplied(tokens: &TokenStream) -> Option<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let [TokenTree::Literal(number), TokenTree::Punct(mark), TokenTree::Ident(unit)] = &tokens[..]
    else {
        return None;
    };
    let is_unit = mark.as_char() == '*' && Unit::scale(&SIZES, &unit.to_string()).is_some();
    let joined: TokenStream = format!("{number}{unit}").parse().ok().filter(|_| is_unit)?;
    is_number(&joined).then_some(joined)
}

/// The text in the quotes of a string, without spaces.
fn quoted(tokens: &TokenStream) -> Option<TokenStream> {
    match syn::parse2::<Lit>(tokens.clone()).ok()? {
        Lit::Str(text) => text.value().replace(' ', "").parse().ok(),
        _ => None,
    }
}

/// The time that a call such as `Duration::from_secs(30)` makes.
fn constructed(tokens: &TokenStream) -> Option<TokenStream> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let [.., TokenTree::Ident(function), TokenTree::Group(argument)] = &tokens[..] else {
        return None;
    };
    let unit = match function.to_string().as_str() {
        "from_millis" => "ms",
        "from_secs" => "s",
        "from_mins" => "min",
        "from_hours" => "h",
        _ => return None,
    };
    let (digits, _) = number(&argument.stream())?;
    format!("{digits}{unit}").parse().ok()
}

/// The digits, in base 10 and without `_`, and the unit.
fn number(tokens: &TokenStream) -> Option<(String, String)> {
    match syn::parse2::<Lit>(tokens.clone()).ok()? {
        Lit::Int(number) => {
            Some((number.base10_digits().to_owned(), number.suffix().trim_matches('_').to_owned()))
        }
        Lit::Float(number) => {
            Some((number.base10_digits().to_owned(), number.suffix().trim_matches('_').to_owned()))
        }
        _ => None,
    }
}

/// `digits` times `scale`; `None` if that is not whole.
fn scaled(digits: &str, scale: u64) -> Option<u64> {
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let part = part.trim_end_matches('0');
    let tenths = 10_u128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let number = format!("{whole}{part}").parse::<u128>().ok()?.checked_mul(u128::from(scale))?;
    if number % tenths == 0 { u64::try_from(number / tenths).ok() } else { None }
}

fn time_meant(unit: &str) -> Option<&'static str> {
    Some(match unit.to_lowercase().as_str() {
        "ms" | "msec" | "msecs" | "milli" | "millis" | "millisecond" | "milliseconds" => "ms",
        "s" | "sec" | "secs" | "second" | "seconds" => "s",
        "m" | "min" | "mins" | "minute" | "minutes" => "min",
        "h" | "hr" | "hrs" | "hour" | "hours" => "h",
        "d" | "day" | "days" => "d",
        _ => return None,
    })
}

/// The unit that was meant, and the powers of a thousand that it might stand for.
fn size_meant(unit: &str) -> Option<(&'static str, usize)> {
    Some(match unit.to_lowercase().as_str() {
        "b" | "byte" | "bytes" => ("B", 0),
        "k" | "kb" => ("KiB", 1),
        "m" | "mb" => ("MiB", 2),
        "g" | "gb" => ("GiB", 3),
        "ki" | "kib" => ("KiB", 0),
        "mi" | "mib" => ("MiB", 0),
        "gi" | "gib" => ("GiB", 0),
        _ => return None,
    })
}

impl Unit {
    const fn new(name: &'static str, scale: u64) -> Self {
        Self { name, scale }
    }

    fn scale(known: &[Self], name: &str) -> Option<u64> {
        known.iter().find(|unit| unit.name == name).map(|unit| unit.scale)
    }

    /// The names of the units, for a message.
    fn list(known: &[Self]) -> String {
        choice(known.iter().map(|unit| unit.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times() {
        for (text, expected) in [
            ("30s", Ok(30_000)),
            ("250ms", Ok(250)),
            ("10min", Ok(600_000)),
            ("2h", Ok(7_200_000)),
            ("1d", Ok(86_400_000)),
            ("1_000ms", Ok(1_000)),
            ("1_000_ms", Ok(1_000)),
            ("0.5s", Ok(500)),
            ("1.50h", Ok(5_400_000)),
            ("36500d", Ok(LONGEST)),
            ("36501d", Err("a time is at most 36500d")),
            ("99999999999999999999999999999999999999999d", Err("a time is at most 36500d")),
            ("0s", Err("a time must be more than nothing; write `1s` or more")),
            ("-5s", Err("a time must be more than nothing; write `5s` or more")),
            ("0.5ms", Err("`0.5ms` is not a whole number of milliseconds")),
            ("10sec", Err("unknown unit `sec`; write `10s`")),
            ("5m", Err("unknown unit `m`; write `5min`")),
            ("5us", Err("unknown unit `us`; the units of time are `ms`, `s`, `min`, `h` or `d`")),
            (
                "30",
                Err("`30` lacks a unit; write `30s` or another of `ms`, `s`, `min`, `h` or `d`"),
            ),
            ("TIME", Err("a time is a number with a unit, such as `30s` or `5min`")),
            ("\"5 min\"", Err("a time is a number with a unit; write `5min`")),
            ("Duration::from_secs(30)", Err("a time is a number with a unit; write `30s`")),
        ] {
            let expected = expected.map_err(str::to_owned);
            let found = millis(&text.parse().unwrap()).map_err(|(_, text)| text);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("64", Ok("64")),
            ("64B", Ok("64")),
            ("64KiB", Ok("65536")),
            ("16MiB", Ok("16777216")),
            ("1GiB", Ok("1073741824")),
            ("0x10", Ok("16")),
            ("1_024", Ok("1024")),
            ("LIMIT", Ok("LIMIT")),
            ("(2 * LIMIT)", Ok("(2 * LIMIT)")),
            ("LIMIT + (2 * 1KiB) + 5u8", Ok("LIMIT + (2 * 1024) + 5u8")),
            ("2 * 1KB", Err("unknown unit `KB`; write `1KiB` or `1_000`")),
            ("64 * KiB", Err("a number and its unit are one word; write `64KiB`")),
            ("0KiB", Err("a size must be more than nothing; write `1KiB` or more")),
            ("-1", Err("a size must be more than nothing; write `1` or more")),
            ("64KB", Err("unknown unit `KB`; write `64KiB` or `64_000`")),
            ("2m", Err("unknown unit `m`; write `2MiB` or `2_000_000`")),
            ("64kib", Err("unknown unit `kib`; write `64KiB`")),
            ("64kg", Err("unknown unit `kg`; the units of size are `B`, `KiB`, `MiB` or `GiB`")),
            ("\"64KiB\"", Err("a size is a number of bytes; write `64KiB`")),
            ("b'x'", Err("a size is a number of bytes, such as `512` or `64KiB`")),
            ("1.5MiB", Err("a size is a whole number of bytes")),
            ("99999999999GiB", Err("`99999999999GiB` is too large")),
        ] {
            let found = size(&text.parse().unwrap()).map(|size| size.value.to_string());
            let found = found.as_deref().map_err(|(_, text)| text.as_str());
            assert_eq!(found, expected, "{text}");
        }
    }
}
