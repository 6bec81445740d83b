use proc_macro2::{Ident, TokenStream};
use syn::{Attribute, Lifetime, Path, Type, Visibility};

/// A frame as its author wrote it.
pub(crate) struct Frame {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) lifetime: Option<Lifetime>,
    /// The item cannot be written anew, because it has parameters or fields without names.
    pub(crate) odd: Option<Odd>,
    /// The name of the decoder, which the attribute gives.
    pub(crate) decoder: Ident,
    /// The path of the runtime.
    pub(crate) root: TokenStream,
    /// An enum; otherwise a struct, which has one case.
    pub(crate) is_enum: bool,
    /// The type of the integer that begins a frame of an enum.
    pub(crate) tag: Option<Int>,
    pub(crate) line: Option<Line>,
    /// The bound of a whole frame that is no line, if it is less than the sum of the bounds.
    pub(crate) max: Option<Size>,
    pub(crate) cases: Vec<Case>,
    /// There are findings about the arguments or the parameters, from which others would follow.
    pub(crate) in_doubt: bool,
}

/// Why an item is not written anew after findings.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Odd {
    Generic,
    Tuple,
}

/// `line = b"\r\n" | b"\n", max = 224, ignore_case`
pub(crate) struct Line {
    pub(crate) ends: Ends,
    pub(crate) max: Size,
    pub(crate) ignore_case: bool,
}

/// The delimiters that may end a line.
pub(crate) struct Ends {
    /// The one that the encoder writes.
    pub(crate) written: Literal,
    /// Another end, which a line may have when it is read: a byte, with which the first one ends.
    pub(crate) other: Option<Literal>,
}

impl Ends {
    /// The suffix that both ends share. Of two ends the longer has [`before`](Self::before) in front of it.
    pub(crate) fn last(&self) -> &Literal {
        self.other.as_ref().unwrap_or(&self.written)
    }

    /// The bytes that the longer of two ends has before the shorter one.
    pub(crate) fn before(&self) -> Option<&[u8]> {
        self.written.value.bytes()?.strip_suffix(self.other.as_ref()?.value.bytes()?)
    }

    /// One or two; the one that is written comes first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Literal> {
        [&self.written].into_iter().chain(&self.other)
    }

    /// Whether the line ends before the end of a word with which it was to end.
    pub(crate) fn end_in(&self, word: &[u8]) -> bool {
        let Some(end) = self.last().value.bytes() else { return false };
        let line = [word, end].concat();
        line.windows(end.len()).position(|found| found == end) < Some(word.len())
    }
}

/// A struct or a variant.
pub(crate) struct Case {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) name: Ident,
    /// It has braces.
    pub(crate) braced: bool,
    pub(crate) labels: Labels,
    pub(crate) fields: Vec<Field>,
}

/// The tags of a case.
pub(crate) enum Labels {
    /// That of a struct, which has none.
    Struct,
    /// `#[is(1 | 2)]`
    Are(Vec<Literal>),
    /// `#[other]`
    Other,
}

/// A literal, or a path to a constant.
#[derive(Clone)]
pub(crate) struct Literal {
    /// As it was written.
    pub(crate) place: TokenStream,
    /// The same, or the name of a constant that has the value.
    pub(crate) tokens: TokenStream,
    pub(crate) value: Value,
}

