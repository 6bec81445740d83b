use std::panic::catch_unwind;

use crate::chart::Chart;
use crate::plan::Plan;
use crate::route::Drawing;
use crate::svg;

/// Begins a block of Markdown. Unlike other HTML, a comment ends a paragraph before it, and its
/// block ends with its line, not with the next blank one. We cannot count on blank lines: rustdoc
/// drops them at the ends of an attribute.
const MARK: &str = "<!-- state diagram -->";

/// Draws `text`, or says why it cannot be drawn. Either is Markdown that disturbs none before and
/// after it.
pub(crate) fn picture(text: &str) -> String {
    match Chart::parse(text) {
        // Documentation without a picture is better than none, should the layout fail.
        Ok(chart) => catch_unwind(|| draw(&chart))
            .unwrap_or_else(|_| apology("no layout was found for its states")),
        Err(why) => apology(&why.to_string()),
    }
}

/// Says in one line that there is no picture. `why` is plain text of ours: what a user wrote might
/// be Markdown.
pub(crate) fn apology(why: &str) -> String {
    format!("{MARK}\n*The state diagram could not be drawn: {why}.*\n{MARK}")
}

fn draw(chart: &Chart) -> String {
    let plan = Plan::new(chart);
    let drawing = Drawing::new(chart, &plan);
    format!("{MARK}{}", svg::write(chart, &drawing))
}

#[cfg(test)]
mod tests;
