use std::panic::catch_unwind;

use crate::chart::Chart;
use crate::geometry::Flow;
use crate::plan::Plan;
use crate::route::Drawing;
use crate::svg;

/// Begins a block of Markdown. Unlike other HTML, a comment ends a paragraph before it, and its
/// block ends with its line, not with the next blank one. Blank lines are no help, because rustdoc
/// drops them at the ends of an attribute.
const MARK: &str = "<!-- state diagram -->";

/// The width of a page of documentation. A machine that is wider when drawn from top to bottom, as one is in
/// which a state leads to many others, is drawn from left to right.
const PAGE: f64 = 920.0;

/// Draws `text`, or returns a line that says why it cannot be drawn. Both are Markdown that leaves
/// the Markdown before and after it as it is.
pub(crate) fn picture(text: &str) -> String {
    match Chart::parse(text) {
        // If the layout fails, documentation without a picture is better than none.
        Ok(chart) => catch_unwind(|| draw(&chart))
            .unwrap_or_else(|_| error_line("no layout was found for its states")),
        Err(why) => error_line(&why.to_string()),
    }
}

/// The line in place of a picture. `why` is plain text of this crate, because a user's text might
/// be Markdown.
pub(crate) fn error_line(why: &str) -> String {
    format!("{MARK}\n*The state diagram could not be drawn: {why}.*\n{MARK}")
}

fn draw(chart: &Chart) -> String {
    let drawn = |flow| Drawing::new(chart, &Plan::new(chart, flow));
    let width = |drawing: &Drawing| drawing.bounds().size.width;
    let mut drawing = drawn(Flow::Down);
    if width(&drawing) > PAGE {
        let right = drawn(Flow::Right);
        if width(&right) < width(&drawing) {
            drawing = right;
        }
    }
    format!("{MARK}{}", svg::write(chart, &drawing))
}

#[cfg(test)]
mod tests;
