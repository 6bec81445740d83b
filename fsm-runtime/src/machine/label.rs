use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::panics::caught;

/// The most bytes of a label.
const MOST: usize = 128;

/// The function of the user's that labels the connections of a pool while a snapshot is taken.
pub(crate) struct Show<H> {
    show: Box<ShowFn<H>>,
    /// It has panicked, and is not called again.
    failed: AtomicBool,
}

type ShowFn<H> = dyn Fn(&H, &mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync;

impl<H> Show<H> {
    pub(crate) fn new(
        show: impl Fn(&H, &mut fmt::Formatter<'_>) -> fmt::Result + Send + Sync + 'static,
    ) -> Self {
        Self { show: Box::new(show), failed: AtomicBool::new(false) }
    }

    /// The label of the connection with this handler; `None` if there is nothing to say, or the function has
    /// panicked.
    pub(crate) fn label(&self, handler: &H) -> Option<String> {
        if self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let mut label = Label(String::new());
        let shown = Shown { show: &*self.show, handler };
        // An error is that of a label which is full, or the function's, of which what it has written is kept.
        if caught(|| fmt::write(&mut label, format_args!("{shown}")).is_ok()).is_none() {
            if !self.failed.swap(true, Ordering::Relaxed) {
                crate::log::error!(
                    "the function that labels connections panicked; it is not called again"
                );
            }
            return None;
        }
        (!label.0.is_empty()).then_some(label.0)
    }
}

/// A handler as the function shows it.
struct Shown<'a, H> {
    show: &'a ShowFn<H>,
    handler: &'a H,
}

impl<H> fmt::Display for Shown<'_, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.show)(self.handler, f)
    }
}

/// A text on one line with a bound. Letters that would change how the text around it is shown become `?`.
struct Label(String);

impl fmt::Write for Label {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            if self.0.len() + letter.len_utf8() > MOST {
                return Err(fmt::Error);
            }
            self.0.push(if changes_its_line(letter) { '?' } else { letter });
        }
        Ok(())
    }
}

/// Whether a letter ends a line, moves a cursor, or changes the direction of the text.
fn changes_its_line(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v10_a_label_is_one_line_of_bounded_length() {
        let show = Show::new(|text: &String, f| f.write_str(text));
        let label = |text: &str| show.label(&text.to_owned());
        assert_eq!(label("GET /a\r\n\x1b[2J\u{202e}\u{61c}b").as_deref(), Some("GET /a???[2J??b"));
        assert_eq!(label(""), None);
        assert_eq!(label(&"x".repeat(1_000)).unwrap().len(), MOST);
        // A letter of two bytes is not cut in two.
        assert_eq!(label(&format!("x{}", "ä".repeat(100))).unwrap().len(), MOST - 1);
    }

    #[test]
    fn v10_a_function_that_panics_is_not_called_again() {
        let calls = std::sync::atomic::AtomicUsize::new(0);
        let calls = std::sync::Arc::new(calls);
        let counted = std::sync::Arc::clone(&calls);
        let show = Show::new(move |(): &(), _: &mut fmt::Formatter<'_>| {
            counted.fetch_add(1, Ordering::Relaxed);
            panic!("on purpose")
        });
        assert_eq!((show.label(&()), show.label(&())), (None, None));
        assert_eq!(calls.load(Ordering::Relaxed), 1);
    }
}
