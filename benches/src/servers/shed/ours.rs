use fsm_runtime::prelude::*;

use crate::error::Error;
use crate::servers::fsm_pool;
use crate::servers::heavy::compute;
use crate::workload::{REFUSAL, SHED_CAPACITY};

#[state_machine(start = Request, eof => Gone, gone => Gone)]
enum Front {
    #[read(exact = 64, idle = 60s => Gone)]
    #[to(Working)]
    #[rest]
    Request,
    #[call(Work, within = 10s => Gone, full => Refused)]
    #[to(Request)]
    Working,
    #[run]
    #[to(Request)]
    Refused,
    #[end]
    Gone,
}

#[state_machine(start = Compute, job = [u8; 64], reply = [u8; 64])]
enum Work {
    #[run]
    #[to(Done)]
    Compute { request: [u8; 64] },
    #[end]
    Done,
}

struct Client;

impl front::Handler for Client {
    fn request(&mut self, request: &[u8; 64], _: &mut Cx<'_>) -> front::AfterRequest {
        front::AfterRequest::Working { job: *request }
    }

    fn working(&mut self, reply: [u8; 64], cx: &mut Cx<'_>) -> front::AfterWorking {
        cx.write(&reply);
        front::AfterWorking::Request
    }

    fn refused(&mut self, cx: &mut Cx<'_>) -> front::AfterRefused {
        cx.write(&REFUSAL);
        front::AfterRefused::Request
    }
}

struct Worker;

impl work::Handler for Worker {
    fn compute(&mut self, request: &mut [u8; 64], _: &mut JobCx<'_>) -> work::AfterCompute {
        compute(request);
        work::AfterCompute::Done { reply: *request }
    }
}

pub(super) fn serve() -> Result<(), Error> {
    let front = Pool::builder::<Front>("front").listen("127.0.0.1:0").handler(|_peer| Client);
    let work = Pool::builder::<Work>("work").max_jobs(SHED_CAPACITY).worker(|| Worker);
    fsm_pool::serve(Pipeline::new().pool(front).pool(work).start()?)
}
