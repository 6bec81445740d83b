use proc_macro2::TokenStream;

use super::super::super::ast::Int;

/// Writes the digits of a number, an `u64` or an `i64`.
pub(crate) fn digits(int: &Int, hex: bool, wide: &TokenStream) -> TokenStream {
    if int.signed {
        return generated! {
            let number = #wide;
            if number < 0 {
                __rt::Output::put(out, b"-");
            }
            let (bytes, len) = __parts::to_decimal(number.unsigned_abs());
            __rt::Output::put(out, &bytes[..len]);
        };
    }
    let to = if hex { generated!(to_hex) } else { generated!(to_decimal) };
    generated! {
        let (bytes, len) = __parts::#to(#wide);
        __rt::Output::put(out, &bytes[..len]);
    }
}

/// The number of digits of a number, with its sign.
pub(crate) fn digits_len(int: &Int, hex: bool, wide: &TokenStream) -> TokenStream {
    if int.signed {
        generated!((__parts::decimal_len((#wide).unsigned_abs()) + (#wide < 0) as usize))
    } else if hex {
        generated!(__parts::hex_len(#wide))
    } else {
        generated!(__parts::decimal_len(#wide))
    }
}
