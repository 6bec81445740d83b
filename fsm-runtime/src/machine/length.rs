/// The type of the expressions in `#[read(exact = expr, ..)]` and `#[read(upto = expr, ..)]`: an
/// unsigned integer, or a reference to one.
///
/// ```
/// use fsm_runtime::Length;
///
/// let left: &u32 = &70_000;
/// assert_eq!(left.length(), 70_000);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no length",
    label = "a length is an unsigned integer: `u8`, `u16`, `u32`, `u64` or `usize`"
)]
pub trait Length: Copy {
    /// The number of bytes.
    fn length(self) -> u64;
}

macro_rules! length {
    ($($int:ty)*) => {$(
        impl Length for $int {
            #[inline]
            fn length(self) -> u64 {
                self.into()
            }
        }
    )*};
}

length!(u8 u16 u32 u64);

impl Length for usize {
    #[inline]
    fn length(self) -> u64 {
        self as u64
    }
}

impl<T: Length> Length for &T {
    #[inline]
    fn length(self) -> u64 {
        (*self).length()
    }
}
