use dagre_dgl_rs::{Edge as Link, EdgeLabel, Graph, GraphLabel, NodeLabel, layout};

use crate::chart::{Chart, Edge, Node};
use crate::geometry::{Flow, Point, Size};

/// The size of the font of names, and of all other text.
pub(crate) const NAME: f64 = 14.0;
pub(crate) const TEXT: f64 = 12.0;
/// From line to line.
pub(crate) const LINE: f64 = 15.0;
/// The length and the width of the head of an arrow.
pub(crate) const HEAD: f64 = 8.0;

/// The row and the horizontal position of each node, as if the machine flowed down. The rows have no height yet, because the
/// routes of the edges decide how much room two rows need between them.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) flow: Flow,
    pub(crate) nodes: Vec<PlacedNode>,
    /// A lane for each edge of the chart; none for one that leads back to its source.
    pub(crate) lanes: Vec<Option<Lane>>,
    pub(crate) rows: usize,
}

/// The place of a node, with its loops to the right of it.
#[derive(Debug)]
pub(crate) struct PlacedNode {
    pub(crate) row: usize,
    /// The middle of the node, without its loops.
    pub(crate) x: f64,
    pub(crate) size: Size,
    /// The room that the loops take.
    pub(crate) loops: Size,
}

/// The path of an edge through the rows between its source and its target.
#[derive(Debug)]
pub(crate) struct Lane {
    /// One for each row, in the order from the source to the target.
    pub(crate) waypoints: Vec<Waypoint>,
    /// The row of the label.
    pub(crate) label: Option<usize>,
}

/// The horizontal position of an edge in a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waypoint {
    pub(crate) row: usize,
    pub(crate) x: f64,
}

impl Plan {
    pub(crate) fn new(chart: &Chart, flow: Flow) -> Self {
        // Directed, with more than one edge between two nodes, without nodes in nodes.
        let mut graph = Graph::with_options(true, true, false);
        graph.set_graph(GraphLabel {
            nodesep: Some(if flow == Flow::Down { 28.0 } else { 16.0 }),
            edgesep: Some(14.0),
            ranksep: Some(50.0),
            ..GraphLabel::default()
        });
        for index in 0..chart.nodes.len() {
            let (size, loops) =
                (Size::of_node(chart, index, flow), Size::of_loops(chart, index, flow));
            let place = NodeLabel {
                width: size.width + loops.width,
                height: size.height.max(loops.height),
                ..NodeLabel::default()
            };
            graph.set_node(&key(index), place);
        }
        let links = chart.edges.iter().enumerate().filter(|(_, edge)| !edge.is_loop());
        for (index, edge) in links {
            let size = Size::of_label(edge, flow);
            let place = EdgeLabel {
                width: Some(size.width),
                height: Some(size.height),
                labelpos: Some("c".to_owned()),
                minlen: Some(1),
                weight: Some(1.0),
                ..EdgeLabel::default()
            };
            graph.set_edge_obj(&edge.link(index), place);
        }
        layout(&mut graph);
        Self::read(chart, flow, &graph)
    }

    /// Takes rows and middles from a graph that has a layout.
    fn read(chart: &Chart, flow: Flow, graph: &Graph) -> Self {
        let places: Vec<_> = (0..chart.nodes.len()).map(|index| place(graph, index)).collect();
        let paths = chart.edges.iter().enumerate();
        let paths: Vec<_> = paths.map(|(index, edge)| Path::read(graph, index, edge)).collect();

        let points = paths.iter().flatten().flat_map(|path| &path.inner);
        let mut heights: Vec<f64> = points.chain(&places).map(|point| point.y).collect();
        heights.sort_by(f64::total_cmp);
        heights.dedup_by(|a, b| (*a - *b).abs() < 0.5);
        // Points in the same row are less than 0.5 apart.
        let row = |y: f64| heights.partition_point(|&height| height + 0.5 <= y);

        let nodes = places.iter().enumerate().map(|(index, place)| {
            let (size, loops) =
                (Size::of_node(chart, index, flow), Size::of_loops(chart, index, flow));
            PlacedNode { row: row(place.y), x: place.x - loops.width / 2.0, size, loops }
        });
        let nodes: Vec<_> = nodes.collect();
        let lanes = paths.iter().zip(&chart.edges).map(|(path, edge)| {
            let path = path.as_ref()?;
            let (first, last) = (nodes[edge.source].row, nodes[edge.target].row);
            let between = first.min(last) + 1..first.max(last);
            let waypoints =
                path.inner.iter().map(|point| Waypoint { row: row(point.y), x: point.x });
            let waypoints = waypoints.filter(|waypoint| between.contains(&waypoint.row)).collect();
            Some(Lane { waypoints, label: path.label.map(row) })
        });
        let lanes = lanes.collect();
        Self { flow, nodes, lanes, rows: heights.len() }
    }
}

