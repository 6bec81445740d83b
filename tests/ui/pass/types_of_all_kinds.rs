//! Fields of many types, named from where the enum is.

use fsm_runtime::sim::Session;

mod names {
    pub type Name = String;

    pub mod deep {
        use fsm_runtime::prelude::*;

        const SIZE: usize = 3;

        pub struct Own;

        #[state_machine(start = Start)]
        pub enum Types {
            #[run]
            #[to(Full)]
            Start,
            #[run]
            #[to(Gone)]
            Full {
                name: super::Name,
                own: self::Own,
                root: crate::Root,
                array: [u8; SIZE],
                block: [u8; {
                    const MORE: usize = 1;
                    SIZE + MORE
                }],
                tuple: (u8, (u16, Own)),
                function: fn(u8, &str) -> Option<u8>,
                boxed: Box<dyn Fn(&str) -> usize + Send>,
                object: Box<dyn for<'a> Fn(&'a [u8]) -> &'a [u8] + Send + 'static>,
                map: std::collections::HashMap<String, Vec<Option<u8>>>,
                next: Option<Box<Self>>,
                unit: (),
                text: &'static str,
            },
            #[end]
            Gone,
        }

        pub struct Client;

        impl types::Handler for Client {
            fn start(&mut self, _: &mut Cx<'_>) -> types::AfterStart {
                types::AfterStart::Full {
                    name: "name".to_owned(),
                    own: Own,
                    root: crate::Root(7),
                    array: [1; SIZE],
                    block: [2; SIZE + 1],
                    tuple: (1, (2, Own)),
                    function: |number, _| Some(number),
                    boxed: Box::new(str::len),
                    object: Box::new(|bytes| &bytes[1..]),
                    map: std::collections::HashMap::new(),
                    next: Some(Box::new(Types::Gone)),
                    unit: (),
                    text: "text",
                }
            }

            fn full(
                &mut self,
                name: &mut super::Name,
                _: &mut Own,
                root: &mut crate::Root,
                array: &mut [u8; SIZE],
                _: &mut [u8; SIZE + 1],
                _: &mut (u8, (u16, Own)),
                function: &mut fn(u8, &str) -> Option<u8>,
                boxed: &mut Box<dyn Fn(&str) -> usize + Send>,
                object: &mut Box<dyn for<'a> Fn(&'a [u8]) -> &'a [u8] + Send>,
                _: &mut std::collections::HashMap<String, Vec<Option<u8>>>,
                next: &mut Option<Box<Types>>,
                _: &mut (),
                text: &mut &'static str,
                cx: &mut Cx<'_>,
            ) -> types::AfterFull {
                let said =
                    (function(root.0, name), boxed(name), object(array).len(), next.is_some());
                cx.write(format!("{said:?} {text}").as_bytes());
                types::AfterFull::Gone
            }
        }
    }
}

pub struct Root(u8);

fn main() {
    let mut session = Session::<names::deep::Types, _>::new(names::deep::Client);
    assert_eq!(session.receive(), b"(Some(7), 4, 2, true) text");
}
