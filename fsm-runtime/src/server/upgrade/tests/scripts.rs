//! Scripts that play one of the two processes.

use super::*;

/// A script that plays the new process up to some step.
pub(super) struct NewProcess(pub(super) FdChannel);

impl NewProcess {
    pub(super) fn connect(path: &Path) -> Self {
        let channel = FdChannel::new(UnixStream::connect(path).unwrap());
        channel.set_patience(PATIENCE).unwrap();
        Self(channel)
    }

    pub(super) fn hello(&self) {
        let pools = vec!["front".to_owned()];
        Message::Hello { version: VERSION, process: 1, pools }.send(&self.0).unwrap();
    }

    pub(super) fn next(&self) -> Message {
        Message::receive(&self.0).unwrap().expect("a message should come")
    }

    pub(super) fn refusal(&self) -> String {
        loop {
            match self.next() {
                Message::Refused { why } => return why,
                Message::Welcome { .. } | Message::Listeners { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Does the first steps of an upgrade. There are [`STEPS`](Self::STEPS).
    pub(super) fn steps(&self, steps: usize) {
        let all: [&dyn Fn(); Self::STEPS] = [
            &|| self.hello(),
            &|| assert!(matches!(self.next(), Message::Welcome { listeners: 1, .. })),
            &|| assert!(matches!(self.next(), Message::Listeners { .. })),
            &|| Message::Ready.send(&self.0).unwrap(),
            &|| assert!(matches!(self.next(), Message::Go)),
            &|| assert!(matches!(self.next(), Message::Commit)),
        ];
        all[..steps].iter().for_each(|step| step());
    }

    pub(super) const STEPS: usize = 6;
}

/// A script that plays the old process, and then dies or says why it goes on.
pub(super) struct OldProcess {
    pub(super) meeting: UnixListener,
    pub(super) path: PathBuf,
}

impl OldProcess {
    pub(super) const STEPS: usize = 5;

    /// Does the first steps of an upgrade.
    pub(super) fn talk(self, steps: usize, listener: &std::net::TcpListener) -> (FdChannel, Self) {
        let (stream, _) = self.meeting.accept().unwrap();
        let channel = FdChannel::new(stream);
        channel.set_patience(PATIENCE).unwrap();
        let receive = || Message::receive(&channel).unwrap().unwrap();
        let all: [&dyn Fn(); Self::STEPS] = [
            &|| assert!(matches!(receive(), Message::Hello { .. })),
            &|| {
                let data = false;
                let welcome = Message::Welcome {
                    version: VERSION,
                    process: 1,
                    listeners: 1,
                    data,
                    still: data,
                };
                welcome.send(&channel).unwrap();
            },
            &|| {
                let mut body = Vec::new();
                vec![("front".to_owned(), "127.0.0.1:0".to_owned(), 0_u32)].pack(&mut body);
                channel.send(LISTENERS, &body, &[listener.as_fd()]).unwrap();
            },
            &|| assert!(matches!(receive(), Message::Ready)),
            &|| Message::Go.send(&channel).unwrap(),
        ];
        all[..steps].iter().for_each(|step| step());
        (channel, self)
    }

    /// Does the first steps of an upgrade, and ends.
    pub(super) fn steps(self, steps: usize, listener: &std::net::TcpListener, refuses: bool) {
        let (channel, old) = self.talk(steps, listener);
        if refuses {
            Message::Refused { why: "I go on".to_owned() }.send(&channel).unwrap();
            // It lives until the other one has read that.
            let mut rest = Vec::new();
            while let Ok(Some(message)) = Message::receive(&channel) {
                rest.push(message);
            }
        } else {
            // A process that is killed may still listen when the other one looks for it.
            drop(channel);
            let Self { meeting, path } = old;
            drop(meeting.accept().unwrap());
            drop(meeting);
            std::fs::remove_file(path).unwrap();
        }
    }

    /// Answers a process that asks whether this one lives.
    pub(super) fn shows_that_it_lives(&self) {
        let (mut asks, _) = self.meeting.accept().unwrap();
        asks.write_all(b"yes").unwrap();
    }

    pub(super) fn start(place: &Place) -> Self {
        let path = place.path();
        Self { meeting: UnixListener::bind(&path).unwrap(), path }
    }
}
