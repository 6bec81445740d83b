//! Machines in modules, seen as far as their enums.

mod outer {
    pub mod inner {
        use fsm_runtime::prelude::*;

        #[state_machine(start = Talk, eof => Gone)]
        pub(super) enum Near {
            #[read(some, max = 16KiB, idle = 60s => Gone)]
            #[to(Talk)]
            Talk,
            #[end]
            Gone,
        }

        #[state_machine(start = Talk, eof => Gone)]
        pub(in crate::outer) enum Path {
            #[read(some, max = 16KiB, idle = 60s => Gone)]
            #[to(Talk)]
            Talk,
            #[end]
            Gone,
        }

        #[state_machine(start = Talk, eof => Gone)]
        pub(self) enum Own {
            #[read(some, max = 16KiB, idle = 60s => Gone)]
            #[to(Talk)]
            Talk,
            #[end]
            Gone,
        }

        struct Client;

        impl own::Handler for Client {
            fn talk(&mut self, _: &[u8], _: &mut Cx<'_>) -> own::AfterTalk {
                own::AfterTalk::Talk
            }
        }

        pub fn own() -> Option<&'static str> {
            fsm_runtime::sim::Session::<Own, _>::new(Client).state()
        }
    }

    pub struct Client;

    impl inner::near::Handler for Client {
        fn talk(&mut self, bytes: &[u8], cx: &mut Cx<'_>) -> inner::near::AfterTalk {
            cx.write(bytes);
            inner::near::AfterTalk::Talk
        }
    }

    impl inner::path::Handler for Client {
        fn talk(&mut self, _: &[u8], _: &mut Cx<'_>) -> inner::path::AfterTalk {
            inner::path::AfterTalk::Talk
        }
    }

    use fsm_runtime::prelude::*;
    use fsm_runtime::sim::Session;

    pub fn run() {
        let mut session = Session::<inner::Near, _>::new(Client);
        session.send(b"hello");
        assert_eq!(session.receive(), b"hello");
        assert_eq!(Session::<inner::Path, _>::new(Client).state(), Some("Talk"));
    }
}

fn main() {
    outer::run();
    assert_eq!(outer::inner::own(), Some("Talk"));
}
