//! Bytes up to a delimiter, without a bound.
//! Plants fsm::E050.

use fsm_runtime::prelude::*;

#[frame(Names)]
pub struct Name<'a> {
    #[until(b"\0")]
    //~ #[until(b"\0", max = 64)]
    pub name: &'a str,
}

fn main() {
    let _ = Name { name: "abc" }.encoded_len();
}
