use std::fmt;

/// The layout of a frame that was declared with `#[frame]`, as data: [`Frame::LAYOUT`](crate::Frame::LAYOUT).
///
/// ```
/// use fsm_runtime::prelude::*;
///
/// #[frame(Blocks)]
/// struct Block<'a> {
///     #[is(0xB10C)]
///     magic: u16,
///     len: u32,
///     #[secret]
///     #[bytes(len <= 1MiB)]
///     body: &'a [u8],
/// }
///
/// # fn main() {
/// let layout = Blocks::LAYOUT.unwrap();
/// assert_eq!((layout.name, layout.max), ("Block", 6 + 1024 * 1024));
/// let fields = layout.cases[0].fields;
/// assert_eq!(fields[0].text, "u16, is 0xB10C");
/// assert_eq!((fields[1].least, fields[1].most), (4, 4));
/// assert_eq!(fields[2].to_string(), "body: &[u8], bytes(len <= 1MiB)");
/// assert!(fields[2].secret);
/// # }
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Layout {
    /// The name of the struct or enum.
    pub name: &'static str,
    /// The largest number of bytes of a frame; 0 if it takes the rest of another one.
    pub max: usize,
    /// The beginning of a frame in all cases: a tag, or the first word of a line.
    pub tag: Option<&'static str>,
    /// The delimiters that end a line, of which the first is written; empty if the frame is no line.
    pub line_ends: &'static [&'static [u8]],
    /// The cases: one for a struct, and one for each variant of an enum.
    pub cases: &'static [LayoutCase],
}

/// One case of a [`Layout`].
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutCase {
    /// The name of the struct or variant.
    pub name: &'static str,
    /// The tags of the case, each as the bytes that it has in a frame. Empty for a struct, and for the
    /// variant that takes all other tags.
    pub tags: &'static [&'static [u8]],
    /// The fields in the order in which they are sent.
    pub fields: &'static [LayoutField],
}

/// A field of a [`LayoutCase`]. `Display` prints the declaration.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LayoutField {
    /// The field's name.
    pub name: &'static str,
    /// The type and what the attributes say.
    pub text: &'static str,
    /// The smallest number of bytes.
    pub least: usize,
    /// The largest number of bytes.
    pub most: usize,
    /// The bytes that the field always has; empty if they vary.
    pub literal: &'static [u8],
    /// The bytes behind the field that end it; empty if there are none.
    pub end: &'static [u8],
    /// Tools should not show the value.
    pub secret: bool,
    /// The layout of the frames that the field consists of.
    pub inner: Option<&'static Layout>,
}

impl Layout {
    /// A layout for generated code.
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        max: usize,
        tag: Option<&'static str>,
        cases: &'static [LayoutCase],
    ) -> Self {
        Self { name, max, tag, line_ends: &[], cases }
    }

    /// The same layout, of a line with one of these ends.
    #[doc(hidden)]
    pub const fn with_line_ends(mut self, line_ends: &'static [&'static [u8]]) -> Self {
        self.line_ends = line_ends;
        self
    }
}

impl LayoutCase {
    /// A case for generated code.
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        tags: &'static [&'static [u8]],
        fields: &'static [LayoutField],
    ) -> Self {
        Self { name, tags, fields }
    }
}

impl LayoutField {
    /// A field for generated code.
    #[doc(hidden)]
    pub const fn new(name: &'static str, text: &'static str, least: usize, most: usize) -> Self {
        Self { name, text, least, most, literal: &[], end: &[], secret: false, inner: None }
    }

    /// The same field, which always has these bytes.
    #[doc(hidden)]
    pub const fn with_literal(mut self, literal: &'static [u8]) -> Self {
        self.literal = literal;
        self
    }

    /// The same field, which these bytes end.
    #[doc(hidden)]
    pub const fn with_end(mut self, end: &'static [u8]) -> Self {
        self.end = end;
        self
    }

    /// The same field, which consists of frames of this layout.
    #[doc(hidden)]
    pub const fn with_inner(mut self, inner: &'static Layout) -> Self {
        self.inner = Some(inner);
        self
    }

    /// The same field, whose value tools should not show.
    #[doc(hidden)]
    pub const fn as_secret(mut self) -> Self {
        self.secret = true;
        self
    }
}

impl fmt::Display for LayoutField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.text)
    }
}
