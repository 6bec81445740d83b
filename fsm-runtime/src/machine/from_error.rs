/// Makes the value of a field with `#[error]` of the error of the edge. Every `From` does, and rustc names both
/// types where there is none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of the error `{E}`",
    label = "write the type `{E}` here, or one that implements `From<{E}>`"
)]
pub trait FromError<E> {
    /// The value that the field gets.
    fn from_error(error: E) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: From<E>, E> FromError<E> for T {
    fn from_error(error: E) -> Self {
        Self::from(error)
    }
}