impl Size {
    fn of_node(chart: &Chart, index: usize, flow: Flow) -> Self {
        let (name, text) = match &chart.nodes[index] {
            Node::Start => return Self { width: 14.0, height: 14.0 },
            Node::End => return Self { width: 18.0, height: 18.0 },
            Node::Note { text } => {
                let (width, height) = (text.width(TEXT) + 16.0, text.len() * LINE + 8.0);
                return Self { width, height }.turned(flow);
            }
            Node::State { name, text } => (name, text),
        };
        let width = name.width(NAME).max(text.width(TEXT)) + 24.0;
        let height = 14.0 + name.len() * (LINE + 2.0) + text.len() * LINE;
        let size = Self { width: width.max(56.0), height }.turned(flow);
        // Room for all ends on one side, and for two loops beside it.
        let ends = chart.edges.iter().filter(|edge| edge.is_end(index)).count();
        let ends = f64::from(u32::try_from(ends).unwrap_or(u32::MAX)) * HEAD + 20.0;
        let loops = chart.edges.iter().filter(|edge| edge.is_loop_at(index)).count();
        let least = if loops > 1 { 40.0 } else { 0.0 };
        Self { width: size.width.max(ends), height: size.height.max(least) }
    }

    /// The size of a label; none without one.
    pub(crate) fn of_label(edge: &Edge, flow: Flow) -> Self {
        if edge.label.is_empty() {
            return Self::default();
        }
        let (width, height) = (edge.label.width(TEXT) + 8.0, edge.label.len() * LINE + 4.0);
        Self { width, height }.turned(flow)
    }

    /// The room that the edges from a node to itself take.
    fn of_loops(chart: &Chart, node: usize, flow: Flow) -> Self {
        let loops = chart.edges.iter().filter(|edge| edge.is_loop_at(node));
        let sizes: Vec<_> = loops.map(|edge| Self::of_label(edge, flow)).collect();
        let [width, height] = [|size: &Self| size.width, |size: &Self| size.height]
            .map(|side| sizes.iter().map(side).fold(0.0, f64::max));
        Self { width: loops_reach(sizes.len()) + width, height }
    }
}

/// The distance that this number of loops reaches to the right of their state, before the label.
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

    pub(crate) fn is_loop_at(&self, node: usize) -> bool {
        self.is_loop() && self.source == node
    }

    /// Whether it leads from or to the node, and not both.
    fn is_end(&self, node: usize) -> bool {
        !self.is_loop() && (self.source == node || self.target == node)
    }

    fn link(&self, index: usize) -> Link {
        Link { v: key(self.source), w: key(self.target), name: Some(key(index)) }
    }
}

/// A name for dagre. dagre sorts by name, so names keep the order of the indexes.
fn key(index: usize) -> String {
    format!("{index:04}")
}

fn place(graph: &Graph, index: usize) -> Point {
    let place = graph.node_opt(&key(index)).and_then(|node| node.x.zip(node.y));
    let (x, y) = place.expect("a layout places each node");
    Point { x, y }
}

/// The path of an edge in the layout.
struct Path {
    /// The points between its ends.
    inner: Vec<Point>,
    /// The vertical position of the label.
    label: Option<f64>,
}

impl Path {
    /// Reads the path of an edge; `None` if the edge leads back to its source.
    fn read(graph: &Graph, index: usize, edge: &Edge) -> Option<Self> {
        if edge.is_loop() {
            return None;
        }
        let found = graph.edge(&edge.link(index)).expect("a layout keeps each edge");
        // dagre puts the ends on the sides of the states; `Ends` chooses others.
        let points = found.points.as_deref().unwrap_or_default();
        let inner = points.split_first().and_then(|(_, rest)| rest.split_last());
        let inner = inner.map_or(&[][..], |(_, inner)| inner);
        let inner = inner.iter().map(|point| Point { x: point.x, y: point.y }).collect();
        Some(Self { inner, label: found.y.filter(|_| !edge.label.is_empty()) })
    }
}
