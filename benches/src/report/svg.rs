use std::fmt::Debug;

use plotters::prelude::*;

use super::number;
use crate::error::Error;
use crate::figure::{Figure, Measured};
use crate::peer::Peer;

const WIDTH: u32 = 760;
const ROW: u32 = 30;
/// Heights above and below the bars.
const HEAD: u32 = 44;
const FOOT: u32 = 12;
/// The left end of the bars, and the length of the longest one.
const LEFT: i32 = 150;
const LONGEST: f64 = 480.0;
/// Colours that are readable on white and on black, because the background is transparent.
const TEXT: RGBColor = RGBColor(0x73, 0x7b, 0x86);
const OURS: RGBColor = RGBColor(0xd9, 0x7a, 0x1d);
const OTHERS: RGBColor = RGBColor(0x5b, 0x8d, 0xb8);

/// Draws a bar for each peer, ours in another colour.
pub(crate) fn picture(figure: &Figure) -> Result<String, Error> {
    let mut svg = String::new();
    let rows = u32::try_from(figure.series.measured.len()).unwrap_or(0);
    let height = HEAD + FOOT + ROW * rows;
    draw(figure, &SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area())
        .map_err(|error| Error::failed(format!("picture of {}: {error:?}", figure.name)))?;
    Ok(svg)
}

fn draw<B: DrawingBackend>(
    figure: &Figure,
    area: &DrawingArea<B, plotters::coord::Shift>,
) -> Result<(), impl Debug + use<B>> {
    let text = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
    let title = format!("{} ({})", figure.title, figure.unit.label());
    area.draw(&Text::new(title, (12, 12), text(20)))?;
    let measured = &figure.series.measured;
    let largest = measured.iter().map(|measured| measured.value.max).fold(0.0, f64::max);
    for (row, Measured { peer, value }) in (0i32..).zip(measured) {
        let top = HEAD.cast_signed() + row * ROW.cast_signed();
        let [min, median, max] =
            [value.min, value.median, value.max].map(|value| position(value, largest));
        let colour = if *peer == Peer::Ours { OURS } else { OTHERS };
        let bar = [(LEFT, top), (median.max(LEFT + 1), top + 20)];
        area.draw(&Rectangle::new(bar, colour.filled()))?;
        let range = vec![(min, top + 10), (max, top + 10)];
        area.draw(&PathElement::new(range, TEXT.stroke_width(2)))?;
        area.draw(&Text::new(peer.name(), (12, top + 3), text(17)))?;
        let label = number::format(value.median);
        area.draw(&Text::new(label, (max + 8, top + 3), text(17)))?;
    }
    area.present()
}

/// The horizontal position of a value.
fn position(value: f64, largest: f64) -> i32 {
    let share = if largest > 0.0 { (value / largest).clamp(0.0, 1.0) } else { 0.0 };
    #[expect(clippy::cast_possible_truncation, reason = "at most LONGEST")]
    let length = (share * LONGEST).round() as i32;
    LEFT + length
}
