/// The direction in which a machine is drawn.
///
/// Rows, lanes and lines are laid out as if it were always down. A drawing that flows to the right is turned round at
/// the end, and its states and labels, whose text stays upright, before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Down,
    Right,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) y: f64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Size {
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Point {
    pub(crate) fn turned(self, flow: Flow) -> Self {
        match flow {
            Flow::Down => self,
            Flow::Right => Self { x: self.y, y: self.x },
        }
    }
}

impl Size {
    pub(crate) fn turned(self, flow: Flow) -> Self {
        match flow {
            Flow::Down => self,
            Flow::Right => Self { width: self.height, height: self.width },
        }
    }
}

/// A box around a point.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Area {
    pub(crate) middle: Point,
    pub(crate) size: Size,
}

impl Area {
    pub(crate) fn left(&self) -> f64 {
        self.middle.x - self.size.width / 2.0
    }

    pub(crate) fn right(&self) -> f64 {
        self.middle.x + self.size.width / 2.0
    }

    pub(crate) fn top(&self) -> f64 {
        self.middle.y - self.size.height / 2.0
    }

    pub(crate) fn bottom(&self) -> f64 {
        self.middle.y + self.size.height / 2.0
    }

    pub(crate) fn turned(self, flow: Flow) -> Self {
        Self { middle: self.middle.turned(flow), size: self.size.turned(flow) }
    }

    /// The area around both.
    pub(crate) fn and(self, other: Self) -> Self {
        let (left, right) = (self.left().min(other.left()), self.right().max(other.right()));
        let (top, bottom) = (self.top().min(other.top()), self.bottom().max(other.bottom()));
        Self {
            middle: Point { x: f64::midpoint(left, right), y: f64::midpoint(top, bottom) },
            size: Size { width: right - left, height: bottom - top },
        }
    }
}
