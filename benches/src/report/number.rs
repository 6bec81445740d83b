/// Formats a value with three significant digits, or as an integer from 100 on.
pub(super) fn format(value: f64) -> String {
    let digits = match value.abs() {
        100.0.. => 0,
        10.0.. => 1,
        1.0.. => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    // A value that rounds to zero has no sign.
    let zero = text.trim_start_matches('-').chars().all(|digit| matches!(digit, '0' | '.'));
    if zero { "0".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        let texts = [1075.4, 87.25, 2.031, 0.1284, -0.000_01, 0.0].map(format);
        assert_eq!(texts, ["1075", "87.2", "2.03", "0.128", "0", "0"]);
    }
}
