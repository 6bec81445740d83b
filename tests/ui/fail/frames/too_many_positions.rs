//! More positions than a decoder remembers.
//! Plants fsm::E117.

use fsm_runtime::prelude::*;

#[frame(Users)]
pub struct User<'a> {
    #[until(b"\0", max = 64)]
    pub name: &'a str,
    #[until(b"\0", max = 64)]
    pub full_name: &'a str,
    #[until(b"\0", max = 64)]
    pub home: &'a str,
    #[until(b"\0", max = 64)]
    pub shell: &'a str,
    #[until(b"\0", max = 64)]
    //~-
    pub group: &'a str,
    //~ pub groups: Groups<'a>,
    #[until(b"\0", max = 64)]
    //~-
    pub zone: &'a str,
    //~-
}
//~+
//~+ #[frame(Several)]
//~+ pub struct Groups<'a> {
//~+     #[until(b"\0", max = 64)]
//~+     pub group: &'a str,
//~+     #[until(b"\0", max = 64)]
//~+     pub zone: &'a str,
//~+ }

fn main() {}
