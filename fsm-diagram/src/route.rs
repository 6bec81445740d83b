use crate::chart::Chart;
use crate::ends::Ends;
use crate::geometry::{Area, Flow, Point, Size};
use crate::plan::{HEAD, Lane, Plan, Waypoint, loops_reach};

/// Between two rows, if the edges go straight down.
const GAP: f64 = 20.0;
/// The added height for each unit that an edge goes to the side, and the most that is added.
const SLOPE: f64 = 0.08;
const MAX_SLOPE: f64 = 40.0;

/// The places of all parts of the picture.
#[derive(Debug)]
pub(crate) struct Drawing {
    /// For each node of the chart.
    pub(crate) nodes: Vec<Area>,
    /// For each edge of the chart.
    pub(crate) arrows: Vec<Arrow>,
}

/// A line with a head at its end, and perhaps a label.
#[derive(Debug)]
pub(crate) struct Arrow {
    pub(crate) line: Vec<Step>,
    pub(crate) tip: Point,
    pub(crate) towards: Towards,
    pub(crate) label: Option<Area>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Towards {
    Down,
    Up,
    Left,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Step {
    Move(Point),
    Line(Point),
    /// Two control points, then the end.
    Curve(Point, Point, Point),
}

impl Step {
    fn turned(self, flow: Flow) -> Self {
        match self {
            Self::Move(end) => Self::Move(end.turned(flow)),
            Self::Line(end) => Self::Line(end.turned(flow)),
            Self::Curve(a, b, end) => Self::Curve(a.turned(flow), b.turned(flow), end.turned(flow)),
        }
    }
}

impl Drawing {
    pub(crate) fn new(chart: &Chart, plan: &Plan) -> Self {
        let ends = Ends::of_edges(chart, plan);
        let rows = Row::all(chart, plan, &ends);
        let nodes = plan.nodes.iter().map(|node| {
            let middle = Point { x: node.x, y: rows[node.row].middle() };
            Area { middle, size: node.size }
        });
        let nodes: Vec<_> = nodes.collect();
        let arrows = plan.lanes.iter().enumerate().map(|(index, lane)| {
            let edge = &chart.edges[index];
            let (source, target) = (&plan.nodes[edge.source], &plan.nodes[edge.target]);
            match lane {
                Some(lane) => {
                    let end =
                        |x, node: usize, row: usize| End { x, node: nodes[node], row: rows[row] };
                    let source = end(ends[index].source, edge.source, source.row);
                    let target = end(ends[index].target, edge.target, target.row);
                    Arrow::through(&source, &target, lane, &rows, Size::of_label(edge, plan.flow))
                }
                None => Arrow::around(chart, index, nodes[edge.source], plan.flow),
            }
        });
        let arrows = arrows.map(|arrow| arrow.turned(plan.flow)).collect();
        let nodes = nodes.iter().map(|area| area.turned(plan.flow)).collect();
        Self { nodes, arrows }
    }

    /// Everything that is drawn is in it.
    pub(crate) fn bounds(&self) -> Area {
        let labels = self.arrows.iter().filter_map(|arrow| arrow.label);
        let lines = self.arrows.iter().flat_map(|arrow| &arrow.line);
        let points = lines.flat_map(|step| match *step {
            Step::Move(end) | Step::Line(end) => vec![end],
            // A curve is within its control points.
            Step::Curve(a, b, end) => vec![a, b, end],
        });
        let points = points.map(|middle| Area { middle, size: Size::default() });
        let areas = self.nodes.iter().copied().chain(labels).chain(points);
        areas
            .reduce(Area::and)
            .unwrap_or(Area { middle: Point { x: 0.0, y: 0.0 }, size: Size::default() })
    }
}

/// The vertical extent of a row. Edges go straight in a row and bend between two rows.
#[derive(Clone, Copy, Debug)]
struct Row {
    top: f64,
    bottom: f64,
}

impl Row {
    fn all(chart: &Chart, plan: &Plan, ends: &[Ends]) -> Vec<Self> {
        let mut heights = vec![0.0_f64; plan.rows];
        let mut slopes = vec![0.0_f64; plan.rows];
        for node in &plan.nodes {
            heights[node.row] = heights[node.row].max(node.size.height).max(node.loops.height);
        }
        for ((lane, edge), ends) in plan.lanes.iter().zip(&chart.edges).zip(ends) {
            let Some(lane) = lane else { continue };
            if let Some(row) = lane.label {
                heights[row] = heights[row].max(Size::of_label(edge, plan.flow).height);
            }
            let mut last = Waypoint { row: plan.nodes[edge.source].row, x: ends.source };
            let target = Waypoint { row: plan.nodes[edge.target].row, x: ends.target };
            for &next in lane.waypoints.iter().chain([&target]) {
                let slope = &mut slopes[next.row.min(last.row)];
                *slope = slope.max((next.x - last.x).abs());
                last = next;
            }
        }
        // Edges to the right cross lines of text less often, and the page is less wide than long.
        let most = if plan.flow == Flow::Down { MAX_SLOPE } else { MAX_SLOPE / 3.0 };
        let mut top = 0.0;
        let rows = heights.iter().zip(slopes).map(|(height, slope)| {
            let row = Self { top, bottom: top + height };
            top = row.bottom + GAP + (slope * SLOPE).min(most);
            row
        });
        rows.collect()
    }

    fn middle(self) -> f64 {
        f64::midpoint(self.top, self.bottom)
    }
}

/// One end of an edge: its horizontal position, its node, and the row of the node.
struct End {
    x: f64,
    node: Area,
    row: Row,
}

impl Arrow {
    fn turned(self, flow: Flow) -> Self {
        let towards = match (flow, self.towards) {
            (Flow::Down, towards) => towards,
            (Flow::Right, Towards::Down) => Towards::Right,
            (Flow::Right, Towards::Right) => Towards::Down,
            (Flow::Right, Towards::Up) => Towards::Left,
            (Flow::Right, Towards::Left) => Towards::Up,
        };
        Self {
            line: self.line.into_iter().map(|step| step.turned(flow)).collect(),
            tip: self.tip.turned(flow),
            towards,
            label: self.label.map(|area| area.turned(flow)),
        }
    }

    /// From a state to another one, in its lane.
    fn through(source: &End, target: &End, lane: &Lane, rows: &[Row], label: Size) -> Self {
        let down = source.row.top < target.row.top;
        let near = |row: Row| if down { row.top } else { row.bottom };
        let far = |row: Row| if down { row.bottom } else { row.top };
        let side = |area: &Area, below| if below { area.bottom() } else { area.top() };
        let sign = if down { 1.0 } else { -1.0 };

        let mut pen = Pen::at(Point { x: source.x, y: side(&source.node, down) });
        pen.straight(far(source.row));
        let mut area = None;
        for &Waypoint { row: index, x } in &lane.waypoints {
            let row = rows[index];
            pen.bend(Point { x, y: near(row) });
            if lane.label == Some(index) {
                let around = Area { middle: Point { x, y: row.middle() }, size: label };
                pen.straight(side(&around, !down));
                pen.jump(side(&around, down));
                area = Some(around);
            }
            pen.straight(far(row));
        }
        let tip = Point { x: target.x, y: side(&target.node, !down) };
        let neck = tip.y - sign * HEAD;
        let bent = if down { neck.min(near(target.row)) } else { neck.max(near(target.row)) };
        pen.bend(Point { x: tip.x, y: bent });
        pen.straight(neck);
        let towards = if down { Towards::Down } else { Towards::Up };
        Self { line: pen.line, tip, towards, label: area }
    }

    /// From a state to itself, on its right side.
    fn around(chart: &Chart, index: usize, node: Area, flow: Flow) -> Self {
        let edge = &chart.edges[index];
        let count = chart.edges.iter().filter(|e| e.is_loop_at(edge.source)).count();
        // Of two, the one with the label is outside.
        let outer = count > 1 && !edge.label.is_empty();
        let (width, half) = if outer { (26.0, 13.0) } else { (16.0, 5.0) };

        let (x, y) = (node.right(), node.middle.y);
        let control = x + width * 4.0 / 3.0;
        let line = vec![
            Step::Move(Point { x, y: y - half }),
            Step::Curve(
                Point { x: control, y: y - half },
                Point { x: control, y: y + half },
                Point { x: x + HEAD, y: y + half },
            ),
        ];
        let size = Size::of_label(edge, flow);
        let label = (!edge.label.is_empty()).then(|| Area {
            middle: Point { x: x + loops_reach(count) + size.width / 2.0, y },
            size,
        });
        Self { line, tip: Point { x, y: y + half }, towards: Towards::Left, label }
    }
}

/// Draws the line of an edge, up or down.
struct Pen {
    at: Point,
    line: Vec<Step>,
}

impl Pen {
    fn at(at: Point) -> Self {
        Self { at, line: vec![Step::Move(at)] }
    }

    /// Straight up or down.
    fn straight(&mut self, y: f64) {
        if (self.at.y - y).abs() < 0.05 {
            return;
        }
        self.at.y = y;
        match self.line.last_mut() {
            Some(Step::Line(end)) => *end = self.at,
            _ => self.line.push(Step::Line(self.at)),
        }
    }

    /// To another lane, so that it is vertical at both ends.
    fn bend(&mut self, to: Point) {
        if (self.at.x - to.x).abs() < 0.05 {
            return self.straight(to.y);
        }
        let y = f64::midpoint(self.at.y, to.y);
        let (from, into) = (Point { x: self.at.x, y }, Point { x: to.x, y });
        self.line.push(Step::Curve(from, into, to));
        self.at = to;
    }

    /// Over an area without a line.
    fn jump(&mut self, y: f64) {
        self.at.y = y;
        self.line.push(Step::Move(self.at));
    }
}

#[cfg(test)]
mod tests;
