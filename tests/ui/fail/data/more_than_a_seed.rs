//! A machine starts with a seed, and more that nothing fills.
//! Plants fsm::E070.

use fsm_runtime::prelude::*;

#[state_machine(start = Hello, seed = String)]
enum Events {
    #[flush(within = 30s => Gone)]
    #[to(Pause | Gone)]
    Hello {
        topic: String,
        #[carry]
        //~-
        count: u64,
        //~-
    },
    #[sleep(1s)]
    #[to(Hello)]
    Pause { count: u64 },
    #[end]
    Gone,
}

struct Client;

impl events::Handler for Client {
    fn hello(
        &mut self,
        topic: &mut String,
        _: &mut u64,
        //~-
        _: &mut Cx<'_>,
    ) -> events::AfterHello {
        match topic.as_str() {
            "" => events::AfterHello::Gone,
            _ => events::AfterHello::Pause { count: 0 },
        }
    }

    fn pause(&mut self, _: &mut u64, _: &mut Cx<'_>) -> events::AfterPause {
        events::AfterPause::Hello { topic: String::new() }
    }
}

fn main() {}
