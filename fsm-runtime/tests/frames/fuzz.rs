//! Random frames and bytes that are nearly frames, for all declarations of these tests. `FSM_INPUTS` says how
//! many inputs there are in all, `FSM_SEED` which.

use std::env;

use fsm_runtime::check;

use crate::protocols::{
    amqp, beanstalkd, dns, kafka, memcached, mqtt, netstrings, postgresql, proxy, socks,
};

/// The inputs of each frame that is grown: itself, and four that are nearly it.
const INPUTS: u64 = 5;

fn number(name: &str, default: u64) -> u64 {
    let Ok(text) = env::var(name) else { return default };
    text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}"))
}

macro_rules! frames {
    ($($decoder:path),* $(,)?) => {
        /// No input panics, makes a decoder ask for more than its bound, or is decoded in another way when
        /// it is cut; and what is decoded is encoded as it was.
        #[test]
        fn f1_f2_f3_random_frames_keep_the_rules() {
            let decoders = [$(stringify!($decoder)),*].len() as u64;
            let count = number("FSM_INPUTS", 10_000).div_ceil(INPUTS * decoders);
            let (count, seed) = (usize::try_from(count).unwrap(), number("FSM_SEED", 1));
            $(check::frames_from::<$decoder>(seed, count);)*
        }
    };
}

frames!(
    crate::Blocks,
    crate::Bulks,
    crate::Commands,
    crate::Limiteds,
    crate::Manies,
    crate::Packets,
    crate::Requests,
    crate::Startups,
    amqp::Inputs,
    amqp::Methods,
    beanstalkd::Commands,
    dns::Messages,
    kafka::Requests,
    memcached::Commands,
    mqtt::Packets,
    mqtt::Publishes,
    netstrings::Netstrings,
    postgresql::Firsts,
    postgresql::Messages,
    proxy::Headers,
    socks::Greetings,
    socks::Requests,
    fsm_runtime::proxy::Header,
);
