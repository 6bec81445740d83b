use super::super::parse;
use super::*;

/// The findings about a frame with these arguments.
fn findings(args: &str, item: &str) -> Vec<String> {
    let mut errors = Errors::default();
    let (args, item) = (args.parse().unwrap(), syn::parse_str(item).unwrap());
    if let Some(frame) = parse::parse(args, item, &mut errors) {
        check(&frame, &mut errors);
    }
    errors.messages()
}

/// The findings about a struct with these fields.
fn of_fields(fields: &str) -> Vec<String> {
    findings("Blocks", &format!("struct Block<'a> {{ {fields} }}"))
}

#[test]
fn what_is_sound_has_no_finding() {
    for fields in [
        "len: u24, #[bytes(len <= 16MiB - 1)] body: &'a [u8]",
        "len: u16, #[bytes(len - 2 <= 65533)] body: &'a [u8]",
        "len: u8, #[bytes(len * 4 <= 1020)] body: &'a [u8]",
        "len: u64, #[bytes(len <= LIMIT)] body: &'a [u8]",
        "a: u8, b: u8, #[bytes(u64::from(a) + u64::from(b) <= 1MiB)] body: &'a [u8]",
        "#[varint(max = 2)] len: u32, #[bytes(len <= 16383)] body: &'a [u8]",
        "#[le] len: u16, #[part(len <= 64)] kind: u8, #[rest] body: &'a str",
        "flags: u8, #[when(flags & 1 != 0)] id: Option<[u8; ID]>",
        "#[is(MAGIC)] magic: u16, #[is(b\"PRI\")] pri: [u8; 3]",
        "#[until(b\"\\0\", max = 8)] r#type: &'a str, #[doc = \"b\"] #[serde(with)] b: i64",
    ] {
        assert_eq!(of_fields(fields), [""; 0], "{fields}");
    }
}

#[test]
fn one_mistake_in_a_field_is_one_finding() {
    for (fields, expected) in [
        (
            "len: u16, #[bytes(len <= 65536)] body: &'a [u8]",
            "`len` says at most 65535; write `<= 65535`, or `len: u24`",
        ),
        (
            "len: u16, #[bytes(len - 2 <= 65534)] body: &'a [u8]",
            "`len` says at most 65533; write `<= 65533`, or `len: u24`",
        ),
        (
            "#[varint(max = 1)] len: u32, #[bytes(len <= 1KiB)] body: &'a [u8]",
            "`len` says at most 127; write `<= 127`, or give it more bytes",
        ),
        (
            "len: u64, #[bytes(len <= 8GiB)] body: &'a [u8]",
            "a frame has at most 4294967295 bytes; write a smaller bound",
        ),
        (
            "len: u8, #[bytes(len <= )] body: &'a [u8]",
            "a length and its bound are on the sides of `<=`; write `bytes(len <= 64KiB)`",
        ),
        (
            "#[bytes(4)] body: &'a [u8]",
            "bytes whose number is always the same are an array; write `[u8; 4]` for the type",
        ),
        (
            "len: u8, #[bytes(max = 64, len)] body: &'a [u8]",
            "a length and its bound are written together; write `bytes(len <= 64KiB)`",
        ),
        (
            "len: u8, #[bytes(len <= 64, 3)] body: &'a [u8]",
            "only `then = b\"..\"` comes behind the length; write `bytes(len <= 64KiB)`",
        ),
        (
            "#[bytes(size <= 64)] body: &'a [u8]",
            "no field `size` comes before this; add `size: u32` before `body`",
        ),
        (
            "body: u40",
            "`u40` is no integer of a frame, which has `u8`, `u16`, `u24`, `u32`, `u64`, `i8`, `i16`, `i32` and `i64`; write `[u8; 5]`",
        ),
        (
            "body: &'a mut [u8]",
            "a frame lends this from the input, and cannot change it; remove `mut`",
        ),
        (
            "body: &'b str",
            "a frame lends this from the input, for its own lifetime; write `&'a str`",
        ),
        ("body: Block<'a>", "a frame cannot contain itself; its end would have no bound"),
        (
            "body: [u16; 4]",
            "an array in a frame is of `u8`; declare a frame with a `u16`, and write `Times<'a, F>`",
        ),
        ("#[is(5u16)] body: u8", "the type of a literal is that of its field; write `5`"),
        ("#[is('x')] body: u8", "a frame has bytes and no letters; write `b'x'`"),
        ("#[is] body: u8", "`is` lacks its value; write `#[is(1)]`"),
        (
            "#[is(3)] #[varint] body: u8",
            "`#[is]` and `#[varint]` both say how the bytes are found; remove one",
        ),
        ("#[le] #[be] body: u16", "`#[le]` and `#[be]` exclude each other; remove one"),
        ("#[other] body: u16", "`#[other]` is for a variant"),
        ("#[hex(then = b\"f\")] body: u16", "what ends digits cannot begin with one"),
        (
            "#[len] body: &'a [u8]",
            "unknown attribute `len`; write `#[bytes(len <= 64KiB)]` on the bytes",
        ),
        ("#[is(1)] tag: u8", "`Tag` is an error of all frames; give `tag` another name"),
        ("a: u8, r#a: u8", "`a` is taken; give this another name"),
        (
            "a: u8, #[when(a > 1)] #[is(3)] b: Option<u8>",
            "`b` is always the same, and not always there; declare it and what follows it as a frame of its own",
        ),
    ] {
        assert_eq!(of_fields(fields), [expected], "{fields}");
    }
}

