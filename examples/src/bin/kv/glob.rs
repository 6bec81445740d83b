//! The patterns of KEYS, SCAN and CONFIG GET.

/// Matches the patterns of Redis: `*`, `?`, `[a-c]`, `[^a]` and `\\`.
///
/// Of all patterns, only the empty one and `*` match an empty text; `**` does not, as in Redis.
/// It backtracks only to the last `*`, so that no pattern takes exponential time.
pub(crate) fn glob(mut pattern: &[u8], mut text: &[u8]) -> bool {
    if text.is_empty() {
        return matches!(pattern, b"" | b"*");
    }
    let mut star = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            (pattern, star) = (rest, Some((rest, text)));
        } else if let Some(rest) = text.first().and_then(|&byte| glob_byte(pattern, byte)) {
            (pattern, text) = (rest, &text[1..]);
        } else if pattern.is_empty() && text.is_empty() {
            return true;
        } else if let Some((after, [_, rest @ ..])) = star {
            (pattern, text, star) = (after, rest, Some((after, rest)));
        } else {
            return false;
        }
    }
}

/// The rest of the pattern if its first element matches the byte.
fn glob_byte(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (is_match, rest) = match pattern {
        [] => (false, pattern),
        [b'?', rest @ ..] => (true, rest),
        [b'[', b'^', class @ ..] => glob_class(class, byte, true),
        [b'[', class @ ..] => glob_class(class, byte, false),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte, rest),
    };
    is_match.then_some(rest)
}

fn glob_class(mut class: &[u8], byte: u8, mut is_match: bool) -> (bool, &[u8]) {
    let inside = !is_match;
    loop {
        let (low, high);
        (low, high, class) = match class {
            [] => return (is_match, class),
            [b']', rest @ ..] => return (is_match, rest),
            [b'\\', literal, rest @ ..] => (literal, literal, rest),
            [low, b'-', high, rest @ ..] => (low, high, rest),
            [literal, rest @ ..] => (literal, literal, rest),
        };
        // For Redis the bytes of a range are signed: those from 0x80 on come before all others.
        let [low, high, byte] = [*low, *high, byte].map(|byte| byte ^ 0x80);
        if (low.min(high)..=low.max(high)).contains(&byte) {
            is_match = inside;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn patterns_of_redis() {
        for (pattern, text, matches) in [
            ("*", "", true),
            ("**", "", false),
            ("", "", true),
            ("", "a", false),
            ("**", "a", true),
            ("a**", "a", true),
            ("a*?", "a", false),
            ("*?*", "a", true),
            ("[^a]", "b", true),
            ("[^", "b", true),
            ("[", "[", false),
            ("[a-", "-", true),
            ("[z-a]", "m", true),
            ("[a-]x", "b", false),
            ("[]", "]", false),
            ("\\", "\\", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*a*b*c", "xaxbxbc", true),
            ("*a*b*c", "xaxcxb", false),
        ] {
            assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), matches, "{pattern} {text}");
        }
        assert!(glob(b"[\x80-\x01]", b"\xff") && !glob(b"[\x80-\x01]", b"\x41"));
    }

    #[test]
    fn no_pattern_takes_exponential_time() {
        let (pattern, text) = ("a*".repeat(1000) + "b", "a".repeat(10_000));
        assert!(!glob(pattern.as_bytes(), text.as_bytes()));
    }
}
