use std::sync::LazyLock;

use crate::plan::Plan;
use crate::sample::{Dice, EIGHT, FIFTEEN, FORTY, THREE, machine};

use super::*;

static DRAWINGS: LazyLock<Vec<(Chart, Drawing)>> = LazyLock::new(|| {
    let mut texts: Vec<_> = [THREE, EIGHT, FIFTEEN, FORTY].map(str::to_owned).into();
    texts.extend((1..30).map(|seed| machine(1 + seed % 20, &mut Dice::new(seed as u64))));
    let drawn = texts.iter().flat_map(|text| {
        [Flow::Down, Flow::Right].map(|flow| {
            let chart = Chart::parse(text).unwrap();
            let drawing = Drawing::new(&chart, &Plan::new(&chart, flow));
            (chart, drawing)
        })
    });
    drawn.collect()
});

/// Points along a line, near to each other.
fn points(line: &[Step]) -> Vec<Point> {
    let mut points = Vec::new();
    let mut at = Point { x: f64::NAN, y: f64::NAN };
    for step in line {
        let from = at;
        let mix = |parts: &[(Point, f64)]| Point {
            x: parts.iter().map(|(point, part)| point.x * part).sum(),
            y: parts.iter().map(|(point, part)| point.y * part).sum(),
        };
        for part in 0..=100 {
            let t = f64::from(part) / 100.0;
            let u = 1.0 - t;
            points.push(match *step {
                Step::Move(end) => end,
                Step::Line(end) => mix(&[(from, u), (end, t)]),
                Step::Curve(a, b, end) => mix(&[
                    (from, u * u * u),
                    (a, 3.0 * u * u * t),
                    (b, 3.0 * u * t * t),
                    (end, t * t * t),
                ]),
            });
        }
        at = *points.last().unwrap();
    }
    points
}

impl Area {
    /// Whether the point is in it, not just on its side.
    fn holds(&self, point: Point) -> bool {
        (self.left() + 0.5..self.right() - 0.5).contains(&point.x)
            && (self.top() + 0.5..self.bottom() - 0.5).contains(&point.y)
    }

    fn meets(&self, other: &Self) -> bool {
        self.left() < other.right()
            && other.left() < self.right()
            && self.top() < other.bottom()
            && other.top() < self.bottom()
    }
}

#[test]
fn no_edge_touches_a_state_or_a_label() {
    for (chart, drawing) in DRAWINGS.iter() {
        let labels: Vec<_> = drawing.arrows.iter().filter_map(|arrow| arrow.label).collect();
        for (edge, arrow) in chart.edges.iter().zip(&drawing.arrows) {
            for point in points(&arrow.line) {
                let mut areas = drawing.nodes.iter().chain(&labels);
                let hit = areas.find(|area| area.holds(point));
                assert!(hit.is_none(), "{edge:?} at {point:?} touches {hit:?}");
            }
        }
    }
}

#[test]
fn states_and_labels_do_not_overlap() {
    for (chart, drawing) in DRAWINGS.iter() {
        let labels = drawing.arrows.iter().filter_map(|arrow| arrow.label);
        let areas: Vec<_> = drawing.nodes.iter().copied().chain(labels).collect();
        for (index, area) in areas.iter().enumerate() {
            let hit = areas[..index].iter().find(|other| other.meets(area));
            assert!(hit.is_none(), "{area:?} meets {hit:?} in {chart:?}");
        }
    }
}

#[test]
fn edges_lead_from_their_source_to_their_target() {
    for (chart, drawing) in DRAWINGS.iter() {
        for (edge, arrow) in chart.edges.iter().zip(&drawing.arrows) {
            let Step::Move(start) = arrow.line[0] else { panic!("{arrow:?}") };
            for (end, node) in [(start, edge.source), (arrow.tip, edge.target)] {
                let node = drawing.nodes[node];
                let across = (end.x - node.middle.x).abs() / (node.size.width / 2.0);
                let down = (end.y - node.middle.y).abs() / (node.size.height / 2.0);
                assert!((across.max(down) - 1.0).abs() < 1e-6, "{edge:?}: {end:?} at {node:?}");
            }
            // The head joins the line.
            let neck = *points(&arrow.line).last().unwrap();
            let away = (neck.x - arrow.tip.x).abs() + (neck.y - arrow.tip.y).abs();
            assert!((away - HEAD).abs() < 0.1, "{edge:?}: {neck:?} to {:?}", arrow.tip);
        }
    }
}

#[test]
fn labels_are_at_their_edges() {
    for (chart, drawing) in DRAWINGS.iter() {
        for (edge, arrow) in chart.edges.iter().zip(&drawing.arrows) {
            assert_eq!(arrow.label.is_some(), !edge.label.is_empty(), "{edge:?}");
            let Some(label) = arrow.label else { continue };
            let near = |point: &Point| {
                let across = (point.x - label.middle.x).abs() - label.size.width / 2.0;
                let down = (point.y - label.middle.y).abs() - label.size.height / 2.0;
                across.max(down) < 12.0
            };
            assert!(points(&arrow.line).iter().any(near), "{edge:?}: {arrow:?}");
        }
    }
}

#[test]
fn everything_is_within_the_bounds() {
    for (_, drawing) in DRAWINGS.iter() {
        let bounds = drawing.bounds();
        let within = |area: &Area| {
            area.left() >= bounds.left() - 1e-6
                && area.right() <= bounds.right() + 1e-6
                && area.top() >= bounds.top() - 1e-6
                && area.bottom() <= bounds.bottom() + 1e-6
        };
        assert!(drawing.nodes.iter().all(within));
        assert!(drawing.arrows.iter().filter_map(|arrow| arrow.label).all(|area| within(&area)));
        let points = drawing.arrows.iter().flat_map(|arrow| points(&arrow.line));
        let size = Size::default();
        assert!(points.map(|middle| Area { middle, size }).all(|area| within(&area)));
    }
}
