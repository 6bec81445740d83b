use std::fmt::Debug;

use plotters::prelude::*;

use crate::{Error, Figure, Peer};

const WIDTH: u32 = 760;
const ROW: u32 = 30;
/// What is above the bars, and below.
const HEAD: u32 = 44;
const FOOT: u32 = 12;
/// Where bars begin, and the longest one.
const LEFT: i32 = 150;
const LONGEST: f64 = 480.0;
/// Colours that can be read on white and on black: the background shows through.
const TEXT: RGBColor = RGBColor(0x73, 0x7b, 0x86);
const OURS: RGBColor = RGBColor(0xd9, 0x7a, 0x1d);
const OTHERS: RGBColor = RGBColor(0x5b, 0x8d, 0xb8);

/// A bar for each peer, ours in another colour.
pub(crate) fn picture(figure: &Figure) -> Result<String, Error> {
    let mut svg = String::new();
    let height = HEAD + FOOT + ROW * u32::try_from(figure.values.len()).unwrap_or(0);
    draw(figure, &SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area())
        .map_err(|error| Error::failed(format!("picture of {}: {error:?}", figure.name)))?;
    Ok(svg)
}

fn draw<B: DrawingBackend>(
    figure: &Figure,
    area: &DrawingArea<B, plotters::coord::Shift>,
) -> Result<(), impl Debug + use<B>> {
    let text = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
    let title = format!("{} ({})", figure.what, figure.unit.word());
    area.draw(&Text::new(title, (12, 12), text(20)))?;
    let most = figure.values.iter().map(|(_, value)| value.most).fold(0.0, f64::max);
    for (row, (peer, value)) in (0i32..).zip(&figure.values) {
        let top = HEAD.cast_signed() + row * ROW.cast_signed();
        let right = across(value.median, most);
        let colour = if *peer == Peer::Ours { OURS } else { OTHERS };
        let bar = [(LEFT, top), (right.max(LEFT + 1), top + 20)];
        area.draw(&Rectangle::new(bar, colour.filled()))?;
        // From the least to the most of the runs.
        let range =
            vec![(across(value.least, most), top + 10), (across(value.most, most), top + 10)];
        area.draw(&PathElement::new(range, TEXT.stroke_width(2)))?;
        area.draw(&Text::new(peer.word(), (12, top + 3), text(17)))?;
        let number = super::markdown::number(value.median);
        area.draw(&Text::new(number, (across(value.most, most) + 8, top + 3), text(17)))?;
    }
    area.present()
}

/// How far to the right a value is.
fn across(value: f64, most: f64) -> i32 {
    let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "at most LONGEST")]
    let length = (share * LONGEST).round() as i32;
    LEFT + length
}
