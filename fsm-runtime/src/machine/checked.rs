use std::marker::PhantomData;

/// A type `T` of the user's that generated code has checked, as `fn(T)`: [`Checked::Type`] is `T`, unless the
/// constant `CHECK` does not compile. Then it is the type of an error, about whose uses rustc says nothing, so that a
/// type that does not fit is one error and not one for each use. In the parameter of a function a lifetime may be
/// left out.
#[allow(missing_debug_implementations)]
pub struct Check<T, const CHECK: usize>(PhantomData<T>);

/// The type that a [`Check`] is about.
pub trait Checked {
    /// The type itself.
    type Type;
}

impl<T, const CHECK: usize> Checked for Check<fn(T), CHECK> {
    type Type = T;
}
