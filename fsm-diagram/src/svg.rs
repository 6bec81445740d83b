use std::fmt::Write as _;

use crate::chart::{Chart, Node};
use crate::geometry::{Area, Point};
use crate::lines::Lines;
use crate::plan::{HEAD, LINE, NAME, TEXT};
use crate::route::{Drawing, Step, Towards};

/// The margin around the drawing.
const MARGIN: f64 = 4.0;
/// The smallest scale, at which text can still be read. The page scrolls a picture that is wider.
const LEAST: f64 = 0.7;

/// Writes a drawing as one line of HTML.
///
/// Nothing in it has an `id`, so pictures on one page cannot disturb each other. The colours are
/// those of the text around it, and of the boxes of code in rustdoc's themes.
pub(crate) fn write(chart: &Chart, drawing: &Drawing) -> String {
    let mut html = String::new();
    // Writing to a string cannot fail.
    let _ = page(&mut html, chart, drawing);
    html
}

fn page(html: &mut String, chart: &Chart, drawing: &Drawing) -> std::fmt::Result {
    let bounds = drawing.bounds();
    let (left, top) = (Number(bounds.left() - MARGIN), Number(bounds.top() - MARGIN));
    let width = Number(bounds.size.width + 2.0 * MARGIN);
    let height = Number(bounds.size.height + 2.0 * MARGIN);
    write!(
        html,
        "<div style=\"margin:1em 0;overflow-x:auto\"><svg role=\"img\" aria-label=\"{label}\" \
         viewBox=\"{left} {top} {width} {height}\" width=\"{width}\" height=\"{height}\" \
         style=\"max-width:100%;min-width:{least}px;height:auto;font-family:var(--font-family-code,monospace)\" \
         fill=\"none\" stroke=\"none\" text-anchor=\"middle\">",
        label = Escaped(&label(chart)),
        least = Number((bounds.size.width * LEAST).round()),
    )?;
    lines(html, chart, drawing)?;
    nodes(html, chart, drawing)?;
    text(html, chart, drawing)?;
    write!(html, "</svg></div>")
}

/// Notes and the lines from them.
const DASHED: &str = " stroke-dasharray=\"4 3\"";

/// The text that a screen reader reads in place of the picture.
fn label(chart: &Chart) -> String {
    let states = chart.nodes.iter().filter_map(|node| match node {
        Node::State { name, .. } => Some(name.0.join(" ")),
        Node::Start | Node::End | Node::Note { .. } => None,
    });
    let states: Vec<_> = states.collect();
    format!("State diagram: {}", states.join(", "))
}

fn lines(html: &mut String, chart: &Chart, drawing: &Drawing) -> std::fmt::Result {
    write!(html, "<g stroke=\"currentColor\" stroke-opacity=\".7\">")?;
    for (edge, arrow) in chart.edges.iter().zip(&drawing.arrows) {
        let dashed = if chart.is_of_note(edge) { DASHED } else { "" };
        write!(html, "<path{dashed} d=\"")?;
        for step in &arrow.line {
            match step {
                Step::Move(end) => write!(html, "M{end}")?,
                Step::Line(end) => write!(html, "L{end}")?,
                Step::Curve(a, b, end) => write!(html, "C{a} {b} {end}")?,
            }
        }
        write!(html, "\"/>")?;
    }
    write!(html, "</g><path fill=\"currentColor\" fill-opacity=\".85\" d=\"")?;
    let (long, half, wide) = (HEAD, HEAD / 2.0, HEAD);
    for arrow in &drawing.arrows {
        write!(html, "M{}", arrow.tip)?;
        match arrow.towards {
            Towards::Down => write!(html, "l-{half}-{long}h{wide}z")?,
            Towards::Up => write!(html, "l-{half} {long}h{wide}z")?,
            Towards::Right => write!(html, "l-{long}-{half}v{wide}z")?,
            Towards::Left => write!(html, "l{long}-{half}v{wide}z")?,
        }
    }
    write!(html, "\"/>")
}

