use std::marker::PhantomData;

use crate::machine::kind::Job;
use crate::{
    Cx, Deadlines, Drive, Edge, Input, JobMachine, Machine, NoMessage, NoOther, Service, Spec,
    Starts, State, Step, Timer, Trigger, Wait,
};

/// The machine of plain workers: it runs a function with the job, and is done. Its handler is that
/// function; without a reply of it the caller takes its `gone` edge. `V` says which jobs have failed.
pub(crate) struct OneStep<S: Service, V = NoVerdict>(Option<S::Job>, PhantomData<fn() -> (S, V)>);

/// Says which jobs have failed.
pub(crate) trait Verdict<R>: 'static {
    fn has_failed(reply: Option<&R>) -> bool;
}

/// The verdict of pools whose replies say nothing about it.
pub(crate) struct NoVerdict;

impl<R> Verdict<R> for NoVerdict {
    #[inline]
    fn has_failed(_: Option<&R>) -> bool {
        false
    }
}

impl<S: Service, V: Verdict<S::Reply>> Machine for OneStep<S, V> {
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

impl<S: Service, V: 'static> Service for OneStep<S, V> {
    type Job = S::Job;
    type Reply = S::Reply;
}

impl<S: Service, V: Verdict<S::Reply>> JobMachine for OneStep<S, V> {
    #[inline]
    fn has_failed(reply: Option<&S::Reply>) -> bool {
        V::has_failed(reply)
    }
}

impl<S, V, F> Drive<F> for OneStep<S, V>
where
    S: Service,
    V: Verdict<S::Reply>,
    F: FnMut(S::Job) -> Option<S::Reply>,
{
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
