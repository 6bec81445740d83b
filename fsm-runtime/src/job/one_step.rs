use std::marker::PhantomData;

use crate::machine::kind::Job;
use crate::{
    Cx, Deadlines, Drive, Edge, Input, JobMachine, Machine, NoMessage, NoOther, Service, Spec,
    Starts, State, Step, Timer, Trigger, Wait,
};

/// The machine of plain workers: it runs a function with the job, and is done. Its handler is that
/// function; without a reply of it the caller takes its `gone` edge.
pub(crate) struct OneStep<S: Service>(Option<S::Job>, PhantomData<fn() -> S>);

impl<S: Service> Machine for OneStep<S> {
    const SPEC: &'static Spec = &Spec::new(
        "OneStep",
        &[
            State::new("Running", &[Wait::Run { blocking: true }])
                .with_edges(&[Edge { on: Trigger::Verdict, target: 1 }])
                .with_fields(&["job"]),
            State::new("Done", &[Wait::End]),
        ],
    )
    .with_starts(Starts::Job);

    type Message = NoMessage;
    type Partial = ();
    type Seed = S::Job;
    type Settings = ();
    type Kind = Job;
    type Other = NoOther;
    type Deadlines = Deadlines<1>;

    fn start(job: S::Job) -> Self {
        Self(Some(job), PhantomData)
    }

    fn state(&self) -> usize {
        usize::from(self.0.is_none())
    }

    fn timer(&self, _: usize, (): &()) -> Timer {
        Timer::NEVER
    }
}

impl<S: Service> Service for OneStep<S> {
    type Job = S::Job;
    type Reply = S::Reply;
}

impl<S: Service> JobMachine for OneStep<S> {}

impl<S: Service, F: FnMut(S::Job) -> Option<S::Reply>> Drive<F> for OneStep<S> {
    fn resume(
        &mut self,
        work: &mut F,
        _: &mut Input<'_, ()>,
        cx: &mut Cx<'_, NoMessage, (), Job>,
    ) -> Step {
        let Some(job) = self.0.take() else { return Step::Done };
        if let Some(reply) = cx.blocking(|| work(job)) {
            cx.finish(reply);
        }
        Step::Moved
    }

    fn expire(&mut self, _: usize, _: &mut F, _: &mut Cx<'_, NoMessage, (), Job>) -> Step {
        Step::Stayed
    }
}
