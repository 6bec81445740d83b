//! Data of an application.

use super::*;

/// Text that grows, and a copy of what was received.
pub(super) struct Text {
    pub(super) first: String,
    pub(super) last: String,
    pub(super) fails: bool,
    pub(super) stands_still: bool,
    pub(super) events: mpsc::Sender<String>,
}

impl Text {
    pub(super) fn new(first: &str, last: &str) -> (Self, Receiver<String>) {
        let (events, received) = mpsc::channel();
        let (first, last) = (first.to_owned(), last.to_owned());
        let text = Self { first, last, fails: false, stands_still: true, events };
        (text, received)
    }
}

impl UpgradeData for Text {
    fn send(&mut self, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self.first.as_bytes())
    }

    fn stands_still(&self) -> bool {
        self.stands_still
    }

    fn send_last(&mut self, to: &mut dyn Write) -> io::Result<()> {
        if self.fails {
            return Err(io::Error::other("it is broken"));
        }
        to.write_all(self.last.as_bytes())
    }

    fn cancel(&mut self) {
        self.events.send("cancelled".to_owned()).unwrap();
    }

    fn receive(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut text = String::new();
        from.read_to_string(&mut text)?;
        self.events.send(format!("{} bytes {}", text.len(), &text[..1])).unwrap();
        Ok(())
    }

    fn receive_last(&mut self, from: &mut dyn Read) -> io::Result<()> {
        let mut first = [0];
        from.read_exact(&mut first)?;
        // The rest is skipped.
        self.events.send(format!("last {}", char::from(first[0]))).unwrap();
        Ok(())
    }
}
