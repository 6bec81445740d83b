use dagre::graph::{Edge as Link, Graph, GraphOptions};
use dagre::layout::types::LabelPos;
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, layout};

use crate::chart::{Chart, Edge, Node};

/// The size of the font of names, and of all other text.
pub(crate) const NAME: f64 = 14.0;
pub(crate) const TEXT: f64 = 12.0;
/// From line to line.
pub(crate) const LINE: f64 = 15.0;

/// What stands in which row, and how far to the right. The rows have no height yet: how much room
/// is needed between two of them shows when the edges are led through.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) spots: Vec<Spot>,
    /// A lane for each edge of the chart; none for one that leads back to its source.
    pub(crate) lanes: Vec<Option<Lane>>,
    pub(crate) rows: usize,
}

/// Where a node stands. Its loops stand to the right of it.
#[derive(Debug)]
pub(crate) struct Spot {
    pub(crate) row: usize,
    /// The middle of the node, without its loops.
    pub(crate) x: f64,
    pub(crate) size: Size,
    /// How much room the loops take.
    pub(crate) loops: Size,
}

/// The way of an edge through the rows between its source and its target.
#[derive(Debug)]
pub(crate) struct Lane {
    /// Rows and middles, in the order in which the edge comes through.
    pub(crate) stops: Vec<(usize, f64)>,
    /// The row of the label.
    pub(crate) label: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Plan {
    pub(crate) fn new(chart: &Chart) -> Self {
        let kind = GraphOptions { directed: true, multigraph: true, compound: false };
        let mut graph = Graph::with_options(kind);
        for (index, node) in chart.nodes.iter().enumerate() {
            let (size, loops) = (Size::of_node(node), Size::of_loops(chart, index));
            let place = NodeLabel {
                width: size.width + loops.width,
                height: size.height.max(loops.height),
                ..NodeLabel::default()
            };
            graph.set_node(key(index), Some(place));
        }
        let links = chart.edges.iter().enumerate().filter(|(_, edge)| !edge.is_loop());
        for (index, edge) in links {
            let size = Size::of_label(edge);
            let place = EdgeLabel {
                width: size.width,
                height: size.height,
                labelpos: LabelPos::Center,
                ..EdgeLabel::default()
            };
            let link = edge.link(index);
            graph.set_edge(link.v, link.w, Some(place), link.name.as_deref());
        }
        let options = LayoutOptions { nodesep: 28.0, edgesep: 14.0, ..LayoutOptions::default() };
        layout(&mut graph, Some(options));
        Self::read(chart, &graph)
    }

    /// Takes rows and middles from a graph that has a layout.
    fn read(chart: &Chart, graph: &Graph<NodeLabel, EdgeLabel>) -> Self {
        let places: Vec<_> = (0..chart.nodes.len()).map(|index| place(graph, index)).collect();
        let ways: Vec<_> = chart.edges.iter().enumerate().map(|(i, e)| way(graph, i, e)).collect();

        let points = ways.iter().flatten().flat_map(|(inner, _)| inner);
        let mut heights: Vec<f64> = points.chain(&places).map(|&(_, y)| y).collect();
        heights.sort_by(f64::total_cmp);
        heights.dedup_by(|a, b| (*a - *b).abs() < 0.5);
        // The first that is not above `y`: what was taken for the same is less than 0.5 below it.
        let row = |y: f64| heights.partition_point(|&height| height + 0.5 <= y);

        let spots = places.iter().enumerate().map(|(index, &(x, y))| {
            let (size, loops) =
                (Size::of_node(&chart.nodes[index]), Size::of_loops(chart, index));
            Spot { row: row(y), x: x - loops.width / 2.0, size, loops }
        });
        let spots: Vec<_> = spots.collect();
        let lanes = ways.iter().zip(&chart.edges).map(|(way, edge)| {
            let (inner, label) = way.as_ref()?;
            let (first, last) = (spots[edge.source].row, spots[edge.target].row);
            let between = first.min(last) + 1..first.max(last);
            let stops = inner.iter().map(|&(x, y)| (row(y), x));
            let stops = stops.filter(|(row, _)| between.contains(row)).collect();
            Some(Lane { stops, label: label.map(row) })
        });
        let lanes = lanes.collect();
        Self { spots, lanes, rows: heights.len() }
    }
}

impl Size {
    fn of_node(node: &Node) -> Self {
        match node {
            Node::Start => Self { width: 14.0, height: 14.0 },
            Node::End => Self { width: 18.0, height: 18.0 },
            Node::State { name, text } => Self {
                width: (name.width(NAME).max(text.width(TEXT)) + 24.0).max(56.0),
                height: 14.0 + name.len() * (LINE + 2.0) + text.len() * LINE,
            },
        }
    }

    /// The size of a label; none without one.
    pub(crate) fn of_label(edge: &Edge) -> Self {
        if edge.label.is_empty() {
            return Self::default();
        }
        Self { width: edge.label.width(TEXT) + 8.0, height: edge.label.len() * LINE + 4.0 }
    }

    /// How much room the edges take that lead from a node to itself.
    fn of_loops(chart: &Chart, node: usize) -> Self {
        let loops = chart.edges.iter().filter(|edge| edge.is_loop() && edge.source == node);
        let sizes: Vec<_> = loops.map(Self::of_label).collect();
        let [width, height] = [|size: &Self| size.width, |size: &Self| size.height]
            .map(|side| sizes.iter().map(side).fold(0.0, f64::max));
        Self { width: loops_reach(sizes.len()) + width, height }
    }
}

/// How far so many loops reach to the right of their state, before the label.
pub(crate) fn loops_reach(count: usize) -> f64 {
    match count {
        0 => 0.0,
        1 => 22.0,
        _ => 32.0,
    }
}

impl Edge {
    pub(crate) fn is_loop(&self) -> bool {
        self.source == self.target
    }

    fn link(&self, index: usize) -> Link {
        Link::with_name(key(self.source), key(self.target), key(index))
    }
}

/// A name for dagre. Where it sorts names, they shall be in our order.
fn key(index: usize) -> String {
    format!("{index:04}")
}

type Point = (f64, f64);

fn place(graph: &Graph<NodeLabel, EdgeLabel>, index: usize) -> Point {
    let place = graph.node(&key(index)).and_then(|node| node.x.zip(node.y));
    place.expect("a layout places each node")
}

/// The points of an edge between its ends, and how far down its label is.
fn way(
    graph: &Graph<NodeLabel, EdgeLabel>,
    index: usize,
    edge: &Edge,
) -> Option<(Vec<Point>, Option<f64>)> {
    if edge.is_loop() {
        return None;
    }
    let link = edge.link(index);
    let way = graph.edge(&link.v, &link.w, link.name.as_deref());
    let way = way.expect("a layout keeps each edge");
    // The ends are on the sides of the states; we choose others.
    let inner = way.points.iter().skip(1).take(way.points.len().saturating_sub(2));
    let label = way.y.filter(|_| !edge.label.is_empty());
    Some((inner.map(|point| (point.x, point.y)).collect(), label))
}
