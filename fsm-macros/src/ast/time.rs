use proc_macro2::TokenStream;

/// A time, in milliseconds.
#[derive(Clone)]
pub(crate) enum Time {
    Fixed(u64),
    /// An expression over the state's fields and the settings, and its bound.
    Of {
        time: TokenStream,
        max: u64,
    },
    /// A path to a constant `Duration`.
    Constant(TokenStream),
}

impl Time {
    /// The time or its bound, if the macro knows it.
    pub(crate) fn at_most(&self) -> Option<u64> {
        match self {
            Self::Fixed(millis) | Self::Of { max: millis, .. } => Some(*millis),
            Self::Constant(_) => None,
        }
    }

    /// The time that does not depend on the state or the settings, if the macro knows it.
    pub(crate) fn fixed(&self) -> Option<u64> {
        match self {
            Self::Fixed(millis) => Some(*millis),
            Self::Of { .. } | Self::Constant(_) => None,
        }
    }
}
