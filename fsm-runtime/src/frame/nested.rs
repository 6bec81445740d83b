use std::marker::PhantomData;

use super::{Decoded, Frame, Layout, Output};

/// The struct or enum of a declared frame, which can be a field of another one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no declared frame, and no other type of a field",
    label = "a field has an integer, bytes, a text, or a type that is declared with `#[frame(..)]`"
)]
pub trait Framed {
    /// Its decoder.
    type Decoder: Nested;
}

/// The decoder of a declared frame inside another frame.
///
/// Generated code implements it, and [`Frame`](crate::Frame) as well unless the frame takes the rest of its
/// input, and so needs another one around it that says where that ends.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no decoder of a declared frame",
    label = "`Times<'a, ..>` takes the name in `#[frame(..)]` of another frame"
)]
pub trait Nested: Default + Send + 'static {
    /// The frame.
    type Item<'a>;
    /// The reason why the input is none.
    type Error;

    /// The largest number of bytes of a frame; 0 if it takes the rest of its input.
    const MAX: usize;

    /// The smallest number of bytes of a frame that is known without its content.
    const MIN: usize;

    /// Whether it takes the rest of its input.
    const OPEN: bool;

    /// The layout of the frame.
    const LAYOUT: &'static Layout;

    /// Decodes the frame at the beginning of `input`.
    fn nested<'a>(&mut self, input: &'a [u8]) -> Result<Decoded<Self::Item<'a>>, Self::Error>;
}

/// Has the layout of the frames that a type decodes. A type that is no decoder has none, without an error,
/// because rustc has another one for it.
#[doc(hidden)]
#[derive(Debug)]
pub struct LayoutOf<F>(PhantomData<F>);

impl<F: Frame> LayoutOf<F> {
    /// The layout, if the frames were declared.
    pub const LAYOUT: Option<&'static Layout> = F::LAYOUT;
}

/// The part of [`LayoutOf`] for a type that is no decoder.
#[doc(hidden)]
pub trait NoLayout {
    /// No layout.
    const LAYOUT: Option<&'static Layout> = None;
}

impl<F> NoLayout for LayoutOf<F> {}

/// The progress on a frame in another one.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct NestedProgress<F> {
    /// Where it ends in the outer frame; 0 if it is incomplete.
    pub end: u32,
    /// Its decoder.
    pub frame: F,
}

/// The decoder of an enum behind a tag that another frame has read.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no tag",
    label = "`#[tag(..)]` is for the field of an enum with `#[frame(.., tag = u8)]`"
)]
pub trait Tagged: Nested {
    /// The type of the tag.
    type Tag;

    /// The largest number of bytes behind the tag.
    const MAX_BODY: usize;

    /// Decodes what follows the tag.
    fn tagged<'a>(
        &mut self,
        tag: Self::Tag,
        input: &'a [u8],
    ) -> Result<Decoded<Self::Item<'a>>, Self::Error>;
}

/// The enum of a frame whose tag another frame writes.
#[doc(hidden)]
pub trait EncodeTagged {
    /// The type of the tag.
    type Tag;

    /// The tag of this variant.
    fn tag(&self) -> Self::Tag;

    /// The number of bytes behind the tag.
    fn body_len(&self) -> usize;

    /// Writes what follows the tag.
    fn put_body(&self, out: &mut impl Output);
}
