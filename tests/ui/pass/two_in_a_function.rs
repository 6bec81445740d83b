//! Machines may be local to a function, several in one scope, with another path to the runtime and
//! with other attributes on them.

mod renamed {
    pub use fsm_runtime as engine;
}

fn main() {
    #[renamed::engine::state_machine(start = A, crate = crate::renamed::engine)]
    #[derive(Clone, Copy, Debug, PartialEq)]
    #[allow(clippy::manual_non_exhaustive)]
    enum HTTPServer {
        #[run]
        #[to(B)]
        A,
        #[end]
        B,
    }

    #[derive(Debug)]
    #[renamed::engine::state_machine(start = A, module = other, crate = crate::renamed::engine)]
    enum Other {
        #[cfg_attr(all(), doc = "One.")]
        #[run]
        #[to(B)]
        A,
        #[end]
        B {},
    }

    struct Both;

    impl http_server::Handler for Both {
        fn a(&mut self, _: &mut renamed::engine::Cx<'_>) -> http_server::AfterA {
            http_server::AfterA::B
        }
    }

    impl other::Handler for Both {
        fn a(&mut self, _: &mut renamed::engine::Cx<'_>) -> other::AfterA {
            other::AfterA::B
        }
    }

    assert_eq!(HTTPServer::A, HTTPServer::A.clone());
    assert_eq!(format!("{:?}", Other::A), "A");
    let peer = renamed::engine::sim::Session::<Other, _>::new(Both);
    assert_eq!(peer.state(), None);
    let peer = renamed::engine::sim::Session::<HTTPServer, _>::new(Both);
    assert_eq!(peer.state(), None);
}
