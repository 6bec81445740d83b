//! The arithmetic of the expressions in attributes, which neither wraps nor panics.
//!
//! Generated code calls [`checked`] and [`saturating`] in place of the operators, because the numbers
//! may come from a peer. Both compile to the instruction of the operator and a branch.

use std::time::Duration;

use crate::Miss;

/// Returns the result of the operator.
///
/// # Errors
///
/// [`Miss::Limit`] when the result does not fit its type, and when the divisor is 0.
#[inline]
pub fn checked<Op, L: Arithmetic<Op, R>, R>(_: Op, left: L, right: R) -> Result<L::Output, Miss> {
    left.checked(right).ok_or(Miss::Limit)
}

/// Returns the result of the operator, or the number of its type that is nearest; after a division by 0
/// the largest one, and as the remainder of that 0.
#[inline]
pub fn saturating<Op, L: Arithmetic<Op, R>, R>(_: Op, left: L, right: R) -> L::Output {
    left.saturating(right)
}

/// The value of an expression for a size, at least 1 and at most its bound.
#[inline]
pub fn size(value: u64, bound: usize) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX).min(bound).max(1)
}

/// The operator `Op` between this number and `R`.
#[diagnostic::on_unimplemented(
    message = "an expression in an attribute has no `{Op}` of `{Self}` and `{R}`",
    label = "both numbers need one type; convert one with `as` or `from`"
)]
pub trait Arithmetic<Op, R = Self> {
    /// The type of the result.
    type Output;

    /// The result, if it fits its type.
    fn checked(self, right: R) -> Option<Self::Output>;

    /// The result, or the number that is nearest.
    fn saturating(self, right: R) -> Self::Output;
}

macro_rules! operators {
    ($($name:ident $sign:literal)*) => {$(
        #[doc = concat!("The operator `", $sign, "`.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;
    )*};
}

operators!(Add "+" Sub "-" Mul "*" Div "/" Rem "%" Shl "<<" Shr ">>");

macro_rules! arithmetic {
    ($($op:ident($left:ident: $L:ty, $right:ident: $R:ty) => $checked:expr, $saturating:expr;)*) => {$(
        impl Arithmetic<$op, $R> for $L {
            type Output = <$L as std::ops::$op<$R>>::Output;

            #[inline]
            fn checked(self, $right: $R) -> Option<Self::Output> {
                let $left = self;
                $checked
            }

            #[inline]
            fn saturating(self, $right: $R) -> Self::Output {
                let $left = self;
                $saturating
            }
        }
    )*};
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        arithmetic! {
            Add(a: $int, b: $int) => a.checked_add(b), a.saturating_add(b);
            Sub(a: $int, b: $int) => a.checked_sub(b), a.saturating_sub(b);
            Mul(a: $int, b: $int) => a.checked_mul(b), a.saturating_mul(b);
            Div(a: $int, b: $int) => a.checked_div(b), a.checked_div(b).unwrap_or(<$int>::MAX);
            Rem(a: $int, b: $int) => a.checked_rem(b), a.checked_rem(b).unwrap_or(0);
        }
    )*};
}

/// A shift to the left is a multiplication, so it loses no bit.
macro_rules! shifts {
    ($($int:ty)*) => {$(
        arithmetic! {
            Shl(a: $int, b: $int) => {
                let by = u32::try_from(b).ok().and_then(|by| <$int>::checked_shl(1, by));
                by.map_or_else(|| (a == 0).then_some(0), |by| a.checked_mul(by))
            }, Arithmetic::<Shl>::checked(a, b).unwrap_or(<$int>::MAX);
            Shr(a: $int, b: $int) => Some(Arithmetic::<Shr>::saturating(a, b)),
                u32::try_from(b).ok().and_then(|by| a.checked_shr(by)).unwrap_or(0);
        }
    )*};
}

integers!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
shifts!(u8 u16 u32 u64 u128 usize);

macro_rules! floats {
    ($($float:ty: $($op:ident $sign:tt)*;)*) => {$(
        arithmetic! { $($op(a: $float, b: $float) => Some(a $sign b), a $sign b;)* }
    )*};
}

floats! {
    f32: Add + Sub - Mul * Div / Rem %;
    f64: Add + Sub - Mul * Div / Rem %;
}

arithmetic! {
    Add(a: Duration, b: Duration) => a.checked_add(b), a.saturating_add(b);
    Sub(a: Duration, b: Duration) => a.checked_sub(b), a.saturating_sub(b);
    Mul(a: Duration, b: u32) => a.checked_mul(b), a.saturating_mul(b);
    Mul(a: u32, b: Duration) => b.checked_mul(a), b.saturating_mul(a);
    Div(a: Duration, b: u32) => a.checked_div(b), a.checked_div(b).unwrap_or(Duration::MAX);
}

#[cfg(test)]
mod tests {
    use super::*;

    macro_rules! extremes {
        ($($int:ident)*) => {$(
            #[test]
            fn $int() {
                let (min, max) = (std::primitive::$int::MIN, std::primitive::$int::MAX);
                assert_eq!(checked(Add, max, 1), Err(Miss::Limit));
                assert_eq!(checked(Sub, min, 1), Err(Miss::Limit));
                assert_eq!(checked(Mul, max, 2), Err(Miss::Limit));
                assert_eq!(checked(Div, max, 0), Err(Miss::Limit));
                assert_eq!(checked(Rem, max, 0), Err(Miss::Limit));
                assert_eq!(checked(Sub, checked(Add, max - 1, 1).unwrap(), max), Ok(0));
                assert_eq!(saturating(Add, max, 1), max);
                assert_eq!(saturating(Sub, min, 1), min);
                assert_eq!(saturating(Mul, 2, max), max);
                assert_eq!(saturating(Div, max, 0), max);
                assert_eq!(saturating(Rem, max, 0), 0);
                assert_eq!(saturating(Rem, 7, saturating(Div, 9, 2)), 3);
            }
        )*};
    }

    mod extremes_neither_wrap_nor_panic {
        use super::*;

        extremes!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
    }

    #[test]
    fn the_smallest_number_by_minus_one_is_too_large() {
        assert_eq!(checked(Div, i32::MIN, -1), Err(Miss::Limit));
        assert_eq!(checked(Rem, i64::MIN, -1), Err(Miss::Limit));
        assert_eq!(saturating(Div, i8::MIN, -1), i8::MAX);
    }

    #[test]
    fn a_shift_loses_no_bit() {
        assert_eq!(checked(Shl, 3_u8, 6), Ok(192));
        assert_eq!(checked(Shl, 3_u8, 7), Err(Miss::Limit));
        assert_eq!(checked(Shl, 1_u64, u64::MAX), Err(Miss::Limit));
        assert_eq!(checked(Shl, 0_u64, u64::MAX), Ok(0));
        assert_eq!(saturating(Shl, 1_u32, 32), u32::MAX);
        assert_eq!(checked(Shr, 3_u64, 64), Ok(0));
        assert_eq!(saturating(Shr, 6_u64, 1), 3);
    }

    #[test]
    fn times_saturate() {
        let second = Duration::from_secs(1);
        assert_eq!(saturating(Add, Duration::MAX, second), Duration::MAX);
        assert_eq!(saturating(Sub, second, Duration::MAX), Duration::ZERO);
        assert_eq!(saturating(Mul, Duration::MAX, 2), Duration::MAX);
        assert_eq!(saturating(Mul, 2, second), Duration::from_secs(2));
        assert_eq!(saturating(Div, second, 0), Duration::MAX);
        assert_eq!(checked(Div, second, 2), Ok(Duration::from_millis(500)));
    }
}
