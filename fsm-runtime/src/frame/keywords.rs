//! The keywords of `#[frame]`. Generated code refers to these constants with the spans of the keywords, so
//! that an editor shows their docs.
#![allow(non_upper_case_globals)]

/// A keyword of `#[frame]`.
#[derive(Clone, Copy, Debug)]
pub struct FrameWord;

/// `#[frame(Name, le)]` or `#[le]` on an integer: the byte with the lowest bits comes first.
pub const le: FrameWord = FrameWord;
/// `#[be]` on an integer: the byte with the highest bits comes first, in a frame with `le`.
pub const be: FrameWord = FrameWord;
/// `#[frame(Name, tag = u8)]` on an enum: an integer that begins the frame and says which variant it is.
/// `#[tag(kind)]` on a field that is such an enum: its tag was sent before. `#[tag]` on an integer in a
/// variant for several tags: which one it was.
pub const tag: FrameWord = FrameWord;
/// `#[frame(Name, line = b"\r\n", max = 1KiB)]`: the frame is a line of words with one space between them.
pub const line: FrameWord = FrameWord;
/// `max = 1KiB`: the bound of a line, or of the whole frame.
pub const max: FrameWord = FrameWord;
/// `#[frame(.., ignore_case)]`: the first words of lines are compared without regard to ASCII case.
pub const ignore_case: FrameWord = FrameWord;
/// `#[is(0xB10C)]` on a field: always this, and no field of the item. `#[is(3)]` on a variant: its tag, or the
/// first word of its line.
pub const is: FrameWord = FrameWord;
/// `#[varint]`, `#[varint(max = 4)]`, `#[varint(padded)]`: an unsigned integer as LEB128.
pub const varint: FrameWord = FrameWord;
/// `#[decimal(then = b"\r\n")]`: an integer in decimal digits, up to these bytes.
pub const decimal: FrameWord = FrameWord;
/// `#[hex(then = b";")]`: an unsigned integer in digits of base 16, up to these bytes.
pub const hex: FrameWord = FrameWord;
/// `#[bytes(len <= 64KiB)]`: so many bytes. `then = b".."` follows them.
pub const bytes: FrameWord = FrameWord;
/// `#[until(b"\0", max = 64)]`: the bytes before the delimiter.
pub const until: FrameWord = FrameWord;
/// `#[rest]`: all that is left of the part or of the line.
pub const rest: FrameWord = FrameWord;
/// `#[part(len <= 64KiB)]`: this field and all behind it are so many bytes together.
pub const part: FrameWord = FrameWord;
/// `#[when(flags & 1 != 0)]` on an `Option`: it is there if this holds.
pub const when: FrameWord = FrameWord;
/// `#[times(count <= 64)]` on `Times<'a, F>`: so many frames.
pub const times: FrameWord = FrameWord;
/// `#[other]`: the variant for all frames that no other one is.
pub const other: FrameWord = FrameWord;
/// `#[secret]`: tools should not show the value.
pub const secret: FrameWord = FrameWord;
