use crate::error::Error;
use crate::figure::{Figure, Target, Unit};
use crate::lab::Lab;
use crate::measure::{Slope, callgrind, in_rounds};
use crate::peer::Peer;
use crate::programs::Program;
use crate::programs::frames::{Made, Work};

/// Frames in a row.
const DEPTHS: [u32; 3] = [1, 16, 128];

/// User instructions per frame, declared and by hand.
pub(super) fn frames(lab: &Lab) -> Result<Vec<Figure>, Error> {
    let gets = DEPTHS.map(|depth| {
        let title = format!("user instructions to decode a GET, {depth} in a row");
        (format!("frames-get-{depth}"), title, Work::Get, depth)
    });
    let others = [
        ("block", "to decode a binary frame of 64 bytes", Work::Block),
        ("put", "to decode a line of three words and ten bytes", Work::Put),
        ("encode-block", "to encode a binary frame of 64 bytes", Work::EncodeBlock),
    ];
    let others = others.map(|(name, title, work)| {
        (format!("frames-{name}"), format!("user instructions {title}"), work, 16)
    });
    let all = gets.into_iter().chain(others);
    all.map(|(name, title, work, depth)| figure(lab, &name, &title, work, depth)).collect()
}

fn figure(lab: &Lab, name: &str, title: &str, work: Work, depth: u32) -> Result<Figure, Error> {
    let series = in_rounds(lab, name, &[Peer::Ours, Peer::HandDecoder], 1, |peer| {
        let made = if peer == Peer::Ours { Made::Declared } else { Made::ByHand };
        let slope = Slope { few: 2_000, many: 2_000 * lab.amount(11, 3) };
        let per_round = slope.measure(|rounds| {
            let program = Program::Frames { made, work, depth, rounds };
            callgrind::of_run(lab, &program.arguments())
        })?;
        Ok(per_round / f64::from(depth))
    })?;
    let targets = &[Target::Times(1.05, Peer::HandDecoder)];
    Ok(Figure::new(name, title, Unit::Instructions, targets, series))
}
