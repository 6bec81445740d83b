use crate::chart::Chart;
use crate::plan::{PlacedNode, Plan};

/// The distance of the ends of edges from the corners of a state.
const CORNER: f64 = 10.0;
/// The distance of the ends of edges from each other, if there is room.
const APART: f64 = 14.0;

/// The horizontal positions of the two ends of an edge.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ends {
    pub(crate) source: f64,
    pub(crate) target: f64,
}

impl Ends {
    /// The ends of each edge of the chart. On each side of a state they are in the order of the
    /// lanes that the edges come from, so that edges do not cross there, and as near to their lanes
    /// as the side has room.
    pub(crate) fn of_edges(chart: &Chart, plan: &Plan) -> Vec<Self> {
        let mut all = vec![Self::default(); chart.edges.len()];
        for (node, placed) in plan.nodes.iter().enumerate() {
            let (mut above, mut below) = (Vec::new(), Vec::new());
            for (index, edge) in chart.edges.iter().enumerate() {
                let Some(lane) = &plan.lanes[index] else { continue };
                let (other, next, of_source) = if edge.source == node {
                    (edge.target, lane.waypoints.first(), true)
                } else if edge.target == node {
                    (edge.source, lane.waypoints.last(), false)
                } else {
                    continue;
                };
                let other = &plan.nodes[other];
                let wish = next.map_or(other.x, |waypoint| waypoint.x);
                let side = if other.row > placed.row { &mut below } else { &mut above };
                side.push((wish, index, of_source));
            }
            for mut side in [above, below] {
                side.sort_by(|a, b| a.0.total_cmp(&b.0));
                let wishes: Vec<_> = side.iter().map(|&(wish, ..)| wish).collect();
                for (x, (_, index, of_source)) in spread(placed, &wishes).into_iter().zip(side) {
                    let end = &mut all[index];
                    *if of_source { &mut end.source } else { &mut end.target } = x;
                }
            }
        }
        all
    }
}

/// Finds places along a side of a state, near to the wishes and in their order.
fn spread(node: &PlacedNode, wishes: &[f64]) -> Vec<f64> {
    let room = (node.size.width - 2.0 * CORNER).max(0.0);
    let (left, right) = (node.x - room / 2.0, node.x + room / 2.0);
    let gaps = u32::try_from(wishes.len().saturating_sub(1)).map_or(f64::MAX, f64::from);
    let apart = APART.min(room / gaps.max(1.0));

    let mut places: Vec<f64> = wishes.iter().map(|wish| wish.clamp(left, right)).collect();
    let mut least = left;
    for place in &mut places {
        *place = place.max(least);
        least = *place + apart;
    }
    let mut most = right;
    for place in places.iter_mut().rev() {
        *place = place.min(most);
        most = *place - apart;
    }
    places
}

#[cfg(test)]
mod tests {
    use crate::geometry::Size;

    use super::*;

    fn places(wishes: &[f64]) -> Vec<f64> {
        let size = Size { width: 80.0, height: 32.0 };
        spread(&PlacedNode { row: 0, x: 100.0, size, loops: Size::default() }, wishes)
    }

    fn same(places: &[f64], expected: &[f64]) -> bool {
        places.len() == expected.len()
            && places.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9)
    }

    #[test]
    fn ends_are_where_they_wish_to_be_if_there_is_room() {
        assert!(same(&places(&[]), &[]));
        assert!(same(&places(&[80.0, 120.0]), &[80.0, 120.0]));
        assert!(same(&places(&[0.0, 500.0]), &[70.0, 130.0]));
    }

    #[test]
    fn ends_are_apart_and_on_their_side() {
        assert!(same(&places(&[0.0, 1.0, 2.0]), &[70.0, 84.0, 98.0]));
        assert!(same(&places(&[500.0, 501.0]), &[116.0, 130.0]));
        assert!(same(
            &places(&[0.0, 1.0, 2.0, 3.0, 4.0, 500.0, 600.0]),
            &[70.0, 80.0, 90.0, 100.0, 110.0, 120.0, 130.0]
        ));
    }
}
