//! The layout in the docs of a decoder: a table, and the fixed fields as RFCs draw them.

use std::fmt::Write;

use super::super::ast::{Case, Field, Frame, Kind, Labels, Literal, Value};
use super::names::text;
use super::size::Sum;
use crate::spelling;

/// The number of bytes in a row of a drawing.
const ROW: usize = 4;

/// The docs in Markdown.
pub(crate) fn picture(frame: &Frame) -> String {
    let mut out = String::new();
    if let Some(line) = &frame.line {
        let _ = writeln!(
            out,
            "A line of words with one space between them, and {} at its end.\n",
            spelling::choice(line.ends.all().map(|end| spelling::tokens(&end.tokens)))
        );
    }
    for case in &frame.cases {
        if frame.is_enum {
            let tags = tags(case);
            let _ = writeln!(out, "**{}**: {tags}\n", text(&case.name));
        }
        if case.fields.is_empty() {
            continue;
        }
        if frame.line.is_none() {
            draw(frame, case, &mut out);
        }
        table(frame, case, &mut out);
    }
    out
}

fn tags(case: &Case) -> String {
    match &case.labels {
        Labels::Are(labels) => {
            let labels = labels.iter().map(written).collect::<Vec<_>>();
            spelling::choice(labels)
        }
        _ => "anything else".to_owned(),
    }
}

fn written(literal: &Literal) -> String {
    match &literal.value {
        Value::Bytes(bytes) => format!("\"{}\"", bytes.escape_ascii()),
        _ => spelling::tokens(&literal.place),
    }
}

fn table(frame: &Frame, case: &Case, out: &mut String) {
    out.push_str("| field | bytes | is |\n|---|---|---|\n");
    for field in &case.fields {
        let bytes = match (&frame.line, field.least(frame), field.most(frame)) {
            (Some(_), ..) if !matches!(field.kind, Kind::Bytes { .. }) => "a word".to_owned(),
            (_, least, most) => range(field, &least, &most),
        };
        let is = field.text.replace('|', "\\|");
        let _ = writeln!(out, "| `{}` | {bytes} | `{is}` |", text(&field.name));
    }
    out.push('\n');
}

fn range(field: &Field, least: &Sum, most: &Sum) -> String {
    if matches!(field.kind, Kind::Rest { .. } | Kind::Times { counted: None, .. }) {
        return "the rest".to_owned();
    }
    match (least.as_known(), most.as_known()) {
        (Some(least), Some(most)) if least == most => least.to_string(),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        _ => "varies".to_owned(),
    }
}

/// Draws the fields of known width, four bytes in a row, up to the first that varies.
fn draw(frame: &Frame, case: &Case, out: &mut String) {
    let mut cells: Vec<(String, usize)> = Vec::new();
    let width = |size: &Sum| size.as_known().and_then(|known| usize::try_from(known).ok());
    if let Some(tag) = &frame.tag {
        cells.push(("tag".to_owned(), tag.width));
    }
    for field in &case.fields {
        match (width(&field.least(frame)), width(&field.most(frame))) {
            (Some(least), Some(most)) if least == most && (1..=16).contains(&most) => {
                cells.push((text(&field.name), most));
            }
            _ => {
                cells.push((format!("{} ..", text(&field.name)), 0));
            }
        }
    }
    out.push_str("```text\n 0               1               2               3\n");
    let mut row = String::from("|");
    let (mut used, mut border) = (0, border());
    out.push_str(&border);
    for (name, width) in cells {
        if width == 0 {
            if used > 0 {
                let _ = writeln!(out, "{row}");
                out.push_str(&border);
            }
            let _ = writeln!(out, "|{name:^63}|");
            out.push_str(&border);
            (row, used) = ("|".to_owned(), 0);
            continue;
        }
        let mut left = width;
        while left > 0 {
            let now = left.min(ROW - used);
            let columns = 16 * now - 1;
            let name = if left == width { name.as_str() } else { "" };
            let shown: String = name.chars().take(columns).collect();
            let _ = write!(row, "{shown:^columns$}|");
            used += now;
            left -= now;
            if used == ROW {
                let _ = writeln!(out, "{row}");
                out.push_str(&border);
                (row, used) = ("|".to_owned(), 0);
            }
        }
    }
    if used > 0 {
        let _ = writeln!(out, "{row}");
        border.truncate(16 * used + 1);
        let _ = writeln!(out, "{border}");
    }
    out.push_str("```\n\n");
}

fn border() -> String {
    format!("{}+\n", "+-".repeat(32))
}

#[cfg(test)]
mod tests {
    use crate::errors::Errors;
    use crate::frame::parse;

    #[test]
    fn f7_the_layout_is_drawn() {
        let item = "struct Block<'a> {
            #[is(0xB10C)] magic: u16, kind: u8, flags: u8, len: u24,
            #[bytes(len <= 64KiB)] body: &'a [u8], last: u8 }";
        let mut errors = Errors::default();
        let item = syn::parse_str(item).unwrap();
        let frame = parse::parse("Blocks".parse().unwrap(), item, &mut errors).unwrap();
        assert_eq!(errors.messages(), [""; 0]);
        let drawn = super::picture(&frame);
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(
            lines[..13],
            [
                "```text",
                " 0               1               2               3",
                "+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+",
                "|             magic             |     kind      |     flags     |",
                "+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+",
                "|                      len                      |",
                "+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+",
                "|                            body ..                            |",
                "+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+",
                "|     last      |",
                "+-+-+-+-+-+-+-+-+",
                "```",
                "",
            ]
        );
        assert_eq!(lines[13], "| field | bytes | is |");
        assert!(lines[19].starts_with("| `body` | 0 to 65536 |"), "{drawn}");
    }
}