#[test]
fn one_mistake_in_the_arguments_is_one_finding() {
    let item = "enum Event<'a> { #[is(1)] Join { user: u32 }, #[other] Say { text: &'a str } }";
    for (args, expected) in [
        (
            "Events, tag = i8",
            "a tag is an unsigned integer; write `tag = u8`, `u16`, `u24`, `u32` or `u64`",
        ),
        ("Events, tag", "`tag` lacks its value; write `tag = u8`"),
        ("Events, tag = u8, tag = u8", "`tag` is here twice; remove one"),
        ("Events, tag: u8", "expected a key such as `tag = u8`"),
        (
            "Events, endian",
            "unknown key `endian`; the keys of `frame` are `le`, `tag`, `line`, `max`, `ignore_case` and `crate`",
        ),
        (
            "tag = u8",
            "`frame` lacks the name of the decoder, which comes first; write `#[frame(Events)]`",
        ),
        (
            "Events, line = b\" \", max = 64",
            "a space is between the words of a line, and cannot end it",
        ),
        ("Events, line = b\"\", max = 64", "what ends something has at least one byte"),
        ("Events, line = b\"\\n\", max = 64KB", "unknown unit `KB`; write `64KiB` or `64_000`"),
    ] {
        assert_eq!(findings(args, item), [expected], "{args}");
    }
}

#[test]
fn one_mistake_in_a_variant_is_one_finding() {
    for (variants, expected) in [
        ("#[is(1)] #[other] A { a: u8 }", "a variant has one `is` or `other`; remove one"),
        ("#[le] #[is(1)] A { a: u8 }", "`#[le]` is for a field, and `A` is a variant"),
        ("#[is(256)] A { a: u8 }", "a tag that is a `u8` is at most 255; write `tag = u16`"),
        (
            "#[is(1)] A, #[is(2 | 1)] B { #[tag] kind: u8 }",
            "`A` takes these frames; give `B` another tag",
        ),
        ("#[other] A { #[tag] kind: u16 }", "the tag is a `u8`; write `u8`"),
        ("#[is(1)] A, #[is(2)] A", "`A` is taken; give this another name"),
    ] {
        let item = format!("enum Event {{ {variants} }}");
        assert_eq!(findings("Events, tag = u8", &item), [expected], "{variants}");
    }
}

#[test]
fn one_mistake_in_a_line_of_an_enum_is_one_finding() {
    for (variants, expected) in [
        (
            "#[is(\"use\" | \"watch\")] A { a: u8 }",
            "`A` is for several first words and does not keep which; write one variant for each word",
        ),
        (
            "#[is(\"a\\n\")] A { a: u8 }",
            "the line ends within this word; write another end, or another word",
        ),
        (
            "#[is(\"5\")] A, #[other] B { b: u8 }",
            "a number in `B` may be the same word; write a word that is no number",
        ),
    ] {
        let item = format!("enum Line {{ {variants} }}");
        let found = findings("Lines, line = b\"\\n\", max = 1KiB", &item);
        assert_eq!(found, [expected], "{variants}");
    }
    let found = findings("Lines, line = b\"00\", max = 1KiB", "struct Line { a: u8 }");
    let expected = "`a` is a number, and what ends its line cannot begin with a digit";
    assert_eq!(found, [expected]);
}

#[test]
fn one_mistake_in_a_line_is_one_finding() {
    for (fields, expected) in [
        ("#[rest] a: &'a str, b: u8, c: u8", "`a` takes the rest of the line; move `b` before it"),
        (
            "len: u8, #[bytes(len <= 64)] a: &'a str, b: u8",
            "`a` comes behind the line; move `b` before it",
        ),
        (
            "#[varint] a: u8",
            "a line has numbers in decimal digits, or with `#[hex]`; remove `#[varint]`",
        ),
        ("#[decimal(then = b\" \")] a: u8", "a word ends at the next space; remove `then`"),
        ("a: bool", "a `bool` says whether a word is in the line; write `#[is(\"a\")]` over it"),
        (
            "#[is(\"x\")] a: Option<&'a str>",
            "`a` is always the same, and not always there; write `bool`, which says whether the word is there",
        ),
        ("#[is(\"a b\")] a: bool", "a word has a byte, and no space; declare each word as a field"),
        ("#[is(WORD)] a: bool", "a word that is always the same is a text; write `\"noreply\"`"),
        (
            "#[is(\"a\\nb\")] a: bool",
            "the line ends within this word; write another end, or another word",
        ),
        (
            "#[is(\"5\")] a: bool, b: u8",
            "a number behind it may be the same word; write a word that is no number",
        ),
        ("a: Words", "a frame lends this from the input, for its own lifetime; write `Words<'a>`"),
    ] {
        let item = format!("struct Line<'a> {{ {fields} }}");
        assert_eq!(findings("Lines, line = b\"\\n\", max = 1KiB", &item), [expected], "{fields}");
    }
}