impl Literal {
    /// Whether it is bytes, of which the first is such a one.
    pub(crate) fn begins_with(&self, is_such: impl FnOnce(u8) -> bool) -> bool {
        self.value.bytes().and_then(<[u8]>::first).is_some_and(|first| is_such(*first))
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Value {
    Int(u64),
    Bytes(Vec<u8>),
    /// A constant, which the macro does not see.
    Path,
}

impl Value {
    /// The value as a word of a line; nothing for a constant.
    pub(crate) fn word(&self) -> Vec<u8> {
        match self {
            Self::Int(value) => value.to_string().into_bytes(),
            Self::Bytes(bytes) => bytes.clone(),
            Self::Path => Vec::new(),
        }
    }
}

/// A size as it was written.
#[derive(Clone)]
pub(crate) struct Size {
    /// As it was written.
    pub(crate) place: TokenStream,
    /// The tokens after the units are resolved.
    pub(crate) value: TokenStream,
    /// The number, if it is a literal.
    pub(crate) known: Option<u64>,
}

pub(crate) struct Field {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) name: Ident,
    pub(crate) ty: Type,
    /// It and all that follows have a length that was sent before.
    pub(crate) part: Option<Counted>,
    /// `#[when(..)]`
    pub(crate) when: Option<TokenStream>,
    /// The type is an `Option`.
    pub(crate) optional: bool,
    pub(crate) is: Option<Literal>,
    pub(crate) kind: Kind,
    /// `then = b".."`
    pub(crate) then: Option<Literal>,
    /// The attribute of digits that end at the first byte that is none.
    pub(crate) open_digits: Option<Path>,
    pub(crate) secret: bool,
    /// It could not be read.
    pub(crate) unread: Option<Unread>,
    /// The text of the attributes, for the docs.
    pub(crate) text: String,
}

/// The part that could be read of a field about which there is a finding.
pub(crate) struct Unread {
    /// The tokens in the parentheses of its attributes.
    pub(crate) said: TokenStream,
    /// It was to be a literal, which is not kept.
    pub(crate) is_literal: bool,
    /// Its type has no place in a frame.
    pub(crate) is_of_no_type: bool,
}

/// `len - 4 <= 1MiB`, or `len <= limit() <= 1MiB`
pub(crate) struct Counted {
    pub(crate) len: TokenStream,
    /// A narrower bound, which is computed for each frame.
    pub(crate) within: Option<TokenStream>,
    pub(crate) max: Size,
    pub(crate) then: Option<Literal>,
}

/// The way in which a field is sent.
pub(crate) enum Kind {
    Int(Int),
    /// `#[varint(max = 4)]`
    Varint {
        int: Int,
        /// The largest number of bytes.
        bytes: usize,
        /// It may have more bytes than it needs.
        padded: bool,
    },
    /// Digits.
    Digits {
        int: Int,
        hex: bool,
    },
    /// `[u8; N]`
    Array(TokenStream),
    /// `#[bytes(len <= N)]`
    Bytes {
        counted: Box<Counted>,
        text: bool,
    },
    /// `#[until(b"\0", max = N)]`
    Until {
        end: Literal,
        max: Size,
        text: bool,
    },
    /// `#[rest]`
    Rest {
        text: bool,
    },
    /// A word of a line.
    Word {
        text: bool,
    },
    /// A `bool` that says whether a word is there.
    Flag,
    /// All words of a line that are left.
    Words,
    /// Another frame.
    Nested,
    /// Another frame behind a tag that was sent before.
    Tagged(TokenStream),
    /// `Times<'a, F>` with `#[times(n <= 64)]`, or with `#[rest]`.
    Times {
        decoder: Box<Type>,
        counted: Option<Box<Counted>>,
    },
    /// The tag in a variant for several tags, which was read before.
    Tag(Int),
    /// It could not be read.
    Unknown,
}

/// An integer as it is sent.
#[derive(Clone)]
pub(crate) struct Int {
    /// Its type in the generated item.
    pub(crate) rust: Ident,
    /// The number of bytes.
    pub(crate) width: usize,
    pub(crate) signed: bool,
    pub(crate) little: bool,
}

impl Int {
    /// The largest value.
    pub(crate) fn largest(&self) -> u64 {
        let bits = 8 * self.width - usize::from(self.signed);
        u64::MAX >> (64 - bits)
    }

    /// The bytes of `value`.
    pub(crate) fn bytes(&self, value: u64) -> Vec<u8> {
        let mut bytes = value.to_be_bytes()[8 - self.width..].to_vec();
        if self.little {
            bytes.reverse();
        }
        bytes
    }

    /// The largest number of decimal or hexadecimal digits.
    pub(crate) fn digits(&self, hex: bool) -> usize {
        if hex { 2 * self.width } else { self.largest().to_string().len() }
    }
}

impl Kind {
    /// Whether it is bytes that have to be UTF-8.
    pub(crate) fn is_text(&self) -> bool {
        matches!(
            self,
            Self::Bytes { text: true, .. }
                | Self::Until { text: true, .. }
                | Self::Rest { text: true }
                | Self::Word { text: true }
        )
    }

    pub(crate) fn int(&self) -> Option<&Int> {
        match self {
            Self::Int(int)
            | Self::Varint { int, .. }
            | Self::Digits { int, .. }
            | Self::Tag(int) => Some(int),
            _ => None,
        }
    }
}

impl Field {
    /// The lengths that are in its attributes: that of the part which it begins, and its own.
    pub(crate) fn counts(&self) -> impl Iterator<Item = &Counted> {
        let own = match &self.kind {
            Kind::Bytes { counted, .. } => Some(&**counted),
            Kind::Times { counted, .. } => counted.as_deref(),
            _ => None,
        };
        self.part.iter().chain(own)
    }

    /// All expressions in its attributes.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &TokenStream> {
        let tag = match &self.kind {
            Kind::Tagged(tag) => Some(tag),
            _ => None,
        };
        let within = self.counts().filter_map(|counted| counted.within.as_ref());
        self.counts().map(|counted| &counted.len).chain(within).chain(&self.when).chain(tag)
    }
}

impl Value {
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}
