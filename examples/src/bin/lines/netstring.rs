//! A decoder, for the state `Netting`.

use fsm_runtime::prelude::*;

use crate::{Refusal, number};

/// Decodes a netstring such as `5:hello,`.
#[derive(Default)]
pub(crate) struct Netstring;

impl Frame for Netstring {
    type Item<'a> = &'a [u8];
    type Error = Refusal;

    fn decode<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<&'a [u8]>, Refusal> {
        let digits = input.iter().take_while(|byte| byte.is_ascii_digit()).count();
        match input.get(digits) {
            None if digits <= 4 => return Ok(Decoded::More(digits + 1)),
            Some(b':') if (1..=4).contains(&digits) => {}
            _ => return Err(Refusal("a netstring begins with its length and a colon")),
        }
        let len = number(&input[..digits])?;
        let text = digits + 1;
        let end = text + usize::try_from(len).map_err(|_| Refusal("too long"))?;
        match input.get(end) {
            None => Ok(Decoded::More(end + 1)),
            Some(b',') => Ok(Decoded::Frame(&input[text..end], end + 1)),
            Some(_) => Err(Refusal("a netstring ends with a comma")),
        }
    }
}
