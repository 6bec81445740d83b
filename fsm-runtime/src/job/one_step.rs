use std::marker::PhantomData;

use crate::machine::kind::Job;
use crate::{
    Cx, Drive, Edge, Input, JobMachine, Lapse, Machine, NoMessage, OneTime, Service, Spec, Starts,
    State, Step, Timing, Trigger, Wait,
};

/// The machine of plain workers: it does the job, and is done. Its handler is a function.
pub(crate) struct OneStep<S: Service>(Option<S::Job>, PhantomData<fn() -> S>);

impl<S: Service> Machine for OneStep<S> {
    const SPEC: &'static Spec = &Spec {
        name: "Work",
        docs: "",
        start: 0,
        messages: false,
        starts: Starts::Job,
        states: &[
            State {
                name: "Doing",
                docs: "",
                wait: Wait::Run { blocking: true },
                edges: &[Edge { on: Trigger::Verdict, target: 1 }],
                rest: false,
                fields: &["job"],
            },
            State { name: "Done", docs: "", wait: Wait::End, edges: &[], rest: false, fields: &[] },
        ],
    };

    type Message = NoMessage;
    type Partial = ();
    type Seed = S::Job;
    type Kind = Job;
    type Times = OneTime;

    fn start(job: S::Job) -> Self {
        Self(Some(job), PhantomData)
    }

    fn state(&self) -> usize {
        usize::from(self.0.is_none())
    }

    fn timing(&self) -> Timing {
        Timing { within: Timing::NEVER, idle: Timing::NEVER }
    }
}

impl<S: Service> Service for OneStep<S> {
    type Job = S::Job;
    type Reply = S::Reply;
}

impl<S: Service> JobMachine for OneStep<S> {}

impl<S: Service, F: FnMut(S::Job) -> S::Reply> Drive<F> for OneStep<S> {
    fn resume(
        &mut self,
        work: &mut F,
        _: &mut Input<'_, ()>,
        cx: &mut Cx<'_, NoMessage, Job>,
    ) -> Step {
        let Some(job) = self.0.take() else { return Step::End };
        let reply = cx.blocking(|| work(job));
        cx.finish(reply);
        Step::Moved
    }

    fn lapse(&mut self, _: Lapse, _: &mut F, _: &mut Cx<'_, NoMessage, Job>) -> Step {
        Step::Stayed
    }
}