fn nodes(html: &mut String, chart: &Chart, drawing: &Drawing) -> std::fmt::Result {
    write!(
        html,
        "<g stroke=\"currentColor\" style=\"fill:var(--code-block-background-color,transparent)\">"
    )?;
    for (index, (node, area)) in chart.nodes.iter().zip(&drawing.nodes).enumerate() {
        let (x, y) = (Number(area.middle.x), Number(area.middle.y));
        let radius = Number(area.size.width / 2.0);
        let dot = "fill=\"currentColor\" stroke=\"none\"";
        match node {
            Node::Start => write!(html, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" {dot}/>")?,
            Node::End => write!(
                html,
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\"/>\
                 <circle cx=\"{x}\" cy=\"{y}\" r=\"5\" {dot}/>",
            )?,
            Node::State { .. } => rectangle(html, area, " rx=\"6\"", chart.title(index))?,
            Node::Note { .. } => rectangle(html, area, DASHED, chart.title(index))?,
        }
    }
    write!(html, "</g>")
}

fn rectangle(
    html: &mut String,
    area: &Area,
    style: &str,
    title: Option<String>,
) -> std::fmt::Result {
    let (x, y) = (Number(area.left()), Number(area.top()));
    let (width, height) = (Number(area.size.width), Number(area.size.height));
    write!(html, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{style}")?;
    match title {
        Some(title) => write!(html, "><title>{}</title></rect>", Escaped(&title)),
        None => write!(html, "/>"),
    }
}

fn text(html: &mut String, chart: &Chart, drawing: &Drawing) -> std::fmt::Result {
    // The pointer is on the state, whose title is shown.
    let text = "<g fill=\"currentColor\" pointer-events=\"none\"";
    write!(html, "{text} font-size=\"{NAME}\">")?;
    for (node, area) in chart.nodes.iter().zip(&drawing.nodes) {
        if let Node::State { name, text } = node {
            let top = area.middle.y - f64::midpoint(name.len() * (LINE + 2.0), text.len() * LINE);
            stack(html, name, area.middle.x, top, NAME)?;
        }
    }
    write!(html, "</g>{text} font-size=\"{TEXT}\">")?;
    for (node, area) in chart.nodes.iter().zip(&drawing.nodes) {
        match node {
            Node::State { name, text } => {
                let height = name.len() * (LINE + 2.0);
                let top = area.middle.y + (height - text.len() * LINE) / 2.0;
                stack(html, text, area.middle.x, top, TEXT)?;
            }
            Node::Note { text } => stack(html, text, area.middle.x, area.top() + 4.0, TEXT)?,
            Node::Start | Node::End => {}
        }
    }
    for (edge, arrow) in chart.edges.iter().zip(&drawing.arrows) {
        if let Some(Area { middle, .. }) = arrow.label {
            let top = middle.y - edge.label.len() * LINE / 2.0;
            stack(html, &edge.label, middle.x, top, TEXT)?;
        }
    }
    write!(html, "</g>")
}

/// Lines below each other.
fn stack(html: &mut String, lines: &Lines, x: f64, top: f64, size: f64) -> std::fmt::Result {
    let height = LINE + size - TEXT;
    // Letters stand on a line about a third of their size below their middle.
    let mut y = top + height / 2.0 + size * 0.34;
    for line in &lines.0 {
        let (x, height) = (Number(x), Number(y));
        write!(html, "<text x=\"{x}\" y=\"{height}\">{}</text>", Escaped(line))?;
        y += LINE + size - TEXT;
    }
    Ok(())
}

/// A number with at most one decimal place.
struct Number(f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Adding zero makes a negative one positive.
        write!(f, "{}", (self.0 * 10.0).round() / 10.0 + 0.0)
    }
}

impl std::fmt::Display for Point {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", Number(self.x), Number(self.y))
    }
}

/// Text within HTML or an attribute in double quotes.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
