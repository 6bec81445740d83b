//! The checks of `size <= N` and of constants, which generated code makes at compile time.

/// Checks that the machine `name` of `size` bytes is no larger than `budget` bytes. `states` are
/// the names of its states and the sizes of their data, and `code` is the code of the error.
///
/// # Panics
///
/// When the machine is larger. Generated code calls this in a constant, so that the panic is a
/// compile error.
#[track_caller]
pub const fn fits(name: &str, size: usize, budget: usize, states: &[(&str, usize)], code: &str) {
    if size <= budget {
        return;
    }
    let mut largest = ("", 0);
    let mut index = 0;
    while index < states.len() {
        if states[index].1 > largest.1 || index == 0 {
            largest = states[index];
        }
        index += 1;
    }
    let mut text = Text { bytes: [0; 512], len: 0 };
    text.push("machine `");
    text.push(name);
    text.push("` takes ");
    text.push_number(size);
    text.push(" bytes, more than its budget of ");
    text.push_number(budget);
    text.push("; make state `");
    text.push(largest.0);
    text.push("` smaller, which holds ");
    text.push_number(largest.1);
    text.push(", or box what is in it [");
    text.push(code);
    text.push("]");
    panic!("{}", text.as_str())
}

/// Checks a condition of a machine that only constants decide.
///
/// # Panics
///
/// With `text`, which is a compile error, when the condition is false.
#[track_caller]
pub const fn holds(condition: bool, text: &str) {
    assert!(condition, "{}", text);
}

/// A text buffer for constant functions. A piece that does not fit is left out.
struct Text {
    bytes: [u8; 512],
    len: usize,
}

impl Text {
    const fn push(&mut self, text: &str) {
        let text = text.as_bytes();
        if self.len + text.len() > self.bytes.len() {
            return;
        }
        let mut index = 0;
        while index < text.len() {
            self.bytes[self.len] = text[index];
            self.len += 1;
            index += 1;
        }
    }

    const fn push_number(&mut self, number: usize) {
        const DIGITS: [&str; 10] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
        if number >= 10 {
            self.push_number(number / 10);
        }
        self.push(DIGITS[number % 10]);
    }

    const fn as_str(&self) -> &str {
        let (written, _) = self.bytes.split_at(self.len);
        match std::str::from_utf8(written) {
            Ok(text) => text,
            Err(_) => "the machine is larger than its budget",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn l11_a_machine_within_its_budget_is_silent() {
        const { fits("Echo", 64, 64, &[("Talk", 60), ("Gone", 0)], "fsm::E090") };
    }

    #[test]
    #[should_panic(
        expected = "machine `Echo` takes 1080 bytes, more than its budget of 64; make state \
                    `Talk` smaller, which holds 1060, or box what is in it [fsm::E090]"
    )]
    fn l11_the_largest_state_is_named() {
        fits("Echo", 1080, 64, &[("Gone", 0), ("Talk", 1060), ("Line", 8)], "fsm::E090");
    }

    #[test]
    #[should_panic(expected = "machine `` takes 9 bytes")]
    fn a_name_that_does_not_fit_is_left_out() {
        fits(&"x".repeat(600), 9, 8, &[("A", 1)], "fsm::E090");
    }
}
