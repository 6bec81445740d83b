//! The methods that [`Session`](super::Session) and [`JobSession`](super::JobSession) have in common.

/// Methods of a session with a `harness` and a `clock`, for its `impl` block.
macro_rules! session_methods {
    () => {
        /// The next job that the machine has given to `S`, whose pool the test plays: see
        /// [the module](crate::sim#pools-that-a-machine-calls). The job waits for a `reply`.
        ///
        /// # Panics
        ///
        /// When no state of the machine calls `S`.
        pub fn job<S: Service>(&mut self) -> Option<S::Job> {
            self.harness.borrow().stubs.job::<S>()
        }

        /// Replies to the first job of `S` that was taken and has no reply yet.
        ///
        /// # Panics
        ///
        /// When there is none.
        pub fn reply<S: Service>(&mut self, reply: S::Reply) {
            self.harness.borrow().stubs.answer::<S>(Some(reply));
            self.run(Readiness::NONE);
        }

        /// Lets the first job of `S` fail that was taken and has no reply yet, as a panic of it would.
        ///
        /// # Panics
        ///
        /// When there is none.
        pub fn fail<S: Service>(&mut self) {
            self.harness.borrow().stubs.answer::<S>(None);
            self.run(Readiness::NONE);
        }

        /// Bounds the jobs that the pool of `S` has. Before the first call they are not bounded.
        ///
        /// # Panics
        ///
        /// When no state of the machine calls `S`.
        pub fn room<S: Service>(&mut self, jobs: usize) {
            self.harness.borrow().stubs.room::<S>(jobs);
        }

        /// Closes the pool of `S`: no job of it gets a reply any more.
        ///
        /// # Panics
        ///
        /// When no state of the machine calls `S`.
        pub fn close<S: Service>(&mut self) {
            self.harness.borrow().stubs.close::<S>();
            self.run(Readiness::NONE);
        }

        /// Posts a message to the machine.
        ///
        /// # Errors
        ///
        /// When the mailbox, which takes 1,024 messages, is full, or the machine is at its end. The
        /// message comes back.
        pub fn post(&mut self, message: M::Message) -> Result<(), TrySendError<M::Message>> {
            let posted = {
                let harness = self.harness.borrow();
                harness.scratch().environment.mailboxes.post(harness.key, message)
            };
            posted?;
            self.run(Readiness::NONE);
            Ok(())
        }

        /// Lets time pass. Deadlines come up one after the other, each at its time. Where the session
        /// is on a [`Clock`], this moves that clock, and so all sessions on it.
        pub fn advance(&mut self, time: Duration) {
            match &self.clock {
                Some(clock) => clock.advance(time),
                None => {
                    let origin = self.harness.borrow().origin().clone();
                    origin.advance(&[&*self.harness], time);
                }
            }
        }

        /// Sets the wall clock that handlers see with [`Cx::wall`](crate::Cx::wall). It moves on with the
        /// time, which this does not change. Where the session is on a [`Clock`], this sets that of all
        /// sessions on it.
        pub fn set_wall(&mut self, time: SystemTime) {
            self.harness.borrow().origin().time.set_wall(time);
        }

        /// The name of the state that the machine is in; `None` when it is at its end.
        pub fn state(&self) -> Option<&'static str> {
            self.harness.borrow().state()
        }

        /// Why the machine is at its end, if it is.
        pub fn ended(&self) -> Option<Ended> {
            self.harness.borrow().ended()
        }

        /// Runs the machine until it waits for an action of the test.
        pub(super) fn run(&mut self, ready: Readiness) {
            self.harness.borrow_mut().run(ready);
        }
    };
}

pub(super) use session_methods;
